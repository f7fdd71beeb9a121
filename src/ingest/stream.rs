//! An input that is open, and what there is to say of it when it ends.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::feed::Feed;
use super::formats::{Format, Layout};
use super::open::Plan;
use super::pump::Job;
use super::source::{Source, reason};
use super::split::Splitter;
use super::stop::Stop;
use super::taken::TakenAt;
use super::unpack::Bytes;
use crate::model::{Input, Issue, IssueKind, Ledger, Place, Severity};
use crate::units::Nanos;

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
    pub(super) fn new(file: u32, source: &Source) -> Self {
        Self {
            file,
            input: Input {
                path: source.name().to_owned(),
                format: "not read".into(),
                ..Input::default()
            },
            ledger: Ledger::default(),
            readable: false,
        }
    }

    pub(super) fn issue(&mut self, kind: IssueKind, offset: Option<u64>, detail: String) {
        self.ledger.add(Issue {
            kind,
            place: Place::at(self.file, offset.unwrap_or(0)),
            offset,
            detail,
        });
    }

    /// Files that are no exports: a mistake when named by the user, but notes and tables beside
    /// the exports of a folder are no reason to complain.
    pub(super) fn unknown(&mut self, what: String, passed_over: bool) {
        let kind = match passed_over {
            true => IssueKind::SkippedFile,
            false => IssueKind::UnknownFormat,
        };
        self.issue(kind, None, what);
    }
}

/// An input that is being read: one chunk after another.
pub(super) struct Stream<'p> {
    plan: &'p Plan<'p>,
    opened: Opened,
    ending: Ending,
    format: &'static Format,
    /// When its file was taken, as far as the user said so.
    taken: Option<Nanos>,
    splitter: Splitter<'p>,
}

impl<'p> Stream<'p> {
    pub(super) fn new(
        plan: &'p Plan<'p>,
        (opened, ending): (Opened, Ending),
        feed: Feed<'p>,
        (format, layout): (&'static Format, Layout),
    ) -> Self {
        Self {
            plan,
            format,
            taken: TakenAt::of(&plan.options.taken, &opened.input.path),
            splitter: Splitter::new(opened.file, feed, layout, plan.options.max_record),
            opened,
            ending,
        }
    }

    /// What became of it; nothing more is read.
    pub(super) fn close(self) -> Opened {
        let Self {
            mut opened,
            splitter,
            ..
        } = self;
        let limit = self.format.limit.filter(|l| l.pieces == splitter.pieces);
        if let Some(limit) = limit {
            opened.issue(IssueKind::PartialExport, None, limit.detail.to_owned());
        }
        opened.ledger.absorb(splitter.ledger);
        self.ending.tell(&mut opened, &splitter.feed);
        opened
    }
}

impl Iterator for Stream<'_> {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        if !self.plan.progress.goes_on() {
            return None;
        }
        Some(Job {
            format: self.format,
            chunk: self.splitter.next()?,
            taken: self.taken,
            limits: self.plan.options.limits,
        })
    }
}

/// What is told of an input at its end.
pub(super) struct Ending {
    /// Names of its packings, outermost first.
    pub(super) layers: Vec<&'static str>,
    /// Bytes read of it as stored, where that is not known from the start.
    pub(super) count: Option<Arc<AtomicU64>>,
    /// Where it lies, when it is a file that may have grown meanwhile.
    pub(super) path: Option<PathBuf>,
}

impl Ending {
    /// Tells how far `feed` was read and why not further.
    pub(super) fn tell(self, opened: &mut Opened, feed: &Feed<'_>) {
        let layers = &self.layers;
        if !layers.is_empty() {
            let packed = format!(" ({})", layers.join(", "));
            opened.input.format.push_str(&packed);
        }
        let end = feed.end();
        opened.input.unpacked = end;
        if let Some(error) = feed.failure() {
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
        if let Some(count) = self.count {
            opened.input.bytes = count.load(Ordering::Relaxed);
        }
        if opened.readable
            && let Some(meta) = self.path.and_then(|path| fs::metadata(path).ok())
            && meta.is_file()
            && (1..meta.len()).contains(&opened.input.bytes)
            && opened.ledger.worst() < Some(Severity::DataLoss)
        {
            let more = meta.len() - opened.input.bytes;
            let detail = format!("{more} bytes were added while it was read");
            opened.issue(IssueKind::GrownInput, Some(opened.input.bytes), detail);
        }
    }
}

/// Counts what is read from a file.
pub(super) struct Metered<'a> {
    pub(super) bytes: Bytes<'a>,
    pub(super) count: Arc<AtomicU64>,
    pub(super) plan: &'a Plan<'a>,
}

impl io::Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        self.plan.read(count as u64);
        Ok(count)
    }
}
