//! What ends a whole run, and the exit codes.
//!
//! A damaged part of an input never ends a run: it is counted in the ledger of the dataset.

mod contained;

use std::io;

pub use contained::{contain, contains_panics};

/// Exit codes, part of the contract with scripts and CI jobs.
pub mod exit {
    /// Done. Finding slow requests is success.
    pub const DONE: u8 = 0;
    /// A budget is broken, or an alert fired that should fail the run.
    pub const BROKEN: u8 = 1;
    /// Usage error, or no readable input; under `--strict` also any part of the input lost.
    pub const UNUSABLE: u8 = 2;
    /// Not enough data to judge; only under `--strict`.
    pub const TOO_LITTLE: u8 = 3;
}

/// How a run that came to its end went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Everything asked for was done.
    Done,
    /// A budget is broken, or an alert fired that should fail the run.
    Broken,
    /// The same, with the exit code that the user asked for.
    BrokenAs(u8),
    /// Part of the input is lost, and the user asked to be strict about it.
    Damaged,
    /// There was not enough data to judge, and the user asked to be strict about it.
    TooLittle,
}

impl Outcome {
    /// The exit code that says so.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => exit::DONE,
            Self::Broken => exit::BROKEN,
            Self::BrokenAs(code) => code,
            Self::Damaged => exit::UNUSABLE,
            Self::TooLittle => exit::TOO_LITTLE,
        }
    }
}

/// Why a run could not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments do not make sense together.
    #[error("{0}")]
    Usage(String),
    /// Nothing among the inputs could be read. One line per input says why.
    #[error("no readable input\n{}", .0.join("\n"))]
    NoInput(Vec<String>),
    /// A file that is needed besides the inputs (prices, a baseline) could not be used.
    #[error("{0}")]
    File(String),
    /// What is to be recorded is not there.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of the program, not of its input.
    #[error("internal fault, please report it: {0}")]
    Fault(String),
    /// The result could not be written.
    #[error("cannot write the result: {0}")]
    Write(#[from] io::Error),
}

impl Error {
    /// The exit code that says so.
    #[must_use]
    pub fn code(&self) -> u8 {
        exit::UNUSABLE
    }

    /// True when whoever read our output has gone away (`agentdiag … | head`): not a failure.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        let gone = Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        let full = Error::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(gone.is_broken_pipe() && !full.is_broken_pipe());
        assert_eq!(full.code(), exit::UNUSABLE);
    }
}
