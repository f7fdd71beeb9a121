//! Reading a dump and rebuilding its requests: what every subcommand starts with.

use std::fmt;
use std::path::PathBuf;

use super::progress::Progress;
use super::room::Room;
pub use crate::aggregate::Given;
use crate::aggregate::{self, Aggregates, Config, Prices, Source as PriceSource};
use crate::dialect::{self, Normalizer};
use crate::error::Error;
use crate::ingest::{self, Source};
pub use crate::ingest::{Limits, TakenAt};
use crate::model::{Dataset, Ledger, Redaction, Severity};
use crate::saved::Saved;
use crate::trace::{self, Forest};

/// Name of the configuration file that is looked for in the working directory.
const CONFIG: &str = "agentdiag.toml";

/// What to read, and how to mend it.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Files, folders, globs, or `-` for standard input.
    pub paths: Vec<PathBuf>,
    /// Prices of single models: they go before all others.
    pub given: Vec<Given>,
    /// Prices that go before the configured and the built-in ones.
    pub prices: Option<PathBuf>,
    /// Configuration file, instead of `agentdiag.toml` in the working directory.
    pub config: Option<PathBuf>,
    /// When files were taken whose records carry no time.
    pub taken: Vec<TakenAt>,
    /// What was learned from a healthy period.
    pub baseline: Option<PathBuf>,
    /// Files that may lie among the exports and are none of them.
    pub aside: Vec<PathBuf>,
    /// What an input may not exceed, instead of what is usual.
    pub limits: Option<Limits>,
    /// Largest record in bytes, instead of what is usual.
    pub max_record: Option<usize>,
    /// Threads, instead of one per core.
    pub threads: Option<usize>,
    /// Memory that the run may take, bytes; as much as it needs where not said.
    pub max_memory: Option<u64>,
    /// What may be mended.
    pub repairs: trace::Options,
    /// Also read the buckets of histograms, which only alert rules look at.
    pub buckets: bool,
    /// Whether ids of people and customers are shown as digests.
    pub redact: Option<Redact>,
    /// Show how far it is, on a terminal.
    pub progress: bool,
}

/// The key of digests shown instead of ids.
#[derive(Clone)]
pub enum Redact {
    /// A key of this run alone, which nobody knows.
    Once,
    /// This one.
    With(String),
}

impl fmt::Debug for Redact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Once => "Once",
            Self::With(_) => "With(kept secret)",
        })
    }
}

impl Redact {
    fn redaction(&self) -> Result<Redaction, Error> {
        match self {
            Self::With(key) => Ok(Redaction::with_key(key.as_bytes())),
            Self::Once => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(|error| {
                    Error::Fault(format!("no random key for --redact: {error}"))
                })?;
                Ok(Redaction::with_key(&key))
            }
        }
    }
}

impl Inputs {
    /// Prices, read before the dump, so that a wrong file fails at once.
    ///
    /// # Errors
    /// When the price file cannot be read or understood.
    pub(super) fn prices(&self) -> Result<Prices, Error> {
        let refused = |error: crate::aggregate::PriceError| Error::File(error.to_string());
        let mut prices = Prices::builtin();
        prices.add_given(&self.given);
        if let Some(path) = &self.prices {
            prices.add_file(path, PriceSource::File).map_err(refused)?;
        }
        let here = PathBuf::from(CONFIG);
        let config = self
            .config
            .clone()
            .or_else(|| here.is_file().then_some(here));
        if let Some(path) = config {
            let config = Config::read(&path).map_err(refused)?;
            prices.add_config(&config).map_err(refused)?;
        }
        Ok(prices)
    }

    /// What a healthy period says, read before the dump as well.
    ///
    /// # Errors
    /// When the file cannot be read or is no baseline.
    pub(super) fn saved(&self) -> Result<Option<Saved>, Error> {
        let read = |path: &PathBuf| Saved::read(path);
        let saved = self.baseline.as_ref().map(read).transpose();
        saved.map_err(|error| Error::File(error.to_string()))
    }

    /// The memory that may be used.
    pub(super) fn room(&self) -> Room {
        Room(self.max_memory)
    }

    /// What there is to read: neither the prices nor anything else set aside.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source> {
        let aside: Vec<&PathBuf> = self
            .aside
            .iter()
            .chain(&self.prices)
            .chain(&self.baseline)
            .collect();
        let found = Source::find(&self.paths).into_iter();
        found.filter(move |source| !aside.iter().any(|path| source.is_at(path)))
    }

    /// The threads asked for.
    ///
    /// # Errors
    /// When they cannot be started.
    pub(super) fn pool(&self) -> Result<rayon::ThreadPool, Error> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.unwrap_or(0))
            .build()
            .map_err(|error| Error::Fault(error.to_string()))
    }

    /// Replaces ids of people by digests, where asked for.
    ///
    /// # Errors
    /// When there is no randomness for a key.
    pub(super) fn redact(&self, dataset: &mut Dataset) -> Result<(), Error> {
        if let Some(redact) = &self.redact {
            redact.redaction()?.apply(dataset);
        }
        Ok(())
    }

    /// Runs `work` on the threads asked for.
    ///
    /// # Errors
    /// When the threads cannot be started, or those of `work`.
    pub(super) fn on_threads<T: Send>(
        &self,
        work: impl FnOnce(&Progress) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let progress = Progress::new(self.progress).up_to(self.room().spans());
        let pool = match self.threads.is_none() && ingest::is_little(&self.paths) {
            true => alone(),
            false => None,
        };
        let pool = pool.map_or_else(|| self.pool(), Ok)?;
        let done = pool.install(|| work(&progress));
        progress.clear();
        done
    }
}

/// This thread alone, unless it is at work for others already.
fn alone() -> Option<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.use_current_thread().build().ok()
}

/// A dump that was read, and its requests.
pub(super) struct Loaded {
    pub(super) dataset: Dataset,
    pub(super) forest: Forest,
}

impl Loaded {
    /// Reads every input and rebuilds the requests.
    ///
    /// # Errors
    /// When nothing can be read.
    pub(super) fn read(inputs: &Inputs, progress: &Progress) -> Result<Self, Error> {
        let mut dataset = read(inputs, progress)?;
        inputs.room().holds(&dataset)?;
        inputs.redact(&mut dataset)?;
        progress.stage("rebuilding traces");
        let forest = Forest::build(&mut dataset, &inputs.repairs);
        Ok(Self { dataset, forest })
    }

    /// Cost, latency, drift and what else is a sum over requests.
    pub(super) fn sums(&self, prices: &Prices) -> Aggregates {
        aggregate::summarise(&self.dataset, &self.forest, prices)
    }
}

/// Reads every input into one dataset, and says how many could be read; what each worker read is joined in any
/// order. What depends on all of them together is left to [`read`].
pub(super) fn take(inputs: &Inputs, progress: &Progress) -> (Dataset, usize) {
    let usual = ingest::Options::default();
    let how = ingest::Options {
        threads: inputs.threads,
        taken: inputs.taken.clone(),
        limits: inputs.limits.unwrap_or_default(),
        max_record: inputs.max_record.unwrap_or(usual.max_record),
        ..usual
    };
    let normalizer = match inputs.buckets {
        true => || Normalizer::new().taking_buckets(),
        false => Normalizer::new,
    };
    let sources = inputs.sources().collect();
    let reading = ingest::read_all(sources, &how, normalizer, progress);
    let parts = reading.sinks.into_iter().map(Normalizer::finish);
    let mut dataset = parts
        .reduce(|mut all, part| {
            all.absorb(part);
            all
        })
        .unwrap_or_default();
    dataset.inputs = reading.inputs;
    dataset.ledger.absorb(reading.ledger);
    (dataset, reading.readable)
}

fn read(inputs: &Inputs, progress: &Progress) -> Result<Dataset, Error> {
    let (mut dataset, readable) = take(inputs, progress);
    any_readable(&dataset, readable as u64)?;
    dialect::merge_series(&mut dataset);
    dialect::choose_signal(&mut dataset);
    Ok(dataset)
}

/// That there was something to read.
///
/// # Errors
/// When nothing was readable, with the reason for each input.
pub(super) fn any_readable(dataset: &Dataset, readable: u64) -> Result<(), Error> {
    if readable > 0 {
        return Ok(());
    }
    let inputs = dataset.inputs.iter();
    let names: Vec<&str> = inputs.map(|input| input.path.as_str()).collect();
    Err(Error::NoInput(reasons(&names, &dataset.ledger)))
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
