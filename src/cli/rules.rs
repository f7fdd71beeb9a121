//! Arguments of `rules`.

use std::path::PathBuf;

use clap::Args;

use super::replay::{Prefer, interval};
use super::slow::Rule;
use super::{Display, Inputs};
use crate::alerts::Version;
use crate::commands::{load, replay, rules};
use crate::units::Nanos;

/// Arguments of `rules`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Rules {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// Write the rules to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Watch the selection of this tool only; may be repeated. Without it, that of every tool
    #[arg(long, value_name = "TOOL")]
    pub high_stakes: Vec<String>,

    /// Time between the instants at which values are looked at
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = interval)]
    pub interval: Nanos,

    /// Time between scrapes of the series that are derived from spans
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = interval)]
    pub scrape: Nanos,

    /// Version of Prometheus to follow, such as 3 or 2.42: they differ at the edges of ranges
    ///
    /// In 2, a sample at the left edge of a range is inside it, so that a range of 5m over the series derived
    /// from spans holds exactly five minutes; in 3 it is outside, and 5m hold one scrape less.
    #[arg(long, value_name = "VERSION", default_value = "2")]
    pub prometheus: Version,

    /// Whose series count where spans and recorded metrics both give one of the same name
    #[arg(long, value_name = "SOURCE", default_value = "spans")]
    pub prefer: Prefer,

    /// Take thresholds from this dump of a healthy period instead; of a file saved by `agentdiag baseline`, what is
    /// normal
    ///
    /// Series that only the inputs have get no rule and are named in a comment. A saved file keeps no series: what
    /// held for minutes over a whole fleet cannot be told from what held in parts of it, and saved periods must add
    /// up. By it, the times without trouble are found in the inputs, and thresholds come from those.
    #[arg(long, value_name = "PATH")]
    pub baseline: Option<PathBuf>,

    /// What is slow.
    #[command(flatten)]
    pub slow: Rule,
}

impl Rules {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> rules::Options {
        rules::Options {
            replay: replay::Options {
                inputs: load::Inputs {
                    buckets: true,
                    baseline: self.baseline.clone(),
                    ..self.inputs.options(display)
                },
                rules: Vec::new(),
                high_stakes: Vec::new(),
                interval: self.interval,
                scrape: self.scrape,
                version: self.prometheus,
                prefer: self.prefer.into(),
                objective: 0.99,
                fail_on_fire: false,
                json: false,
                rule: self.slow.options(),
                top: 0,
                style: display.style(),
            },
            high_stakes: self.high_stakes.clone(),
            output: self.output.clone(),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  agentdiag rules last-week/ -o agent-alerts.yml && promtool check rules agent-alerts.yml
  agentdiag rules traces.jsonl --high-stakes delete_account | tee agent-alerts.yml
  agentdiag rules today/ --baseline last-week/ -o agent-alerts.yml
  agentdiag replay today/ --rules agent-alerts.yml";
