//! Arguments of `compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Display, Inputs, SlowRule};
use crate::commands::compare;

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Compare {
    /// The earlier set: a dump (file or folder), or a file saved by `agentdiag baseline`
    ///
    /// A saved period keeps latency, phases, cost, tokens, calls, failures and tools; the rest is then not compared.
    #[arg(value_name = "BASE")]
    pub base: PathBuf,

    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// How to write the result: text, json (one object, agentdiag.compare.v1) or markdown
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

    /// Exit with 2 when part of the input is lost, with 3 when there is too little to compare
    #[arg(long)]
    pub strict: bool,

    /// Changes told in sentences (text and markdown); all are in the tables
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,

    /// What is slow.
    #[command(flatten)]
    pub slow: SlowRule,
}

impl Compare {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> compare::Options {
        compare::Options {
            base: self.base.clone(),
            inputs: self.inputs.options(display),
            format: match (self.json, self.format) {
                (true, _) | (_, Format::Json) => compare::Format::Json,
                (_, Format::Markdown) => compare::Format::Markdown,
                (_, Format::Text) => compare::Format::Text,
            },
            rule: self.slow.options(),
            strict: self.strict,
            top: self.top,
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
    /// For a pull request.
    #[value(alias = "md")]
    Markdown,
}

const EXAMPLES: &str = "\
Examples:
  agentdiag compare last-week/ this-week/
  agentdiag compare base.json traces.jsonl
  agentdiag compare --format markdown main/ branch/ > changes.md
  agentdiag compare --json before/ after/ | jq '.rows[] | select(.changed) | {section, name, what, base, new, p_value}'";
