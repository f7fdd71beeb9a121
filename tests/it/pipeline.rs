//! The whole pipeline through the library: from bytes to verdicts, as `analyze` runs it.

use agentdiag::aggregate::{self, Aggregates, Prices};
use agentdiag::diagnose::{self, Verdicts};
use agentdiag::dialect::{self, Normalizer};
use agentdiag::ingest::{self, Source};
use agentdiag::model::Dataset;
use agentdiag::render::{self, Style, terminal};
use agentdiag::report::{Findings, Report};
use agentdiag::trace::{self, Forest};

/// What every stage found.
pub(crate) struct Run {
    pub(crate) data: Dataset,
    pub(crate) forest: Forest,
    pub(crate) verdicts: Verdicts,
    pub(crate) sums: Aggregates,
    rule: diagnose::Options,
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
    dialect::choose_signal(&mut data);
    data.inputs = reading.inputs;
    data.ledger.absorb(reading.ledger);
    data
}

/// All stages over what was read.
pub(crate) fn over(mut data: Dataset) -> Run {
    let rule = diagnose::Options::default();
    let forest = Forest::build(&mut data, &trace::Options::default());
    let verdicts = diagnose::diagnose(&data, &forest, &rule);
    let sums = aggregate::summarise(&data, &forest, &Prices::builtin());
    Run {
        data,
        forest,
        verdicts,
        sums,
        rule,
    }
}

/// All stages.
pub(crate) fn run(sources: Vec<Source>, threads: usize) -> Run {
    over(read(sources, threads))
}

impl Run {
    pub(crate) fn report(&self) -> Report<'_> {
        Report::assemble(Findings {
            dataset: &self.data,
            forest: &self.forest,
            diagnoses: &self.verdicts.diagnoses,
            incidents: &self.verdicts.incidents,
            notes: &self.verdicts.notes,
            sums: &self.sums,
            rule: &self.rule,
        })
    }

    /// The report as `--format json` and as text.
    pub(crate) fn pages(&self) -> [String; 2] {
        let (mut json, mut text) = (Vec::new(), Vec::new());
        let options = terminal::Options {
            style: Style::PLAIN,
            top: 10,
        };
        render::json(&self.report(), &mut json).expect("written to memory");
        terminal::text(&self.report(), options, &mut text).expect("written to memory");
        [json, text].map(|page| String::from_utf8(page).expect("UTF-8"))
    }
}
