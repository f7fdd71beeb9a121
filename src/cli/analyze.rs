//! Arguments of `analyze`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Display, Inputs, Slow};
use crate::commands::analyze;

/// Arguments of `analyze`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Analyze {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// How to write the result: text, json (one object), ndjson (one request per line), markdown (for a
    /// post-mortem or a pull request, never longer than a comment may be), or html (one page)
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub format: Format,

    /// Same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,

    /// What is slow.
    #[command(flatten)]
    pub slow: Slow,

    /// Explain how the inputs were read instead: what each was taken for and why, roles, keys not understood, which signals are there, what each gap costs and how to close it
    ///
    /// With --format json the same is part of the usual object, under `inputs` and `coverage`.
    #[arg(long)]
    pub explain_input: bool,

    /// Exit with 2 when part of the input is lost, with 3 when there is too little data to judge
    #[arg(long)]
    pub strict: bool,

    /// Rows to show of a long list (text and markdown)
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub top: usize,

    /// Write the result to a file, which appears only when it is whole
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl Analyze {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> analyze::Options {
        analyze::Options {
            inputs: self.slow.with_baseline(self.inputs.options(display)),
            format: match (self.json, self.format) {
                (true, _) | (_, Format::Json) => analyze::Format::Json,
                (_, Format::Ndjson) => analyze::Format::Ndjson,
                (_, Format::Html) => analyze::Format::Html,
                (_, Format::Markdown) => analyze::Format::Markdown,
                (_, Format::Text) => analyze::Format::Text,
            },
            rule: self.slow.rule(),
            explain_input: self.explain_input,
            strict: self.strict,
            top: self.top,
            style: display.style(),
            output: self.output.clone(),
        }
    }
}

/// How the result is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One object.
    Json,
    /// One object per request and line.
    Ndjson,
    /// One page.
    Html,
    /// For a post-mortem or a pull request.
    #[value(alias = "md")]
    Markdown,
}

const EXAMPLES: &str = "\
Examples:
  agentdiag analyze traces.jsonl
  agentdiag analyze exports/ metrics.jsonl.gz logs.jsonl.gz
  kubectl exec deploy/otel-collector -- cat /data/traces.json | agentdiag analyze -
  agentdiag analyze --slow-over 8s --prices prices.json 'exports/2026-05-*.jsonl'
  agentdiag analyze --json traces.jsonl | jq '.requests[] | select(.slow) | .cause'";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Color, Command};
    use super::*;

    #[test]
    fn json_is_short_for_the_format() {
        let parse = |args: &[&str]| {
            let cli = Cli::try_parse_from([&["agentdiag", "analyze"], args].concat());
            match cli.map(|cli| cli.command) {
                Ok(Command::Analyze(args)) => Some(args),
                _ => None,
            }
        };
        let display = Display {
            color: Color::Never,
            quiet: true,
            width: None,
        };
        let format = |args: &[&str]| parse(args).map(|a| a.options(&display).format);
        assert_eq!(format(&["x"]), Some(analyze::Format::Text));
        assert_eq!(format(&["--json", "x"]), Some(analyze::Format::Json));
        assert_eq!(
            format(&["--format", "ndjson", "x"]),
            Some(analyze::Format::Ndjson)
        );
        assert_eq!(format(&["--json", "--format", "text", "x"]), None);
        assert_eq!(format(&[]), None);
    }
}
