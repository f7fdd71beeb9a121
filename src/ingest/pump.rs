//! Moves records from files to sinks, on as many threads as allowed.

use std::fs;
use std::path::PathBuf;
use std::thread;

use hashbrown::HashMap;

use super::feed::Spare;
use super::formats::{Chunk, Format};
use super::limits::Limits;
use super::open::Plan;
use super::outlet::Outlet;
use super::sink::Sink;
use super::source::Source;
use super::stream::Opened;
use super::taken::TakenAt;
use super::turns::Turns;
use crate::model::{Input, Ledger};
use crate::units::Nanos;

/// A thread more is started for this many stored bytes: that takes as long as decoding some of them.
pub(super) const WORTH_A_THREAD: u64 = 1 << 17;

/// True when `paths` are plain files, and together so small that other threads are not worth starting.
#[must_use]
pub fn is_little(paths: &[PathBuf]) -> bool {
    let lengths = paths.iter().map(|path| {
        let file = fs::metadata(path).ok().filter(fs::Metadata::is_file);
        file.map(|file| file.len())
    });
    let total: Option<u64> = lengths.sum();
    total.is_some_and(|bytes| bytes < WORTH_A_THREAD)
}

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads, and so sinks; when `None` as many as rayon uses, or fewer for little input.
    pub threads: Option<usize>,
    /// Records larger than this many bytes are skipped.
    pub max_record: usize,
    /// Unpacked bytes taken from one input at most.
    pub max_unpacked: u64,
    /// When files were taken whose records carry no time.
    pub taken: Vec<TakenAt>,
    /// What else an input may not exceed.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: None,
            max_record: 1 << 29,
            max_unpacked: u64::MAX,
            taken: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// Is told how far reading has come. Called from several threads.
pub trait Progress: Sync {
    /// `read` bytes of the files as stored were read so far, of `total` (`None` when an input's
    /// size is not known beforehand).
    fn advance(&self, read: u64, total: Option<u64>);

    /// So many more spans were taken.
    fn took(&self, spans: u64) {
        let _ = spans;
    }

    /// False when what was taken is enough: soon after that reading ends.
    fn goes_on(&self) -> bool {
        true
    }
}

impl Progress for () {
    fn advance(&self, _: u64, _: Option<u64>) {}
}

/// What reading gave.
#[derive(Debug)]
pub struct Reading<S> {
    /// At most one per thread. Which records a sink got differs from run to run; all of them together
    /// got every record once.
    pub sinks: Vec<S>,
    /// One per source, in order.
    pub inputs: Vec<Input>,
    /// What happened to whole inputs; what happened to records is in the sinks' own ledgers.
    pub ledger: Ledger,
    /// How many inputs were of a readable format.
    pub readable: usize,
}

/// Reads all of `sources`. Every record goes to one of the sinks that `make` builds; sinks must
/// be merged in a way that does not depend on their order.
pub fn read_all<S: Sink>(
    sources: Vec<Source>,
    options: &Options,
    make: impl Fn() -> S + Sync,
    progress: &dyn Progress,
) -> Reading<S> {
    let spare = Spare::default();
    let plan = Plan::new(sources, options, progress, &spare);
    let threads = match options.threads {
        Some(threads) => threads.max(1),
        None => plan.threads(rayon::current_num_threads().max(1)),
    };
    let turns = Turns::new(&plan);
    let read = || {
        let mut decoder = Decoder::new(make(), &spare, progress);
        let opened = turns.take(&mut |job| decoder.decode(job));
        (opened, decoder.sink, decoder.counts)
    };
    let parts = thread::scope(|scope| {
        // This thread reads as well.
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(read)).collect();
        let mut parts = vec![read()];
        parts.extend(others.into_iter().map(|other| {
            let part = other.join();
            part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }));
        parts
    });
    merge(plan.len(), parts)
}

/// A chunk and the format that decodes it.
pub(super) struct Job {
    pub(super) format: &'static Format,
    pub(super) chunk: Chunk,
    /// When its file was taken, as far as the user said so.
    pub(super) taken: Option<Nanos>,
    pub(super) limits: Limits,
}

type Counts = HashMap<u32, Input>;

/// Decodes chunks into one sink.
struct Decoder<'s, S> {
    sink: S,
    counts: Counts,
    spare: &'s Spare,
    progress: &'s dyn Progress,
}

impl<'s, S: Sink> Decoder<'s, S> {
    fn new(sink: S, spare: &'s Spare, progress: &'s dyn Progress) -> Self {
        Self {
            sink,
            counts: Counts::new(),
            spare,
            progress,
        }
    }

    fn decode(&mut self, job: Job) {
        let Job {
            format,
            chunk,
            taken,
            limits,
        } = job;
        let count = self.counts.entry(chunk.file).or_default();
        let before = count.spans;
        let mut out = Outlet::new(&mut self.sink, count, chunk.file, chunk.offset)
            .taken_at(taken)
            .within(limits);
        (format.decode)(&chunk, &mut out);
        let taken = count.spans.saturating_sub(before);
        self.progress.took(taken);
        self.spare.give(chunk.bytes);
    }
}

/// What one thread read: inputs that it read to their end, and records of any.
type Part<S> = (Vec<Opened>, S, Counts);

fn merge<S>(sources: usize, parts: Vec<Part<S>>) -> Reading<S> {
    let mut reading = Reading {
        sinks: Vec::with_capacity(parts.len()),
        inputs: vec![Input::default(); sources],
        ledger: Ledger::default(),
        readable: 0,
    };
    let mut counts = Vec::with_capacity(parts.len());
    for (opened, sink, counted) in parts {
        for one in opened {
            if let Some(slot) = reading.inputs.get_mut(one.file as usize) {
                *slot = one.input;
            }
            reading.ledger.absorb(one.ledger);
            reading.readable += usize::from(one.readable);
        }
        reading.sinks.push(sink);
        counts.push(counted);
    }
    for (file, count) in counts.into_iter().flatten() {
        if let Some(input) = reading.inputs.get_mut(file as usize) {
            input.add_counts(&count);
        }
    }
    reading
}
