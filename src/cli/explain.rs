//! Arguments of `explain`.

use clap::Args;

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Without CAUSE, all causes are listed.")]
pub struct Explain {
    /// Label of a cause, such as cold_cache
    pub cause: Option<String>,
}
