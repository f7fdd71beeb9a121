//! What to read and how to mend it: the same options for every subcommand that reads a dump.

use std::path::PathBuf;

use clap::Args;

use super::{Display, Limits, Priced, Repairs};
use crate::commands::load;
use crate::units::Bytes;

/// Arguments of every subcommand that reads a dump.
#[derive(Debug, Args)]
pub struct Inputs {
    /// Traces, and metrics, logs and events if there are any: files, folders, quoted globs, or - for standard input
    ///
    /// What a file holds is told by its content, not by its name. Compressed files (gzip, zstd), zip archives and Parquet are fine.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Where prices come from.
    #[command(flatten)]
    pub priced: Priced,

    /// When a snapshot without times was taken: a saved /metrics page, a table of kubectl events
    ///
    /// A date like 2026-05-12T08:02:24Z or Unix seconds. Without it such samples are left out: no time is guessed. FILE=TIME gives the time of one file; may be repeated.
    #[arg(long, value_name = "[FILE=]TIME")]
    pub at: Vec<load::TakenAt>,

    /// Threads to use, instead of one per core; the result does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// Memory to use at most; what is not needed for a while is put into a temporary file where that is too little
    ///
    /// The result does not depend on it. The file lies where TMPDIR says, has no name, and is gone however the run ends. A run that would need more all the same ends with exit code 2 and says how much. Where nothing is said, large dumps (from some half a million spans on) have such a file too, if one can be made, to stay near 64 MB and 160 bytes a span; with more than a run needs, such as 100GB, there is none.
    #[arg(
        long,
        value_name = "SIZE",
        help_heading = "Limits",
        hide_short_help = true
    )]
    pub max_memory: Option<Bytes>,

    /// What may be mended.
    #[command(flatten)]
    pub repairs: Repairs,

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

    /// What an input may not exceed.
    #[command(flatten)]
    pub limits: Limits,
}

impl Inputs {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> load::Inputs {
        self.priced.options(load::Inputs {
            paths: self.paths.clone(),
            taken: self.at.clone(),
            limits: Some(self.limits.options()),
            max_record: usize::try_from(self.limits.max_record.0).ok(),
            max_memory: self.max_memory.map(|size| size.0),
            threads: self.threads.map(usize::from),
            repairs: self.repairs.options(),
            redact: self.redact.then(|| match &self.redact_key {
                Some(key) => load::Redact::With(key.clone()),
                None => load::Redact::Once,
            }),
            progress: !display.quiet,
            ..load::Inputs::default()
        })
    }
}
