//! Cuts a file into chunks that can be decoded apart from each other.

use super::feed::Feed;
use super::formats::{Chunk, Divide, Frame, Framed, Layout, Parts};
use super::json::{Cut, Cutter, Extent, Piece, extent};
use crate::model::{Issue, IssueKind, Ledger, Place};

/// Bytes of one chunk, where records are small enough to allow it.
pub(crate) const CHUNK: usize = 1 << 19;

/// Takes a chunk; false when nobody wants more.
pub(crate) type Emit<'e> = dyn FnMut(Chunk) -> bool + 'e;

/// The file being cut.
pub(crate) struct Splitter<'f> {
    /// Index of the input.
    pub(crate) file: u32,
    /// Its bytes.
    pub(crate) feed: Feed<'f>,
    /// What went wrong with it.
    pub(crate) ledger: Ledger,
    /// Records larger than this are skipped.
    pub(crate) max_record: usize,
    /// Pieces of documents cut so far.
    pub(crate) pieces: u64,
}

impl Splitter<'_> {
    /// Cuts all of the file.
    pub(crate) fn run(&mut self, layout: Layout, emit: &mut Emit<'_>) {
        match layout {
            Layout::Lines => self.lines(emit),
            Layout::Json(role) => self.documents(Cutter::new(Some(role)), emit),
            Layout::Objects => self.documents(Cutter::new(None), emit),
            Layout::Text(divide) => self.text(divide, emit),
            Layout::Frames(frame) => self.frames(frame, emit),
        }
    }

    pub(crate) fn issue(&mut self, kind: IssueKind, at: u64, detail: String) {
        self.ledger.add(Issue {
            kind,
            place: Place::at(self.file, at),
            offset: Some(at),
            detail,
        });
    }

    /// Sends the first `count` bytes off.
    fn send(&mut self, count: usize, parts: Parts, emit: &mut Emit<'_>) -> bool {
        let last = self.feed.ended() && count >= self.feed.bytes().len();
        let (offset, bytes) = self.feed.take(count);
        let chunk = Chunk {
            file: self.file,
            offset,
            bytes,
            parts,
            last,
        };
        emit(chunk)
    }

    fn lines(&mut self, emit: &mut Emit<'_>) {
        let mut want = CHUNK;
        loop {
            self.feed.fill(want);
            let bytes = self.feed.bytes();
            if self.feed.ended() {
                let all = bytes.len();
                self.send(all, Parts::Lines, emit);
                return;
            }
            match memchr::memrchr(b'\n', bytes) {
                Some(end) => {
                    want = CHUNK;
                    if !self.send(end + 1, Parts::Lines, emit) {
                        return;
                    }
                }
                None if bytes.len() >= self.max_record => self.skip_line(),
                None => want = bytes.len().saturating_mul(2),
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

    fn documents(&mut self, mut cutter: Cutter, emit: &mut Emit<'_>) {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut want = CHUNK;
        self.feed.fill(want);
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
                    let (end, cut_off) = (
                        self.feed.end(),
                        // The decoder says so where a record is cut off in the middle.
                        pieces.last().is_some_and(|p| {
                            extent(self.feed.bytes(), p.start) == Extent::Unfinished
                        }),
                    );
                    if inside && !cut_off {
                        self.issue(
                            IssueKind::TruncatedRecord,
                            end,
                            "the input ends inside a document".into(),
                        );
                    }
                    self.send(usize::MAX, Parts::Pieces(pieces), emit);
                    return;
                }
            }
            // Either enough for a chunk, or more bytes are needed: hand over what is complete.
            let done = cutter.done();
            if done > 0 {
                cutter.rebase(done);
                want = CHUNK;
                if !self.send(done, Parts::Pieces(std::mem::take(&mut pieces)), emit) {
                    return;
                }
            } else if self.feed.bytes().len() >= self.max_record {
                let detail = format!(
                    "a record of more than {} bytes, left out; --max-record raises the limit",
                    self.max_record
                );
                self.issue(IssueKind::OversizedRecord, self.feed.offset(), detail);
                cutter.give_up(self.feed.bytes());
            } else {
                want = self.feed.bytes().len().saturating_mul(2).max(CHUNK);
            }
            self.feed.fill(want);
        }
    }

    fn frames(&mut self, frame: Frame, emit: &mut Emit<'_>) {
        let mut want = CHUNK;
        loop {
            self.feed.fill(want);
            let ended = self.feed.ended();
            let (done, stop) = whole_messages(frame, self.feed.bytes(), self.max_record);
            if let Stop::Broken | Stop::Large = stop {
                let at = self.feed.offset() + done as u64;
                let (kind, detail) = match stop {
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
                self.send(done, Parts::Frames(frame), emit);
                return;
            }
            // The decoder makes what it can of a message that is cut off.
            let count = if ended { usize::MAX } else { done };
            if (count > 0 && !self.send(count, Parts::Frames(frame), emit)) || ended {
                return;
            }
            want = match stop {
                Stop::Needs(length) => length.max(CHUNK),
                _ => CHUNK,
            };
        }
    }

    fn text(&mut self, divide: Divide, emit: &mut Emit<'_>) {
        let mut context = Vec::new();
        let mut want = CHUNK;
        loop {
            self.feed.fill(want);
            let (bytes, ended) = (self.feed.bytes(), self.feed.ended());
            let before = context.clone();
            let mut end = divide(bytes, ended, &mut context);
            if end == 0 && !ended {
                if bytes.len() < self.max_record {
                    want = bytes.len().saturating_mul(2);
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
            if !self.send(end, Parts::Text(before), emit) || ended {
                return;
            }
            want = CHUNK;
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
