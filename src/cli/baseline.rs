//! Arguments of `baseline`.

use std::path::PathBuf;

use clap::Args;

use super::{Display, Inputs};
use crate::commands::baseline;

/// Arguments of `baseline`.
#[derive(Debug, Args)]
#[command(after_long_help = LONG)]
pub struct Baseline {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// Where to write the baseline, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl Baseline {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> baseline::Options {
        baseline::Options {
            inputs: self.inputs.options(display),
            output: self.output.clone(),
            style: display.style(),
        }
    }
}

const LONG: &str = "\
The inputs are dumps of a healthy period, or baselines written before, or both: they are merged. Merging the
baselines of parts (days, clusters) gives the same bytes as learning from the whole, as long as no trace is
divided between parts. Only how many requests were slow, why, and what was wasted is judged within each part, and added.

The file is one JSON object, schema agentdiag.baseline.v1. Its numbers are integer counts and sums, keyed by name and
in order; a histogram is a list of [bucket, count], where buckets hold the values 0 to 63 one by one and 32 steps for
each doubling above. `norms` is what diagnosis compares with: durations of tasks and tools, pauses of agents (all in
nanoseconds), and model calls (all of a short period, a sample of a long one). `profile` is what drift and budgets
compare with: durations, parts, cost (nano-dollars), tokens, calls, failures, rates (by their names in budgets: requests,
what counted of what could have, and the sums of squares and products that say how much requests vary) and tool choice by
kind of task. Names of
models, endpoints, services, agents and tools are in it; prompts, answers, arguments and tenants' names are not.

Examples:
  agentdiag baseline monday/ -o monday.json
  agentdiag baseline monday.json tuesday.json wednesday/ -o week.json
  agentdiag analyze --baseline week.json today.jsonl";
