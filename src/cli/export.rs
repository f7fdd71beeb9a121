//! Arguments of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Display, Inputs, Slow};
use crate::commands::export;
use crate::units::Nanos;

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Export {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// What to write: parquet or csv (tables of requests, calls, spans and contributions), otlp
    /// (OTLP/JSON lines with the verdicts as attributes named agentdiag.*), or openmetrics (the metrics of an instrumented
    /// agent, derived from spans, beside those recorded)
    ///
    /// Of openmetrics, a recorded metric gives way to a derived one of the same name, and recorded histograms come as
    /// summaries of sum and count.
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub to: To,

    /// Write this table only: requests, calls, spans or contributions
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    pub table: Option<Table>,

    /// Time between samples of derived metrics (openmetrics only)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::replay::interval)]
    pub step: Nanos,

    /// Where to: a folder for all tables, else a file instead of standard output
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,

    /// What is slow.
    #[command(flatten)]
    pub slow: Slow,
}

impl Export {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> export::Options {
        export::Options {
            inputs: self.slow.with_baseline(self.inputs.options(display)),
            rule: self.slow.rule(),
            to: match self.to {
                To::Parquet => export::To::Parquet,
                To::Csv => export::To::Csv,
                To::Otlp => export::To::Otlp,
                To::Openmetrics => export::To::OpenMetrics { step: self.step },
            },
            table: self.table.map(|table| match table {
                Table::Requests => export::Table::Requests,
                Table::Calls => export::Table::Calls,
                Table::Spans => export::Table::Spans,
                Table::Contributions => export::Table::Contributions,
            }),
            output: self.output.clone(),
        }
    }
}

/// What to write.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum To {
    /// Tables as Parquet files.
    Parquet,
    /// Tables as CSV files.
    Csv,
    /// OTLP/JSON lines with the verdicts written back.
    Otlp,
    /// Metrics as OpenMetrics text with times.
    Openmetrics,
}

/// A table.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Table {
    /// One row per request.
    Requests,
    /// One row per model or tool call.
    Calls,
    /// One row per span.
    Spans,
    /// One row per slow request and cause.
    Contributions,
}

const EXAMPLES: &str = "\
Examples:
  agentdiag export --to parquet -o tables/ exports/
  duckdb -c \"SELECT cause, count(*), sum(excess_ms) FROM 'tables/requests.parquet' WHERE slow GROUP BY 1\"
  agentdiag export --to csv --table contributions exports/ > contributions.csv
  agentdiag export --to otlp -o judged.jsonl exports/
  agentdiag export --to openmetrics -o metrics.txt exports/
  promtool tsdb create-blocks-from openmetrics metrics.txt data/";
