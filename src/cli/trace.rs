//! Arguments of `trace`.

use clap::Args;

use super::{Display, Form, Inputs, Slow};
use crate::commands::trace;

/// Arguments of `trace`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Trace {
    /// Trace id, or the id of any of its spans; the beginning is enough while it fits one request only
    pub id: String,

    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// How to write the result.
    #[command(flatten)]
    pub form: Form,

    /// What is slow.
    #[command(flatten)]
    pub slow: Slow,

    /// Lines of the waterfall before spans are folded (text only)
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub lines: usize,

    /// Rows to show of a long list (text only)
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
}

impl Trace {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> trace::Options {
        trace::Options {
            id: self.id.clone(),
            inputs: self.slow.with_baseline(self.inputs.options(display)),
            format: match self.form.is_json() {
                true => trace::Format::Json,
                false => trace::Format::Text,
            },
            rule: self.slow.rule(),
            lines: self.lines,
            top: self.top,
            style: display.style(),
        }
    }
}

const EXAMPLES: &str = "\
The other requests of the inputs are read as well: they say what is normal.

Examples:
  agentdiag trace 9b53286f exports/
  agentdiag trace 9b53286f --lines 200 traces.jsonl metrics.jsonl logs.jsonl
  agentdiag trace 9b53286f --json traces.jsonl | jq '.spans[] | select(.failed)'";
