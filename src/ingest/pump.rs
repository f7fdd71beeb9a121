//! Moves records from files to sinks: a few threads read, unpack and cut, as many as allowed
//! decode, and a bounded queue between them keeps memory small.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use hashbrown::HashMap;

use super::feed::Spare;
use super::formats::{Chunk, Format};
use super::limits::Limits;
use super::open::{Opened, Plan};
use super::outlet::Outlet;
use super::sink::Sink;
use super::source::Source;
use super::taken::TakenAt;
use crate::model::{Input, Ledger};
use crate::units::Nanos;

/// Unpacking is what a reading thread spends its time on; more than these do not help a disk.
const READERS: usize = 4;

/// A thread more decodes for this many stored bytes: starting one takes as long as decoding some of them.
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
    /// Decoding threads, and so sinks; when `None` as many as rayon uses, or fewer for little input.
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
    let threads = options
        .threads
        .unwrap_or_else(rayon::current_num_threads)
        .max(1);
    let spare = Spare::default();
    let plan = Plan::new(sources, options, progress, &spare);
    let decoders = match options.threads {
        Some(_) => threads,
        None => plan.decoders(threads),
    };
    if options.threads.is_none() && plan.is_little() {
        let mut decoder = Decoder::new(make(), &spare, progress);
        let opened = plan.read_some(&mut |job| {
            decoder.decode(job);
            true
        });
        return merge(plan.len(), opened.into_iter(), vec![decoder.done()]);
    }
    let (send, receive) = sync_channel::<Job>(threads + 2);
    let receive = Mutex::new(receive);
    let (opened, decoded) = thread::scope(|scope| {
        let decode_all = || Decoder::new(make(), &spare, progress).decode_all(&receive);
        // This thread decodes as well.
        let decoders: Vec<_> = (1..decoders).map(|_| scope.spawn(decode_all)).collect();
        let readers: Vec<_> = (0..threads.min(READERS).min(plan.len()))
            .map(|_| {
                let (send, plan) = (send.clone(), &plan);
                scope.spawn(move || plan.read_some(&mut |job| send.send(job).is_ok()))
            })
            .collect();
        drop(send);
        let mut decoded = vec![decode_all()];
        decoded.append(&mut join(decoders));
        (join(readers), decoded)
    });
    merge(plan.len(), opened.into_iter().flatten(), decoded)
}

/// A chunk and the format that decodes it.
pub(super) struct Job {
    pub(super) format: &'static Format,
    pub(super) chunk: Chunk,
    /// When its file was taken, as far as the user said so.
    pub(super) taken: Option<Nanos>,
    pub(super) limits: Limits,
}

fn join<T>(threads: Vec<thread::ScopedJoinHandle<'_, T>>) -> Vec<T> {
    threads
        .into_iter()
        .map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
        .collect()
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

    /// Until no more will come.
    fn decode_all(mut self, jobs: &Mutex<Receiver<Job>>) -> (S, Counts) {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match job {
                Ok(job) => self.decode(job),
                Err(_) => return self.done(),
            }
        }
    }

    fn done(self) -> (S, Counts) {
        (self.sink, self.counts)
    }
}

fn merge<S>(
    sources: usize,
    opened: impl Iterator<Item = Opened>,
    decoded: Vec<(S, Counts)>,
) -> Reading<S> {
    let mut reading = Reading {
        sinks: Vec::with_capacity(decoded.len()),
        inputs: vec![Input::default(); sources],
        ledger: Ledger::default(),
        readable: 0,
    };
    for Opened {
        file,
        input,
        ledger,
        readable,
    } in opened
    {
        if let Some(slot) = reading.inputs.get_mut(file as usize) {
            *slot = input;
        }
        reading.ledger.absorb(ledger);
        reading.readable += usize::from(readable);
    }
    for (sink, counts) in decoded {
        reading.sinks.push(sink);
        for (file, count) in counts {
            if let Some(input) = reading.inputs.get_mut(file as usize) {
                input.add_counts(&count);
            }
        }
    }
    reading
}
