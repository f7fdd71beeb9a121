//! What to read and how to mend it: the same options for every subcommand that reads a dump.

use std::path::PathBuf;

use clap::Args;

use super::Display;
use crate::commands::load;
use crate::trace::Options as Repairs;

/// Arguments of every subcommand that reads a dump.
#[derive(Debug, Args)]
pub struct Inputs {
    /// Traces, and metrics, logs and events if there are any: files, folders, quoted globs, or - for standard input
    ///
    /// What a file holds is told by its content, not by its name. Compressed files (gzip, zstd) are fine.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Prices that go before the built-in ones
    ///
    /// A JSON file: {"unit": "per 1M tokens", "models": {"NAME": {"input": 2.5, "cached_input": 1.25, "output": 10}}}
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,

    /// Threads to use, instead of one per core; the result does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// Do not correct clock skew or adopt orphans
    #[arg(long, help_heading = "Repairs")]
    pub no_repair: bool,

    /// Do not join traces that lost their context between services
    #[arg(long, help_heading = "Repairs")]
    pub no_stitch: bool,

    /// Show ids of users, tenants and conversations as digests
    ///
    /// Each run uses a key of its own, which nobody knows, unless one is given with --redact-key.
    #[arg(long, help_heading = "Privacy")]
    pub redact: bool,

    /// Key for the digests, so that they stay the same from run to run; keep it secret
    #[arg(
        long,
        value_name = "KEY",
        requires = "redact",
        help_heading = "Privacy"
    )]
    pub redact_key: Option<String>,
}

impl Inputs {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> load::Inputs {
        load::Inputs {
            paths: self.paths.clone(),
            prices: self.prices.clone(),
            baseline: None,
            aside: Vec::new(),
            threads: self.threads.map(usize::from),
            repairs: Repairs {
                repair: !self.no_repair,
                stitch: !self.no_stitch,
            },
            redact: self.redact.then(|| match &self.redact_key {
                Some(key) => load::Redact::With(key.clone()),
                None => load::Redact::Once,
            }),
            progress: !display.quiet,
        }
    }
}
