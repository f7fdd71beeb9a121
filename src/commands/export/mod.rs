//! `agentdiag export`: the result for other programs, one file per target.

mod openmetrics;
mod otlp;
mod tables;

use std::io::Write;
use std::path::PathBuf;

use super::analysis::Analysis;
use super::load::Inputs;
use super::output::write_file;
use crate::diagnose;
use crate::error::{Error, Outcome};
pub use crate::report::tables::Table;
use crate::units::Nanos;

/// Said by a build without polars.
const NO_PARQUET: &str =
    "this build cannot write Parquet: take --to csv, or a build with the feature parquet-export";

/// What to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// Tables as Parquet files.
    Parquet,
    /// Tables as CSV files.
    Csv,
    /// The dump as OTLP/JSON lines, with the verdicts written back.
    Otlp,
    /// Metrics as `OpenMetrics` text, read off at this interval.
    OpenMetrics {
        /// Between samples.
        step: Nanos,
    },
}

/// What to export, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to read.
    pub inputs: Inputs,
    /// What makes a request slow.
    pub rule: diagnose::Options,
    /// What to write.
    pub to: To,
    /// The one table to write, instead of all.
    pub table: Option<Table>,
    /// A folder for all tables, a file for anything else.
    pub output: Option<PathBuf>,
}

/// Exports the inputs to files, or to `out` where there is one file and none is named.
///
/// # Errors
/// When the options do not fit, nothing can be read, or the result cannot be written.
pub fn export(options: &Options, mut out: impl Write) -> Result<Outcome, Error> {
    if options.to == To::Parquet && !cfg!(feature = "parquet-export") {
        return Err(Error::Usage(NO_PARQUET.to_owned()));
    }
    let tables = matches!(options.to, To::Parquet | To::Csv);
    if tables && options.table.is_none() && options.output.is_none() {
        return Err(Error::Usage(
            "four tables need a folder: name one with --output DIR, or choose one table with --table"
                .to_owned(),
        ));
    }
    if !tables && options.table.is_some() {
        return Err(Error::Usage(
            "--table goes with --to parquet or --to csv".to_owned(),
        ));
    }
    if let To::OpenMetrics { step } = options.to {
        return openmetrics::write(&options.inputs, step, options.output.as_deref(), out);
    }
    let analysis = Analysis::run(&options.inputs, options.rule)?;
    let report = analysis.report();
    match (tables, options.table, &options.output) {
        (true, None, Some(folder)) => tables::all(&report, options.to, folder)?,
        (true, Some(table), Some(path)) => {
            write_file(path, |file| tables::one(&report, options.to, table, file))?;
        }
        (true, Some(table), None) => tables::one(&report, options.to, table, &mut out)?,
        (_, _, Some(path)) => write_file(path, |file| otlp::write(&report, file))?,
        (_, _, None) => otlp::write(&report, &mut out)?,
    }
    Ok(report.outcome(false))
}
