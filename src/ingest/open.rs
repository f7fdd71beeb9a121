//! What there is to read, and opening it: unpacks an input and tells what it is.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::feed::{Feed, Spare, Stored};
use super::parquet;
use super::pump::{Options, Progress, WORTH_A_THREAD};
use super::sniff::{HEAD, Verdict, sniff};
use super::source::{Refusal, Source, reason};
use super::stream::{Ending, Metered, Opened, Stream};
use super::unpack::{Bytes, unpack};
use crate::model::IssueKind;

/// What the threads that read share.
pub(super) struct Plan<'p> {
    pub(super) options: &'p Options,
    pub(super) progress: &'p dyn Progress,
    spare: &'p Spare,
    total: Option<u64>,
    read: AtomicU64,
    next: AtomicUsize,
    sources: Vec<Mutex<Option<Source>>>,
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

    /// How many of `most` threads are worth starting for what there is to read.
    pub(super) fn threads(&self, most: usize) -> usize {
        let worth = self.total.map(|bytes| bytes / WORTH_A_THREAD + 1);
        let worth = worth.and_then(|threads| usize::try_from(threads).ok());
        worth.map_or(most, |threads| most.min(threads))
    }

    /// So many more stored bytes were read.
    pub(super) fn read(&self, bytes: u64) {
        let read = self.read.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.progress.advance(read, self.total);
    }

    /// Opens the next source: it can be read, or all is said about it. `None` when no source is left.
    pub(super) fn open_next(&self) -> Option<Result<Stream<'_>, Box<Opened>>> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = self.sources.get(index)?;
        let source = slot.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let mut opened = Opened::new(index as u32, &source);
        Some(match self.unpacked(&mut opened, source) {
            Some(unpacked) => self.told(opened, unpacked),
            None => Err(Box::new(opened)),
        })
    }

    /// The bytes of `source` without their packings; `None` where there is nothing to be had.
    fn unpacked(&self, opened: &mut Opened, source: Source) -> Option<Unpacked<'_>> {
        let found = source.is_found();
        if source.older() > 0 {
            let detail = format!(
                "{} older files of its rotated set are not read",
                source.older()
            );
            opened.issue(IssueKind::RotatedSet, None, detail);
        }
        if let Some(file) = source.columnar() {
            return self.columns(opened, file, found);
        }
        let (path, packed) = (source.path().map(Path::to_owned), source.packed());
        let bytes = match source.open() {
            Ok(bytes) => bytes,
            Err(Refusal::Unreadable(why)) => {
                opened.issue(IssueKind::Unreadable, None, why);
                return None;
            }
            Err(Refusal::Repeated) => {
                opened.issue(IssueKind::RepeatedInput, None, "named before".into());
                return None;
            }
        };
        let count = Arc::new(AtomicU64::new(0));
        let metered = Metered {
            bytes,
            count: count.clone(),
            plan: self,
        };
        match unpack(Box::new(metered), self.options) {
            Ok((bytes, layers)) => Some(Unpacked {
                bytes,
                stored: packed.map_or_else(|| Stored::Counted(count.clone()), Stored::Known),
                found,
                ending: Ending {
                    layers,
                    count: Some(count),
                    path,
                },
            }),
            Err(error) => {
                opened.issue(IssueKind::Unreadable, None, reason(&error));
                opened.input.bytes = count.load(Ordering::Relaxed);
                None
            }
        }
    }

    fn columns(&self, opened: &mut Opened, file: File, found: bool) -> Option<Unpacked<'_>> {
        opened.input.bytes = file.metadata().map_or(0, |meta| meta.len());
        self.read(opened.input.bytes);
        match parquet::Rows::of_file(file, self.options) {
            Ok(rows) => Some(Unpacked {
                bytes: Box::new(rows),
                stored: Stored::Known(opened.input.bytes),
                found,
                ending: Ending {
                    layers: vec!["parquet"],
                    count: None,
                    path: None,
                },
            }),
            Err(error) => {
                opened.issue(IssueKind::Unreadable, None, reason(&error));
                None
            }
        }
    }

    /// Tells by its first bytes what an input is.
    fn told<'s>(
        &'s self,
        mut opened: Opened,
        unpacked: Unpacked<'s>,
    ) -> Result<Stream<'s>, Box<Opened>> {
        let Unpacked {
            bytes,
            stored,
            found,
            ending,
        } = unpacked;
        let feed = Feed::new(bytes, self.options.max_unpacked, self.spare);
        let mut feed = feed.unpacked_from(stored, self.options.limits);
        feed.fill(HEAD);
        if feed.bytes().starts_with(b"\xef\xbb\xbf") {
            feed.drop_front(3);
        }
        match sniff(feed.bytes(), feed.ended()) {
            Verdict::Readable(format, layout, why) => {
                opened.input.why = why;
                opened.input.format = format!("{} {}", format.name, layout.word());
                opened.readable = true;
                return Ok(Stream::new(self, (opened, ending), feed, (format, layout)));
            }
            Verdict::Known(known) => {
                opened.input.format = format!("{}, not read", known.name);
                let hint = known.hint.map_or(String::new(), |hint| format!(": {hint}"));
                let detail = format!("this is {}{hint}", known.name);
                opened.issue(IssueKind::UnsupportedFormat, None, detail);
            }
            Verdict::Unknown(what, text) => opened.unknown(what, found && text),
            Verdict::Empty if feed.failure().is_none() => {
                opened.issue(IssueKind::EmptyInput, None, "the file holds nothing".into());
            }
            // The failure is told at the end.
            Verdict::Empty => {}
        }
        ending.tell(&mut opened, &feed);
        Err(Box::new(opened))
    }
}

/// What is left of an input when its packing is off.
struct Unpacked<'a> {
    bytes: Bytes<'a>,
    stored: Stored,
    /// True when it was found in a folder and not named by the user.
    found: bool,
    ending: Ending,
}
