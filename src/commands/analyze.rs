//! `agentdiag analyze`: reads, rebuilds, diagnoses, sums and shows.

use std::io::Write;
use std::path::PathBuf;

use super::progress::Progress;
use crate::aggregate::{self, Aggregates, Prices};
use crate::diagnose::{self, Verdicts};
use crate::dialect::{self, Normalizer};
use crate::error::{Error, Outcome};
use crate::ingest::{self, Source};
use crate::model::{Dataset, Ledger, Severity};
use crate::render::{self, Style, terminal};
use crate::report::{Findings, Report};
use crate::trace::{self, Forest};

/// How the result is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One object, for programs.
    Json,
    /// One object per request and line.
    Ndjson,
}

/// What to analyze, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files, folders, globs, or `-` for standard input.
    pub paths: Vec<PathBuf>,
    /// How the result is written.
    pub format: Format,
    /// What makes a request slow.
    pub rule: diagnose::Options,
    /// What may be mended.
    pub repairs: trace::Options,
    /// Prices that go before the built-in ones.
    pub prices: Option<PathBuf>,
    /// Threads, instead of one per core.
    pub threads: Option<usize>,
    /// Losses and too little data are failures.
    pub strict: bool,
    /// Rows shown of a long list.
    pub top: usize,
    /// Show how far it is, on a terminal.
    pub progress: bool,
    /// Colour, width and character set.
    pub style: Style,
}

/// Everything the stages found.
struct Analysis {
    dataset: Dataset,
    forest: Forest,
    verdicts: Verdicts,
    sums: Aggregates,
}

/// Analyzes the inputs and writes the report to `out`.
///
/// # Errors
/// When nothing can be read, a price file is wrong, or `out` cannot be written.
pub fn analyze(options: &Options, out: impl Write) -> Result<Outcome, Error> {
    let prices = prices(options)?;
    let progress = Progress::new(options.progress);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .build()
        .map_err(|error| Error::Fault(error.to_string()))?;
    let analysis = pool.install(|| Analysis::of(options, &prices, &progress))?;
    progress.clear();
    let report = analysis.report(options);
    match options.format {
        Format::Text => {
            let (style, top) = (options.style, options.top);
            terminal::text(&report, terminal::Options { style, top }, out)?;
        }
        Format::Json => render::json(&report, out)?,
        Format::Ndjson => render::ndjson(&report, out)?,
    }
    Ok(report.outcome(options.strict))
}

/// Read before the inputs, so that a wrong file fails at once.
fn prices(options: &Options) -> Result<Prices, Error> {
    match &options.prices {
        None => Ok(Prices::builtin()),
        Some(path) => Prices::with_file(path).map_err(|error| Error::File(error.to_string())),
    }
}

impl Analysis {
    fn of(options: &Options, prices: &Prices, progress: &Progress) -> Result<Self, Error> {
        let mut dataset = read(options, progress)?;
        progress.stage("rebuilding traces");
        let forest = Forest::build(&mut dataset, &options.repairs);
        progress.stage("diagnosing and adding up");
        let (verdicts, sums) = rayon::join(
            || diagnose::diagnose(&dataset, &forest, &options.rule),
            || aggregate::summarise(&dataset, &forest, prices),
        );
        let sums = sums.map_err(|error| Error::Fault(error.to_string()))?;
        Ok(Self {
            dataset,
            forest,
            verdicts,
            sums,
        })
    }

    fn report<'a>(&'a self, options: &'a Options) -> Report<'a> {
        Report::assemble(Findings {
            dataset: &self.dataset,
            forest: &self.forest,
            diagnoses: &self.verdicts.diagnoses,
            incidents: &self.verdicts.incidents,
            notes: &self.verdicts.notes,
            sums: &self.sums,
            rule: &options.rule,
        })
    }
}

/// Reads every input into one dataset; what each worker read is joined in any order.
fn read(options: &Options, progress: &Progress) -> Result<Dataset, Error> {
    let how = ingest::Options {
        threads: options.threads,
        ..ingest::Options::default()
    };
    let mut sources = Source::find(&options.paths);
    // It may lie beside the exports.
    if let Some(prices) = &options.prices {
        sources.retain(|source| !source.is_at(prices));
    }
    let reading = ingest::read_all(sources, &how, Normalizer::new, progress);
    if reading.readable == 0 {
        let names: Vec<&str> = reading
            .inputs
            .iter()
            .map(|input| input.path.as_str())
            .collect();
        return Err(Error::NoInput(reasons(&names, &reading.ledger)));
    }
    let parts = reading.sinks.into_iter().map(Normalizer::finish);
    let mut dataset = parts
        .reduce(|mut all, part| {
            all.absorb(part);
            all
        })
        .unwrap_or_default();
    dialect::merge_series(&mut dataset);
    dataset.inputs = reading.inputs;
    dataset.ledger.absorb(reading.ledger);
    Ok(dataset)
}

/// Why nothing could be read: one line for each issue with a whole input.
fn reasons(names: &[&str], ledger: &Ledger) -> Vec<String> {
    let fatal = ledger
        .iter()
        .filter(|(kind, ..)| kind.severity() == Severity::Error);
    fatal
        .map(|(kind, file, tally)| {
            let name = names.get(file as usize).copied().unwrap_or("?");
            format!("  {name}: {} ({})", tally.detail, kind.hint())
        })
        .collect()
}
