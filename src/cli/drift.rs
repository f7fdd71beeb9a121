//! Arguments of `drift`.

use std::path::PathBuf;

use clap::Args;

use super::{Display, Inputs};
use crate::commands::drift::{self, Against};
use crate::units::Nanos;

/// Arguments of `drift`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Drift {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// What to compare with: a dump (file or folder), or a file saved by `agentdiag baseline`
    ///
    /// Of a saved period, agents, models and versions are not compared one by one.
    #[arg(long, value_name = "DUMP_OR_FILE", conflicts_with = "split")]
    pub baseline: Option<PathBuf>,

    /// Compare requests from this instant on with those before it, such as 2026-05-12T03:14:00Z
    ///
    /// Without this and without --baseline, the dump is compared with itself wherever it changes most clearly.
    #[arg(long, value_name = "TIME", value_parser = at)]
    pub split: Option<Nanos>,

    /// Write one JSON object, agentdiag.drift.v1
    #[arg(long)]
    pub json: bool,

    /// Exit with 2 when part of the input is lost, with 3 when there is too little data to judge
    #[arg(long)]
    pub strict: bool,

    /// Rows to show of a long list (text only)
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
}

impl Drift {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> drift::Options {
        drift::Options {
            inputs: self.inputs.options(display),
            against: match (&self.baseline, self.split) {
                (Some(dump), _) => Against::Dump(dump.clone()),
                (None, Some(at)) => Against::Before(at),
                (None, None) => Against::Themselves,
            },
            json: self.json,
            strict: self.strict,
            top: self.top,
            style: display.style(),
        }
    }
}

/// An instant; a time without a zone is UTC.
fn at(text: &str) -> Result<Nanos, String> {
    let stamp = text.parse::<jiff::Timestamp>().ok();
    let civil = || {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    };
    let nanos = stamp.or_else(civil).map(jiff::Timestamp::as_nanosecond);
    let nanos = nanos.and_then(|nanos| u64::try_from(nanos).ok());
    nanos
        .map(Nanos)
        .ok_or_else(|| "expected an instant such as 2026-05-12T03:14:00Z".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  agentdiag drift traces.jsonl
  agentdiag drift --split 2026-05-12T03:14:00Z traces.jsonl
  agentdiag drift --baseline last-week/ this-week/
  agentdiag drift --json traces.jsonl | jq '{changed, onset, collapsed_tools}'

Keys of agentdiag.drift.v1:
  changed          anything changed by more than chance explains, at alpha
  before, after    the two sides: requests, start, end
  tools            the test of tool choice over all: p_value, divergence_bits (Jensen-Shannon), every tool's shares
  onset            when it changed: at, and the earliest and latest time that fit nearly as well
  collapsed_tools  tools whose share fell below half of what it was, whether chance explains it or not
  slices           tool choice by agent, model, version and task
  measures         tool_order, model_mix, finish_reasons, completion, rounds, output_length
  correction       p-values of slices and measures are corrected together by Holm's procedure";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_without_a_zone_are_utc() {
        let expected = Ok(Nanos(1_778_555_640_000_000_000));
        for text in [
            "2026-05-12T03:14:00Z",
            "2026-05-12T05:14:00+02:00",
            "2026-05-12 03:14",
            "2026-05-12T03:14:00",
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
        assert!(at("03:14").is_err() && at("soon").is_err());
    }
}
