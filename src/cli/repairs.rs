//! What may be mended: the same options for every subcommand that rebuilds traces.

use clap::Args;

use crate::trace::Options;

/// What may be mended.
#[derive(Debug, Args)]
pub struct Repairs {
    /// Do not correct clock skew or adopt orphans
    #[arg(long, help_heading = "Repairs")]
    pub no_repair: bool,

    /// Do not join traces that lost their context between services
    #[arg(long, help_heading = "Repairs")]
    pub no_stitch: bool,
}

impl Repairs {
    /// What was meant.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            repair: !self.no_repair,
            stitch: !self.no_stitch,
        }
    }
}
