//! Arguments of `analyze`.

use clap::Args;

use super::{Display, Inputs, Shape, Slow};
use crate::commands::analyze;

/// Arguments of `analyze`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Analyze {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// What is slow.
    #[command(flatten)]
    pub slow: Slow,

    /// How to write it.
    #[command(flatten)]
    pub shape: Shape,
}

impl Analyze {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> analyze::Options {
        analyze::Options {
            inputs: self.slow.with_baseline(self.inputs.options(display)),
            format: self.shape.format(),
            rule: self.slow.rule(),
            explain_input: self.shape.explain_input,
            strict: self.shape.strict,
            top: self.shape.top,
            style: display.style(),
            output: self.shape.output.clone(),
        }
    }
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
