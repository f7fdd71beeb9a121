//! Arguments of `prices`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Display;
use crate::commands::{load, prices};

/// Arguments of `prices`.
#[derive(Debug, Args)]
pub struct Prices {
    /// What to do with them.
    #[command(subcommand)]
    pub task: PriceTask,
}

/// What to do with prices.
#[derive(Debug, Subcommand)]
pub enum PriceTask {
    /// List prices of models whose name contains one of the texts given
    Show(Show),
    /// Write the table of LiteLLM, genai-prices, models.dev or OpenRouter in the form that --prices documents
    Import(Import),
    /// Say what differs between two price tables, or between one and the built-in prices
    Diff(Diff),
}

/// Arguments of `prices show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Part of a model's name; all models without one
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// Price of one model, before all others; may be repeated
    #[arg(long, value_name = "MODEL=PRICE")]
    pub price: Vec<load::Given>,

    /// Prices that go before the configured and the built-in ones
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,

    /// Configuration, instead of agentdiag.toml in the working directory if there is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Prices as of this day, instead of the latest known
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub at: Option<u64>,

    /// Write one JSON object, agentdiag.prices.v1
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `prices import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The table
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Where to write it, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `prices diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The first table
    #[arg(value_name = "FILE")]
    pub left: PathBuf,

    /// The second table, instead of the built-in ones
    #[arg(value_name = "FILE")]
    pub right: Option<PathBuf>,

    /// Prices as of this day, instead of the latest known
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub at: Option<u64>,

    /// Write one JSON object, agentdiag.prices-diff.v1
    #[arg(long)]
    pub json: bool,
}

impl Prices {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> prices::Options {
        let mut inputs = load::Inputs::default();
        let (task, at, json) = match &self.task {
            PriceTask::Show(show) => {
                inputs.given = show.price.clone();
                inputs.prices = show.prices.clone();
                inputs.config = show.config.clone();
                (prices::Task::Show(show.names.clone()), show.at, show.json)
            }
            PriceTask::Import(import) => {
                let (file, output) = (import.file.clone(), import.output.clone());
                (prices::Task::Import { file, output }, None, false)
            }
            PriceTask::Diff(diff) => {
                let (left, right) = (diff.left.clone(), diff.right.clone());
                (prices::Task::Diff { left, right }, diff.at, diff.json)
            }
        };
        prices::Options {
            task,
            inputs,
            at,
            json,
            style: display.style(),
        }
    }
}

/// The last second of a day such as 2026-05-01.
fn day(text: &str) -> Result<u64, String> {
    let date: jiff::civil::Date = text
        .parse()
        .map_err(|_| "expected a day such as 2026-05-01".to_owned())?;
    let end = date.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC);
    let second = end.map(|end| end.timestamp().as_second());
    second
        .ok()
        .and_then(|s| u64::try_from(s).ok())
        .ok_or_else(|| "expected a day from 1970 on".to_owned())
}
