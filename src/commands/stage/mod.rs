//! `agentdiag stage`: the pipe cut into filters, for engines and shells that spread the work.

mod across;
mod facts;
mod learn;
mod merge;
mod rows;
mod verdict;
mod windows;

use std::io::Write;

pub use facts::Facts;
pub use learn::Learn;
pub use merge::Merge;
pub use verdict::Verdict;
pub use windows::Windows;

use crate::commands::analyze;
use crate::error::{Error, Outcome};
use std::path::PathBuf;

/// Which stage to run.
#[derive(Clone, Debug)]
pub enum Stage {
    /// A file to rows by trace id.
    Facts(Facts),
    /// Rows of whole traces to requests.
    Learn(Learn),
    /// What partitions say about each other's traces, to what they are asked next.
    Across(Across),
    /// Requests of all partitions to what their verdicts need from each other.
    Windows(Windows),
    /// Requests to verdicts.
    Verdict(Verdict),
    /// The driver for Spark, written out.
    SparkDriver,
    /// Requests and verdicts to the report.
    Merge(Merge),
}

/// What partitions said, and what they had been asked.
#[derive(Clone, Debug)]
pub struct Across {
    /// Their answers.
    pub paths: Vec<PathBuf>,
    /// The question; without one, the first.
    pub state: Option<PathBuf>,
    /// Where the next one goes.
    pub output: PathBuf,
}

/// Runs one stage; its stream goes to `out`.
///
/// # Errors
/// When a stream cannot be read or written.
pub fn stage(stage: &Stage, out: impl Write) -> Result<Outcome, Error> {
    match stage {
        Stage::Facts(options) => facts::facts(options, out),
        Stage::Learn(options) => learn::learn(options, out),
        Stage::Across(options) => across::across(options, out),
        Stage::Windows(options) => windows::windows(options, out),
        Stage::Verdict(options) => verdict::verdict(options, out),
        Stage::SparkDriver => driver(out),
        Stage::Merge(options) => merge::merge(options, out),
    }
}

fn driver(mut out: impl Write) -> Result<Outcome, Error> {
    out.write_all(crate::stage::spark_driver().as_bytes())?;
    Ok(Outcome::Done)
}

/// The threads asked for. One is the one at hand: another would have memory of its own, and not use what this one freed.
fn pool(threads: Option<usize>) -> Result<rayon::ThreadPool, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0));
    let pool = match threads {
        Some(1) => pool.use_current_thread(),
        _ => pool,
    };
    pool.build()
        .map_err(|error| Error::Fault(error.to_string()))
}

/// The options of `analyze` that a report is made with.
pub type Shown = analyze::Options;
