//! What the user may type, one file per subcommand. Nothing here does anything: each subcommand turns
//! into the options of a function in [`commands`](crate::commands).

mod analyze;
mod baseline;
mod display;
mod explain;
mod inputs;
mod slow;

pub use analyze::Analyze;
pub use baseline::Baseline;
pub use display::{Color, Display};
pub use explain::Explain;
pub use inputs::Inputs;
pub use slow::Slow;

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
    Analyze(Analyze),
    /// Learn from a healthy period what is normal, and save it
    Baseline(Baseline),
    /// Explain a cause: what it is, what looks like it, what to do
    Explain(Explain),
    /// List what can be read: formats and vocabularies
    Formats,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done; finding slow requests is success
  1  kept for broken budgets and fired alerts
  2  usage error, or no readable input; under --strict also part of the input lost
  3  not enough data to judge (only under --strict)";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
