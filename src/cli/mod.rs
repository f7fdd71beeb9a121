//! What the user may type, one file per subcommand. Nothing here does anything: each subcommand turns
//! into the options of a function in [`commands`](crate::commands).

mod analyze;
mod baseline;
mod check;
mod compare;
mod completions;
mod cost;
mod deferred;
mod display;
mod drift;
mod explain;
mod export;
mod form;
mod gpu;
mod inputs;
mod limits;
mod priced;
mod prices;
mod repairs;
mod replay;
mod report;
mod rules;
mod shape;
mod slow;
mod stage;
mod trace;

pub use analyze::Analyze;
pub use baseline::Baseline;
pub use check::Check;
pub use compare::Compare;
pub use completions::Completions;
pub use cost::Cost;
pub use deferred::Deferred;
pub use display::{Color, Display};
pub use drift::Drift;
pub use explain::Explain;
pub use export::Export;
pub use form::Form;
pub use gpu::Gpu;
pub use inputs::Inputs;
pub use limits::Limits;
pub use priced::Priced;
pub use prices::Prices;
pub use repairs::Repairs;
pub use replay::Replay;
pub use report::{ChartFormat, Report};
pub use rules::Rules;
pub use shape::Shape;
pub use slow::{Rule as SlowRule, Slow};
pub use stage::{Stage, StageTask};
pub use trace::Trace;

use clap::{Parser, Subcommand};

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
    Analyze(Deferred<Analyze>),
    /// Add up what requests cost, by model, task, agent, tool, tenant and day, and what of it was wasted
    Cost(Deferred<Cost>),
    /// Say whether agents choose other tools than before, since when, and what else changed
    Drift(Deferred<Drift>),
    /// Show, import and compare price tables
    Prices(Deferred<Prices>),
    /// Write the analysis as one page to attach or share, and its charts as files
    Report(Deferred<Report>),
    /// Show one request in full: waterfall, critical path, verdict with its account and its rivals
    Trace(Deferred<Trace>),
    /// Write tables (Parquet, CSV), the dump with the verdicts on its spans (OTLP/JSON), or metrics (OpenMetrics)
    Export(Deferred<Export>),
    /// Learn from a healthy period what is normal, and save it
    Baseline(Deferred<Baseline>),
    /// Say what changed from one set of requests to another, beyond chance
    Compare(Deferred<Compare>),
    /// Hold a dump to budgets, for CI: fails when one is broken beyond noise
    Check(Deferred<Check>),
    /// Replay Prometheus alert rules: which would have fired, when, and which incidents they saw
    Replay(Deferred<Replay>),
    /// Write Prometheus alert rules with thresholds that fit a dump
    Rules(Deferred<Rules>),
    /// Record what NVIDIA GPUs do, to be analyzed beside the traces of the same time
    Gpu(Deferred<Gpu>),
    /// Spread the analysis over many machines: its stages as filters of Arrow IPC streams, and a driver for Spark
    Stage(Deferred<Stage>),
    /// Explain a cause: what it is, what looks like it, what to do
    Explain(Deferred<Explain>),
    /// List what can be read: formats and vocabularies
    Formats,
    /// Write a completion script for a shell
    Completions(Deferred<Completions>),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done; finding slow requests is success
  1  a budget is broken (check), or an alert fired (replay --fail-on-fire)
  2  usage error, or no readable input; under --strict also part of the input lost
  3  not enough data to judge (only under --strict)
130 and 143 mean ended by SIGINT or SIGTERM. Whatever ends a run, an output file is whole or as it was before;
a reader that goes away (agentdiag ... | head) is no error, a full disk is one.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
