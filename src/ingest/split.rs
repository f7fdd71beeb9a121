//! Cuts a file into chunks that can be decoded apart from each other.

use std::mem;

use super::feed::Feed;
use super::formats::{Chunk, Divide, Frame, Framed, Layout, Parts};
use super::json::{Cut, Cutter, Extent, Piece, extent};
use crate::model::{Issue, IssueKind, Ledger, Place};

/// Bytes of one chunk, where records are small enough to allow it.
pub(crate) const CHUNK: usize = 1 << 19;

/// Cuts a file, chunk by chunk.
pub(crate) struct Splitter<'f> {
    /// Index of the input.
    file: u32,
    /// Its bytes.
    pub(crate) feed: Feed<'f>,
    /// What went wrong with it.
    pub(crate) ledger: Ledger,
    /// Pieces of documents cut so far.
    pub(crate) pieces: u64,
    max_record: usize,
    way: Way,
    /// Bytes that should be at hand to find the next chunk.
    want: usize,
    done: bool,
}

/// How it goes about it, and what it remembers from chunk to chunk.
enum Way {
    Lines,
    Documents(Cutter),
    Text(Divide, Vec<u8>),
    Frames(Frame),
}

impl Way {
    fn of(layout: Layout) -> Self {
        match layout {
            Layout::Lines => Self::Lines,
            Layout::Json(role) => Self::Documents(Cutter::new(Some(role))),
            Layout::Objects => Self::Documents(Cutter::new(None)),
            Layout::Text(divide) => Self::Text(divide, Vec::new()),
            Layout::Frames(frame) => Self::Frames(frame),
        }
    }
}

impl Iterator for Splitter<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        if self.done {
            return None;
        }
        let mut way = mem::replace(&mut self.way, Way::Lines);
        let (count, parts) = match &mut way {
            Way::Lines => (self.lines(), Parts::Lines),
            Way::Documents(cutter) => self.documents(cutter),
            Way::Text(divide, context) => self.text(*divide, context),
            Way::Frames(frame) => (self.frames(*frame), Parts::Frames(*frame)),
        };
        self.way = way;
        Some(self.take(count, parts))
    }
}

impl<'f> Splitter<'f> {
    /// Nothing cut yet of `feed`, the bytes of the input with index `file`. Records of more than `max_record` bytes are
    /// skipped.
    pub(crate) fn new(file: u32, feed: Feed<'f>, layout: Layout, max_record: usize) -> Self {
        Self {
            file,
            feed,
            ledger: Ledger::default(),
            pieces: 0,
            max_record,
            way: Way::of(layout),
            want: CHUNK,
            done: false,
        }
    }

    fn issue(&mut self, kind: IssueKind, at: u64, detail: String) {
        self.ledger.add(Issue {
            kind,
            place: Place::at(self.file, at),
            offset: Some(at),
            detail,
        });
    }

    /// The first `count` bytes as a chunk.
    fn take(&mut self, count: usize, parts: Parts) -> Chunk {
        let last = self.feed.ended() && count >= self.feed.bytes().len();
        let (offset, bytes) = self.feed.take(count);
        Chunk {
            file: self.file,
            offset,
            bytes,
            parts,
            last,
        }
    }

    /// Bytes of whole lines.
    fn lines(&mut self) -> usize {
        loop {
            self.feed.fill(self.want);
            let bytes = self.feed.bytes();
            if self.feed.ended() {
                self.done = true;
                return bytes.len();
            }
            match memchr::memrchr(b'\n', bytes) {
                Some(end) => {
                    self.want = CHUNK;
                    return end + 1;
                }
                None if bytes.len() >= self.max_record => self.skip_line(),
                None => self.want = bytes.len().saturating_mul(2),
            }
        }
    }

    /// Drops a line that is too long to be held.
    fn skip_line(&mut self) {
        let start = self.feed.offset();
        let detail = format!(
            "a line of more than {} bytes, left out; --max-record raises the limit",
            self.max_record
        );
        self.issue(IssueKind::OversizedRecord, start, detail);
        loop {
            let end = memchr::memchr(b'\n', self.feed.bytes());
            self.feed.drop_front(end.map_or(usize::MAX, |at| at + 1));
            if end.is_some() || self.feed.ended() {
                return;
            }
            self.feed.fill(CHUNK);
        }
    }

    /// Bytes of documents that the cutter is done with, and the pieces in them.
    fn documents(&mut self, cutter: &mut Cutter) -> (usize, Parts) {
        let mut pieces: Vec<Piece> = Vec::new();
        self.feed.fill(self.want);
        loop {
            let offset = self.feed.offset();
            let cut = cutter.next(self.feed.bytes(), self.feed.ended());
            match cut {
                Cut::Piece(piece) => {
                    pieces.push(piece);
                    self.pieces += 1;
                    if cutter.done() < CHUNK {
                        continue;
                    }
                }
                Cut::NeedMore => {}
                Cut::Garbage(at) => {
                    let detail =
                        "expected a JSON document; went on at the next line with one".into();
                    self.issue(IssueKind::MalformedRecord, offset + at as u64, detail);
                    continue;
                }
                Cut::Unused(at) => {
                    let detail = "a JSON document without anything that can be read".into();
                    self.issue(IssueKind::UnusedRecords, offset + at as u64, detail);
                    continue;
                }
                Cut::End(inside) => {
                    self.end_of_documents(inside, pieces.last());
                    return (usize::MAX, Parts::Pieces(pieces));
                }
            }
            // Either enough for a chunk, or more bytes are needed: hand over what is complete.
            let done = cutter.done();
            if done > 0 {
                cutter.rebase(done);
                self.want = CHUNK;
                return (done, Parts::Pieces(pieces));
            }
            if self.feed.bytes().len() >= self.max_record {
                let detail = format!(
                    "a record of more than {} bytes, left out; --max-record raises the limit",
                    self.max_record
                );
                self.issue(IssueKind::OversizedRecord, self.feed.offset(), detail);
                cutter.give_up(self.feed.bytes());
            } else {
                self.want = self.feed.bytes().len().saturating_mul(2).max(CHUNK);
            }
            self.feed.fill(self.want);
        }
    }

    /// No more documents follow `last`, the last piece; the input may end inside one.
    fn end_of_documents(&mut self, inside: bool, last: Option<&Piece>) {
        self.done = true;
        // The decoder says so where a record is cut off in the middle.
        let is_cut = |piece: &Piece| extent(self.feed.bytes(), piece.start) == Extent::Unfinished;
        if inside && !last.is_some_and(is_cut) {
            let detail = "the input ends inside a document".into();
            self.issue(IssueKind::TruncatedRecord, self.feed.end(), detail);
        }
    }

    /// Bytes of whole messages.
    fn frames(&mut self, frame: Frame) -> usize {
        loop {
            self.feed.fill(self.want);
            let (done, stop) = whole_messages(frame, self.feed.bytes(), self.max_record);
            if let Stop::Broken | Stop::Large = stop {
                self.no_message(done, &stop);
                return done;
            }
            self.want = match stop {
                Stop::Needs(length) => length.max(CHUNK),
                _ => CHUNK,
            };
            if self.feed.ended() {
                self.done = true;
                // The decoder makes what it can of a message that is cut off.
                return usize::MAX;
            }
            if done > 0 {
                return done;
            }
        }
    }

    /// What follows the first `done` bytes is not read.
    fn no_message(&mut self, done: usize, why: &Stop) {
        self.done = true;
        let at = self.feed.offset() + done as u64;
        let (kind, detail) = match why {
            Stop::Large => (
                IssueKind::OversizedRecord,
                format!(
                    "a message of more than {} bytes; nothing after it was read; --max-record raises the limit",
                    self.max_record
                ),
            ),
            _ => (
                IssueKind::MalformedRecord,
                "expected a message or its length; nothing after it was read".to_owned(),
            ),
        };
        self.issue(kind, at, detail);
    }

    /// Bytes of whole records of text, and what they depend on.
    fn text(&mut self, divide: Divide, context: &mut Vec<u8>) -> (usize, Parts) {
        loop {
            self.feed.fill(self.want);
            let (bytes, ended) = (self.feed.bytes(), self.feed.ended());
            let before = context.clone();
            let mut end = divide(bytes, ended, context);
            if end == 0 && !ended {
                if bytes.len() < self.max_record {
                    self.want = bytes.len().saturating_mul(2);
                    continue;
                }
                // The decoder makes what it can of its lines.
                end = memchr::memrchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
                let detail = format!(
                    "a record of more than {} bytes, read as lines; --max-record raises the limit",
                    self.max_record
                );
                self.issue(IssueKind::OversizedRecord, self.feed.offset(), detail);
            }
            self.want = CHUNK;
            self.done = ended;
            return (end, Parts::Text(before));
        }
    }
}

/// Why a run of whole messages ends.
enum Stop {
    /// The bytes at hand end.
    Here,
    /// The next message takes this many bytes.
    Needs(usize),
    /// What follows is no message.
    Broken,
    /// The next message is larger than a record may be.
    Large,
}

/// How many bytes of whole messages there are, and why they end.
fn whole_messages(frame: Frame, bytes: &[u8], max_record: usize) -> (usize, Stop) {
    let mut done = 0;
    while done < bytes.len() {
        match frame.next(bytes, done) {
            Framed::Message { end, .. } if end - done > max_record => return (done, Stop::Large),
            Framed::Message { end, .. } if end <= bytes.len() => done = end,
            Framed::Message { end, .. } => return (done, Stop::Needs(end - done)),
            Framed::NeedMore => return (done, Stop::Needs(bytes.len() - done + 16)),
            Framed::Broken => return (done, Stop::Broken),
        }
    }
    (done, Stop::Here)
}
