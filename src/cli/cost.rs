//! Arguments of `cost`.

use clap::{Args, ValueEnum};

use super::{Display, Inputs};
use crate::commands::cost;

/// Arguments of `cost`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Cost {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// What to list by: task, model, agent, tool, tenant, day
    ///
    /// `tool` is what the results of a tool cost as part of later prompts.
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        default_value = "model,task,agent,tool,tenant,day",
        hide_possible_values = true
    )]
    pub by: Vec<By>,

    /// Write one JSON object, agentdiag.cost.v1
    #[arg(long)]
    pub json: bool,

    /// Exit with 2 when part of the input is lost, with 3 when nothing has a price
    #[arg(long)]
    pub strict: bool,

    /// Rows to show of a long list (text only)
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
}

impl Cost {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> cost::Options {
        cost::Options {
            inputs: self.inputs.options(display),
            by: self.by.iter().map(|by| (*by).into()).collect(),
            json: self.json,
            strict: self.strict,
            top: self.top,
            style: display.style(),
        }
    }
}

/// What cost is listed by.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum By {
    /// Model that answered.
    Model,
    /// Kind of task.
    Task,
    /// Agent that made the call.
    Agent,
    /// Tool whose results filled the prompts.
    Tool,
    /// Tenant.
    Tenant,
    /// UTC day.
    Day,
}

impl From<By> for cost::By {
    fn from(by: By) -> Self {
        match by {
            By::Model => Self::Model,
            By::Task => Self::Task,
            By::Agent => Self::Agent,
            By::Tool => Self::Tool,
            By::Tenant => Self::Tenant,
            By::Day => Self::Day,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  agentdiag cost traces.jsonl
  agentdiag cost --by tool,task --prices prices.json exports/
  agentdiag cost --price llama-3.3-70b=0.88/0.22/0.88 traces.jsonl
  agentdiag cost --price my-llama=2.49/gpu-hour*4 traces.jsonl
  agentdiag cost --json traces.jsonl | jq '.waste.reasons[] | {reason, cost_usd}'

Keys of agentdiag.cost.v1 (money in US dollars; null where unknown, never zero):
  total            requests, calls, tokens, cost_usd, wasted_usd, priced_share, usd_per_1k_requests, tokens_per_usd
  coverage         what has no price or no token counts
  by               the same sums as total, by what --by lists; tool has added_tokens and carried_tokens instead
  waste            by reason: failed_attempts, repeated_calls, lost_cache
  self_hosted      models priced by the GPU hour: busy and idle time and cost
  reconciliation   cost reported in the dump against cost computed here
  price_tables     version, day and age against the last request of every table used
  notes            what to know about the prices";
