//! What the user may type. Nothing here does anything: each subcommand turns into the options of a
//! function in [`commands`](crate::commands).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::analyze;
use crate::diagnose::Options as SlowRule;
use crate::render::{ColorChoice, Style, Surroundings};
use crate::trace::Options as Repairs;
use crate::units::Nanos;

/// Says which requests of an LLM agent were slow, why, and what they cost: offline, from exported traces.
#[derive(Debug, Parser)]
#[command(
    name = "agentdiag",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = EXIT_CODES
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// How to show it.
    #[command(flatten)]
    pub display: Display,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find slow requests, say why they were slow, and add up what they cost
    Analyze(Analyze),
    /// Explain a cause: what it is, what looks like it, what to do
    Explain(Explain),
    /// List what can be read: formats and vocabularies
    Formats,
}

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Display {
    /// Use colour: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        hide_possible_values = true
    )]
    pub color: Color,

    /// Show no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Columns of the text output, instead of those of the terminal
    #[arg(long, value_name = "COLUMNS", global = true, hide = true)]
    pub width: Option<usize>,
}

impl Display {
    /// Colour, width and character set, decided once.
    #[must_use]
    pub fn style(&self) -> Style {
        Style::decide(self.color.into(), self.width, &Surroundings::of_stdout())
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Even into a file.
    Always,
    /// Not at all.
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Arguments of `analyze`.
#[derive(Debug, Args)]
#[command(after_long_help = ANALYZE_EXAMPLES)]
pub struct Analyze {
    /// Traces, and metrics, logs and events if there are any: files, folders, quoted globs, or - for standard input
    ///
    /// What a file holds is told by its content, not by its name. Compressed files (gzip, zstd) are fine.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// How to write the result: text, json (one object), or ndjson (one request per line)
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

    /// Slow from this multiple of the request's own expected time on
    #[arg(long, value_name = "FACTOR", default_value = "1.3", value_parser = factor, help_heading = "What is slow")]
    pub slow_factor: f64,

    /// ... and from this much lost time on
    #[arg(
        long,
        value_name = "TIME",
        default_value = "500ms",
        help_heading = "What is slow"
    )]
    pub slow_floor: Nanos,

    /// Instead: slow from this duration on, such as 8s
    #[arg(long, value_name = "TIME", conflicts_with_all = ["slow_factor", "slow_top"], help_heading = "What is slow")]
    pub slow_over: Option<Nanos>,

    /// Instead: the slowest share of all requests, such as 5%
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "slow_factor", help_heading = "What is slow")]
    pub slow_top: Option<f64>,

    /// Prices that go before the built-in ones
    ///
    /// A JSON file: {"unit": "per 1M tokens", "models": {"NAME": {"input": 2.5, "cached_input": 1.25, "output": 10}}}
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,

    /// Exit with 2 when part of the input is lost, with 3 when there is too little data to judge
    #[arg(long)]
    pub strict: bool,

    /// Rows to show of a long list (text only)
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub top: usize,

    /// Threads to use, instead of one per core; the result does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// Do not correct clock skew or adopt orphans
    #[arg(long, help_heading = "Repairs")]
    pub no_repair: bool,

    /// Do not join traces that lost their context between services
    #[arg(long, help_heading = "Repairs")]
    pub no_stitch: bool,
}

impl Analyze {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> analyze::Options {
        analyze::Options {
            paths: self.paths.clone(),
            format: match (self.json, self.format) {
                (true, _) | (_, Format::Json) => analyze::Format::Json,
                (_, Format::Ndjson) => analyze::Format::Ndjson,
                (_, Format::Text) => analyze::Format::Text,
            },
            rule: SlowRule {
                slow_factor: self.slow_factor,
                slow_floor: self.slow_floor,
                slow_over: self.slow_over,
                slow_top: self.slow_top,
            },
            repairs: Repairs {
                repair: !self.no_repair,
                stitch: !self.no_stitch,
            },
            prices: self.prices.clone(),
            threads: self.threads.map(usize::from),
            strict: self.strict,
            top: self.top,
            progress: !display.quiet,
            style: display.style(),
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
}

/// A factor that makes sense as a limit.
fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (1.0..1e6).contains(&factor) => Ok(factor),
        _ => Err("expected a number from 1 on, such as 1.3".to_owned()),
    }
}

/// A share as `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix('%') {
        Some(percent) => (percent, 100.0),
        None => (text, 1.0),
    };
    match number.trim().parse::<f64>().map(|value| value / unit) {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("expected a share such as 5% or 0.05".to_owned()),
    }
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Without CAUSE, all causes are listed.")]
pub struct Explain {
    /// Label of a cause, such as cold_cache
    pub cause: Option<String>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done; finding slow requests is success
  1  kept for broken budgets and fired alerts
  2  usage error, or no readable input; under --strict also part of the input lost
  3  not enough data to judge (only under --strict)";

const ANALYZE_EXAMPLES: &str = "\
Examples:
  agentdiag analyze traces.jsonl
  agentdiag analyze exports/ metrics.jsonl.gz logs.jsonl.gz
  kubectl exec deploy/otel-collector -- cat /data/traces.json | agentdiag analyze -
  agentdiag analyze --slow-over 8s --prices prices.json 'exports/2026-05-*.jsonl'
  agentdiag analyze --json traces.jsonl | jq '.requests[] | select(.slow) | .cause'";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn shares_are_percent_or_fraction() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.05"), Ok(0.05));
        for bad in ["0", "-1%", "101%", "NaN", "x"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

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
