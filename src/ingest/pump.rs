//! Moves records from files to sinks: a few threads read, unpack and cut, as many as allowed
//! decode, and a bounded queue between them keeps memory small.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use hashbrown::HashMap;

use super::feed::Feed;
use super::formats::{Chunk, Format};
use super::outlet::Outlet;
use super::sink::Sink;
use super::sniff::{HEAD, Verdict, sniff};
use super::source::{Refusal, Source, reason};
use super::split::Splitter;
use super::unpack::{Bytes, unpack};
use crate::model::{Input, Issue, IssueKind, Ledger, Place};

/// Unpacking is what a reading thread spends its time on; more than these do not help a disk.
const READERS: usize = 4;

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decoding threads, and so sinks; as many as rayon uses when `None`.
    pub threads: Option<usize>,
    /// Records larger than this many bytes are skipped.
    pub max_record: usize,
    /// Unpacked bytes taken from one input at most.
    pub max_unpacked: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: None,
            max_record: 1 << 29,
            max_unpacked: u64::MAX,
        }
    }
}

/// Is told how far reading has come. Called from several threads.
pub trait Progress: Sync {
    /// `read` bytes of the files as stored were read so far, of `total` (`None` when an input's
    /// size is not known beforehand).
    fn advance(&self, read: u64, total: Option<u64>);
}

impl Progress for () {
    fn advance(&self, _: u64, _: Option<u64>) {}
}

/// What reading gave.
#[derive(Debug)]
pub struct Reading<S> {
    /// One per thread. Which records a sink got differs from run to run; all of them together
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
    let total = sources.iter().map(Source::size).sum();
    let plan = Plan {
        options,
        progress,
        total,
        read: AtomicU64::new(0),
        next: AtomicUsize::new(0),
        sources: sources.into_iter().map(|s| Mutex::new(Some(s))).collect(),
    };
    let (send, receive) = sync_channel::<Job>(threads + 2);
    let receive = Mutex::new(receive);
    let (opened, decoded) = thread::scope(|scope| {
        let decoders: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| decode_all(&receive, make())))
            .collect();
        let readers: Vec<_> = (0..threads.min(READERS).min(plan.sources.len()))
            .map(|_| {
                let send = send.clone();
                scope.spawn(|| plan.read_some(send))
            })
            .collect();
        drop(send);
        (join(readers), join(decoders))
    });
    merge(plan.sources.len(), opened.into_iter().flatten(), decoded)
}

/// A chunk and the format that decodes it.
struct Job {
    format: &'static Format,
    chunk: Chunk,
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

fn decode_all<S: Sink>(jobs: &Mutex<Receiver<Job>>, mut sink: S) -> (S, Counts) {
    let mut counts = Counts::new();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { format, chunk }) = job else {
            return (sink, counts);
        };
        let count = counts.entry(chunk.file).or_default();
        let mut out = Outlet::new(&mut sink, count, chunk.file, chunk.offset);
        (format.decode)(&chunk, &mut out);
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
                input.spans += count.spans;
                input.points += count.points;
                input.logs += count.logs;
                input.events += count.events;
            }
        }
    }
    reading
}

/// What the reading threads share.
struct Plan<'p> {
    options: &'p Options,
    progress: &'p dyn Progress,
    total: Option<u64>,
    read: AtomicU64,
    next: AtomicUsize,
    sources: Vec<Mutex<Option<Source>>>,
}

/// What became of one source.
struct Opened {
    file: u32,
    input: Input,
    ledger: Ledger,
    readable: bool,
}

impl Opened {
    fn issue(&mut self, kind: IssueKind, offset: Option<u64>, detail: String) {
        self.ledger.add(Issue {
            kind,
            place: Place::at(self.file, offset.unwrap_or(0)),
            offset,
            detail,
        });
    }
}

impl Plan<'_> {
    fn read_some(&self, send: SyncSender<Job>) -> Vec<Opened> {
        let mut opened = Vec::new();
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(slot) = self.sources.get(index) else {
                return opened;
            };
            let source = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(source) = source {
                opened.push(self.read_one(index as u32, source, &send));
            }
        }
    }

    fn read_one(&self, file: u32, source: Source, send: &SyncSender<Job>) -> Opened {
        let mut opened = Opened {
            file,
            input: Input {
                path: source.name().to_owned(),
                format: "not read".into(),
                ..Input::default()
            },
            ledger: Ledger::default(),
            readable: false,
        };
        let found = source.is_found();
        match source.open() {
            Ok(bytes) => self.read_stream(&mut opened, bytes, found, send),
            Err(Refusal::Unreadable(why)) => opened.issue(IssueKind::Unreadable, None, why),
            Err(Refusal::Repeated) => {
                opened.issue(IssueKind::RepeatedInput, None, "named before".into());
            }
        }
        opened
    }

    fn read_stream(
        &self,
        opened: &mut Opened,
        bytes: Bytes<'_>,
        found: bool,
        send: &SyncSender<Job>,
    ) {
        let stored = AtomicU64::new(0);
        let metered = Metered {
            bytes,
            stored: &stored,
            plan: self,
        };
        let (unpacked, layers) = match unpack(Box::new(metered)) {
            Ok(unpacked) => unpacked,
            Err(error) => return opened.issue(IssueKind::Unreadable, None, reason(&error)),
        };
        let mut feed = Feed::new(unpacked, self.options.max_unpacked);
        feed.fill(HEAD);
        if feed.bytes().starts_with(b"\xef\xbb\xbf") {
            feed.drop_front(3);
        }
        let packed = match layers.is_empty() {
            true => String::new(),
            false => format!(" ({})", layers.join(", ")),
        };
        let verdict = sniff(feed.bytes(), feed.ended());
        let mut splitter = Splitter {
            file: opened.file,
            feed,
            ledger: Ledger::default(),
            max_record: self.options.max_record,
        };
        match verdict {
            Verdict::Readable(format, layout) => {
                opened.readable = true;
                opened.input.format = format!("{} {}{packed}", format.name, layout.word());
                let mut emit = |chunk| send.send(Job { format, chunk }).is_ok();
                splitter.run(layout, &mut emit);
            }
            Verdict::Known(known) => {
                opened.input.format = format!("{}, not read{packed}", known.name);
                let detail = format!("this is {}: {}", known.name, known.hint);
                opened.issue(IssueKind::UnsupportedFormat, None, detail);
            }
            Verdict::Empty if splitter.feed.failure().is_none() => {
                opened.issue(IssueKind::EmptyInput, None, "the file holds nothing".into());
            }
            Verdict::Empty => {}
            // Notes and tables beside the exports in a folder are no reason to complain.
            Verdict::Unknown(what, text) => {
                let kind = match found && text {
                    true => IssueKind::SkippedFile,
                    false => IssueKind::UnknownFormat,
                };
                opened.issue(kind, None, what);
            }
        }
        let (end, failure) = (splitter.feed.end(), splitter.feed.failure().map(reason));
        opened.ledger.absorb(std::mem::take(&mut splitter.ledger));
        opened.input.bytes = stored.load(Ordering::Relaxed);
        opened.input.unpacked = end;
        if let Some(why) = failure {
            let kind = match layers.is_empty() {
                true => IssueKind::Unreadable,
                false => IssueKind::DamagedCompression,
            };
            opened.issue(
                kind,
                Some(end),
                format!("{why}, after {end} unpacked bytes"),
            );
        }
    }
}

/// Counts what is read from a file.
struct Metered<'a> {
    bytes: Bytes<'a>,
    stored: &'a AtomicU64,
    plan: &'a Plan<'a>,
}

impl std::io::Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.stored.fetch_add(count as u64, Ordering::Relaxed);
        let before = self.plan.read.fetch_add(count as u64, Ordering::Relaxed);
        self.plan
            .progress
            .advance(before + count as u64, self.plan.total);
        Ok(count)
    }
}
