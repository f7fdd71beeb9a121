//! What to read and how to mend it: the same options for every subcommand that reads a dump.

use std::path::PathBuf;

use clap::Args;

use super::{Display, Limits};
use crate::commands::load;
use crate::trace::Options as Repairs;

/// Arguments of every subcommand that reads a dump.
#[derive(Debug, Args)]
pub struct Inputs {
    /// Traces, and metrics, logs and events if there are any: files, folders, quoted globs, or - for standard input
    ///
    /// What a file holds is told by its content, not by its name. Compressed files (gzip, zstd), zip archives and Parquet are fine.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Price of one model, before all others; may be repeated
    ///
    /// MODEL=INPUT/OUTPUT or MODEL=INPUT/CACHED/OUTPUT in US dollars per million tokens, or MODEL=PRICE/gpu-hour*GPUS for a
    /// model on one's own machine.
    #[arg(long, value_name = "MODEL=PRICE", help_heading = "Prices")]
    pub price: Vec<load::Given>,

    /// Prices that go before the configured and the built-in ones
    ///
    /// A JSON file: {"unit": "per 1M tokens", "models": {"NAME": {"input": 2.5, "cached_input": 1.25, "output": 10}}}, or the
    /// table of LiteLLM, genai-prices, models.dev or OpenRouter
    #[arg(long, value_name = "FILE", help_heading = "Prices")]
    pub prices: Option<PathBuf>,

    /// Configuration, instead of agentdiag.toml in the working directory if there is one
    #[arg(long, value_name = "FILE", help_heading = "Prices")]
    pub config: Option<PathBuf>,

    /// When a snapshot without times was taken: a saved /metrics page, a table of kubectl events
    ///
    /// A date like 2026-05-12T08:02:24Z or Unix seconds. Without it such samples are left out: no time is guessed. FILE=TIME gives the time of one file; may be repeated.
    #[arg(long, value_name = "[FILE=]TIME")]
    pub at: Vec<load::TakenAt>,

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

    /// What an input may not exceed.
    #[command(flatten)]
    pub limits: Limits,
}

impl Inputs {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> load::Inputs {
        load::Inputs {
            paths: self.paths.clone(),
            given: self.price.clone(),
            prices: self.prices.clone(),
            config: self.config.clone(),
            taken: self.at.clone(),
            baseline: None,
            aside: Vec::new(),
            limits: Some(self.limits.options()),
            max_record: usize::try_from(self.limits.max_record.0).ok(),
            threads: self.threads.map(usize::from),
            repairs: Repairs {
                repair: !self.no_repair,
                stitch: !self.no_stitch,
            },
            buckets: false,
            redact: self.redact.then(|| match &self.redact_key {
                Some(key) => load::Redact::With(key.clone()),
                None => load::Redact::Once,
            }),
            progress: !display.quiet,
        }
    }
}
