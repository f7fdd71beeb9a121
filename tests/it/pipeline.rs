//! The whole pipeline through the library: from bytes to verdicts, as `analyze` runs it.

use agentdiag::diagnose::{self, Verdicts};
use agentdiag::dialect::{self, Normalizer};
use agentdiag::ingest::{self, Source};
use agentdiag::model::Dataset;
use agentdiag::trace::{self, Forest};

/// What every stage found.
pub(crate) struct Run {
    pub(crate) data: Dataset,
    pub(crate) forest: Forest,
    pub(crate) verdicts: Verdicts,
}

/// Reads without rebuilding.
pub(crate) fn read(sources: Vec<Source>, threads: usize) -> Dataset {
    let how = ingest::Options {
        threads: Some(threads),
        ..ingest::Options::default()
    };
    let reading = ingest::read_all(sources, &how, Normalizer::new, &());
    let mut data = Dataset::default();
    for sink in reading.sinks {
        data.absorb(sink.finish());
    }
    dialect::merge_series(&mut data);
    data.inputs = reading.inputs;
    data.ledger.absorb(reading.ledger);
    data
}

/// All stages over what was read.
pub(crate) fn over(mut data: Dataset) -> Run {
    let rule = diagnose::Options::default();
    let forest = Forest::build(&mut data, &trace::Options::default());
    let verdicts = diagnose::diagnose(&data, &forest, &rule);
    Run {
        data,
        forest,
        verdicts,
    }
}

/// All stages.
pub(crate) fn run(sources: Vec<Source>, threads: usize) -> Run {
    over(read(sources, threads))
}
