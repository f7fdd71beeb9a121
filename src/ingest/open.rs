//! The reading side: opens sources one after another, unpacks and cuts them, and sends the chunks
//! off to be decoded.

use std::fs::{self, File};
use std::io;
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::feed::{Feed, Spare, Stored};
use super::parquet;
use super::pump::{Job, Options, Progress, WORTH_A_THREAD};
use super::sniff::{HEAD, Verdict, sniff};
use super::source::{Refusal, Source, reason};
use super::split::Splitter;
use super::stop::Stop;
use super::taken::TakenAt;
use super::unpack::{Bytes, unpack};
use crate::model::{Input, Issue, IssueKind, Ledger, Place, Severity};

/// Where chunks go to be decoded. Answers false when nobody takes them any more.
pub(super) type Send<'s> = &'s mut dyn FnMut(Job) -> bool;

/// What the reading threads share.
pub(super) struct Plan<'p> {
    options: &'p Options,
    progress: &'p dyn Progress,
    spare: &'p Spare,
    total: Option<u64>,
    read: AtomicU64,
    next: AtomicUsize,
    sources: Vec<Mutex<Option<Source>>>,
}

/// What became of one source.
pub(super) struct Opened {
    /// Its index.
    pub(super) file: u32,
    /// How it was taken; records are counted by those who decode them.
    pub(super) input: Input,
    /// What happened to it as a whole.
    pub(super) ledger: Ledger,
    /// True when its format can be read.
    pub(super) readable: bool,
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

    /// Files that are no exports: a mistake when named by the user, but notes and tables beside
    /// the exports of a folder are no reason to complain.
    fn unknown(&mut self, what: String, passed_over: bool) {
        let kind = match passed_over {
            true => IssueKind::SkippedFile,
            false => IssueKind::UnknownFormat,
        };
        self.issue(kind, None, what);
    }
}

impl<'p> Plan<'p> {
    pub(super) fn new(
        sources: Vec<Source>,
        options: &'p Options,
        progress: &'p dyn Progress,
        spare: &'p Spare,
    ) -> Self {
        Self {
            options,
            progress,
            spare,
            total: sources.iter().map(Source::size).sum(),
            read: AtomicU64::new(0),
            next: AtomicUsize::new(0),
            sources: sources.into_iter().map(|s| Mutex::new(Some(s))).collect(),
        }
    }

    /// How many sources there are.
    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }

    /// How many of `most` threads it takes to decode what there is to read.
    pub(super) fn decoders(&self, most: usize) -> usize {
        let worth = self.total.map(|bytes| bytes / WORTH_A_THREAD + 1);
        let worth = worth.and_then(|threads| usize::try_from(threads).ok());
        worth.map_or(most, |threads| most.min(threads))
    }

    /// True when all there is to read takes less time than starting a thread.
    pub(super) fn is_little(&self) -> bool {
        self.total.is_some_and(|bytes| bytes < WORTH_A_THREAD)
    }

    /// Reads sources until none is left. Runs on several threads, each with its own.
    pub(super) fn read_some(&self, send: Send<'_>) -> Vec<Opened> {
        let mut opened = Vec::new();
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(slot) = self.sources.get(index) else {
                return opened;
            };
            let source = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(source) = source {
                opened.push(self.read_one(index as u32, source, send));
            }
        }
    }

    fn read_one(&self, file: u32, source: Source, send: Send<'_>) -> Opened {
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
        let (found, path) = (source.is_found(), source.path().map(Path::to_owned));
        let packed = source.packed();
        if source.older() > 0 {
            let detail = format!(
                "{} older files of its rotated set are not read",
                source.older()
            );
            opened.issue(IssueKind::RotatedSet, None, detail);
        }
        if let Some(file) = source.columnar() {
            self.read_columns(&mut opened, file, found, send);
            return opened;
        }
        match source.open() {
            Ok(bytes) => self.read_stored(&mut opened, bytes, packed, found, send),
            Err(Refusal::Unreadable(why)) => opened.issue(IssueKind::Unreadable, None, why),
            Err(Refusal::Repeated) => {
                opened.issue(IssueKind::RepeatedInput, None, "named before".into());
            }
        }
        if let Some(meta) = path.and_then(|path| fs::metadata(path).ok())
            && meta.is_file()
            && (1..meta.len()).contains(&opened.input.bytes)
            && opened.ledger.worst() < Some(Severity::DataLoss)
        {
            let more = meta.len() - opened.input.bytes;
            let detail = format!("{more} bytes were added while it was read");
            opened.issue(IssueKind::GrownInput, Some(opened.input.bytes), detail);
        }
        opened
    }

    fn read_columns(&self, opened: &mut Opened, file: File, found: bool, send: Send<'_>) {
        opened.input.bytes = file.metadata().map_or(0, |meta| meta.len());
        self.read.fetch_add(opened.input.bytes, Ordering::Relaxed);
        match parquet::Rows::of_file(file) {
            Ok(rows) => {
                let stored = Stored::Known(opened.input.bytes);
                let rows = Unpacked {
                    bytes: Box::new(rows),
                    layers: vec!["parquet"],
                    stored,
                };
                self.read_unpacked(opened, rows, found, send);
            }
            Err(error) => opened.issue(IssueKind::Unreadable, None, reason(&error)),
        }
    }

    fn read_stored(
        &self,
        opened: &mut Opened,
        bytes: Bytes<'_>,
        packed: Option<u64>,
        found: bool,
        send: Send<'_>,
    ) {
        let stored = AtomicU64::new(0);
        let metered = Metered {
            bytes,
            stored: &stored,
            plan: self,
        };
        match unpack(Box::new(metered)) {
            Ok((bytes, layers)) => {
                let stored = packed.map_or(Stored::Counted(&stored), Stored::Known);
                let unpacked = Unpacked {
                    bytes,
                    layers,
                    stored,
                };
                self.read_unpacked(opened, unpacked, found, send);
            }
            Err(error) => opened.issue(IssueKind::Unreadable, None, reason(&error)),
        }
        opened.input.bytes = stored.load(Ordering::Relaxed);
    }

    fn read_unpacked(
        &self,
        opened: &mut Opened,
        unpacked: Unpacked<'_>,
        found: bool,
        send: Send<'_>,
    ) {
        let Unpacked {
            bytes,
            layers,
            stored,
        } = unpacked;
        let feed = Feed::new(bytes, self.options.max_unpacked, self.spare);
        let mut feed = feed.unpacked_from(stored, self.options.limits);
        feed.fill(HEAD);
        if feed.bytes().starts_with(b"\xef\xbb\xbf") {
            feed.drop_front(3);
        }
        let verdict = sniff(feed.bytes(), feed.ended());
        let mut splitter = Splitter {
            file: opened.file,
            feed,
            ledger: Ledger::default(),
            max_record: self.options.max_record,
            pieces: 0,
        };
        match verdict {
            Verdict::Readable(format, layout, why) => {
                opened.input.why = why;
                opened.readable = true;
                opened.input.format = format!("{} {}", format.name, layout.word());
                let taken = TakenAt::of(&self.options.taken, &opened.input.path);
                let mut emit = |chunk| {
                    let job = Job {
                        format,
                        chunk,
                        taken,
                        limits: self.options.limits,
                    };
                    self.progress.goes_on() && send(job)
                };
                splitter.run(layout, &mut emit);
                if let Some(limit) = format.limit.filter(|l| l.pieces == splitter.pieces) {
                    let detail = limit.detail.to_owned();
                    opened.issue(IssueKind::PartialExport, None, detail);
                }
            }
            Verdict::Known(known) => {
                opened.input.format = format!("{}, not read", known.name);
                let hint = known.hint.map_or(String::new(), |hint| format!(": {hint}"));
                let detail = format!("this is {}{hint}", known.name);
                opened.issue(IssueKind::UnsupportedFormat, None, detail);
            }
            Verdict::Unknown(what, text) => opened.unknown(what, found && text),
            Verdict::Empty if splitter.feed.failure().is_none() => {
                opened.issue(IssueKind::EmptyInput, None, "the file holds nothing".into());
            }
            // The failure is reported below.
            Verdict::Empty => {}
        }
        if !layers.is_empty() {
            let packed = format!(" ({})", layers.join(", "));
            opened.input.format.push_str(&packed);
        }
        opened.ledger.absorb(mem::take(&mut splitter.ledger));
        let end = splitter.feed.end();
        opened.input.unpacked = end;
        if let Some(error) = splitter.feed.failure() {
            let stop = Stop::of(error);
            let kind = match stop {
                Some(Stop::Zeros) if end == 0 => IssueKind::EmptyInput,
                _ if !opened.readable => IssueKind::Unreadable,
                Some(stop) => stop.kind(),
                None if layers.is_empty() => IssueKind::Unreadable,
                None => IssueKind::DamagedCompression,
            };
            let detail = match kind {
                IssueKind::EmptyInput => "it holds zero bytes only".into(),
                _ => format!("{}, after {end} unpacked bytes", reason(error)),
            };
            opened.issue(kind, Some(end), detail);
        }
    }
}

/// What is left of an input when its packing is off.
struct Unpacked<'a> {
    bytes: Bytes<'a>,
    /// Names of the packings, outermost first.
    layers: Vec<&'static str>,
    stored: Stored<'a>,
}

/// Counts what is read from a file.
struct Metered<'a> {
    bytes: Bytes<'a>,
    stored: &'a AtomicU64,
    plan: &'a Plan<'a>,
}

impl io::Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.stored.fetch_add(count as u64, Ordering::Relaxed);
        let before = self.plan.read.fetch_add(count as u64, Ordering::Relaxed);
        let read = before + count as u64;
        self.plan.progress.advance(read, self.plan.total);
        Ok(count)
    }
}
