//! A stream read ahead into a buffer from which whole records are taken off the front.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::Limits;
use super::stop::Stop;
use super::unpack::Bytes;

/// Blocks whose bytes were decoded, for the next to be read into: fresh memory costs more than reading.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    /// Blocks kept at most, and the largest kept.
    const MOST: usize = 8;
    const LARGEST: usize = 1 << 22;

    /// A block that is no longer needed.
    pub(crate) fn give(&self, block: Vec<u8>) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() < Self::MOST && block.capacity() <= Self::LARGEST {
            blocks.push(block);
        }
    }

    /// A block of `length` bytes, whatever is in them.
    fn take(&self, length: usize) -> Vec<u8> {
        let block = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match block {
            Some(mut block) => {
                block.resize(length, 0);
                block
            }
            // Zeroed memory comes from the system as it is.
            None => vec![0; length],
        }
    }
}

/// So many zero bytes in one go are no data.
const ZEROS: usize = 1 << 16;

/// How many bytes an input takes as it is stored.
pub(crate) enum Stored {
    /// So many.
    Known(u64),
    /// As many as were read so far.
    Counted(Arc<AtomicU64>),
}

impl Stored {
    fn bytes(&self) -> u64 {
        match self {
            Self::Known(bytes) => *bytes,
            Self::Counted(bytes) => bytes.load(Ordering::Relaxed),
        }
    }
}

/// Bytes that were read and not yet taken.
pub(crate) struct Feed<'a> {
    spare: &'a Spare,
    reader: Bytes<'a>,
    pending: Vec<u8>,
    offset: u64,
    limit: u64,
    packed: Option<(Stored, Limits)>,
    ended: bool,
    failure: Option<io::Error>,
}

impl<'a> Feed<'a> {
    /// A feed of at most `limit` bytes of `reader`, in blocks from `spare`.
    pub(crate) fn new(reader: Bytes<'a>, limit: u64, spare: &'a Spare) -> Self {
        Self {
            spare,
            reader,
            pending: Vec::new(),
            offset: 0,
            limit,
            packed: None,
            ended: false,
            failure: None,
        }
    }

    /// The same feed of what is unpacked from `stored` bytes.
    pub(crate) fn unpacked_from(mut self, stored: Stored, limits: Limits) -> Self {
        self.packed = Some((stored, limits));
        self
    }

    /// What is at hand.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.pending
    }

    /// Offset in the stream of the first byte at hand.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// True when nothing will be added.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Why the stream ended, when it did not just end.
    pub(crate) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// Offset just after the last byte read.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.pending.len() as u64
    }

    /// Reads until `want` bytes are at hand or the stream ends.
    pub(crate) fn fill(&mut self, want: usize) {
        if self.ended || self.pending.len() >= want {
            return;
        }
        let have = self.pending.len();
        let missing = want - have;
        let allowed = self.limit.saturating_sub(self.end());
        let ask = (missing as u64).min(allowed);
        match self.read(ask as usize) {
            Ok(got) if got >= ZEROS && is_zero(self.pending.get(have..).unwrap_or_default()) => {
                let kept = self.pending.iter().rposition(|byte| *byte != 0);
                self.pending.truncate(kept.map_or(0, |at| at + 1));
                self.stop(Stop::Zeros.into());
            }
            Ok(got) if (got as u64) < ask => self.ended = true,
            Ok(_) if ask == allowed => self.stop(Stop::Length.into()),
            Ok(_) => {
                if let Some((stored, limits)) = &self.packed
                    && self.end() > limits.unpacked(stored.bytes())
                {
                    self.stop(Stop::Ratio(limits.ratio).into());
                }
            }
            Err(error) => self.stop(error),
        }
    }

    fn stop(&mut self, why: io::Error) {
        self.ended = true;
        self.failure = Some(why);
    }

    /// Appends up to `ask` bytes. Growing a vector for `read_to_end` would write every byte once more before
    /// reading it.
    fn read(&mut self, ask: usize) -> io::Result<usize> {
        let have = self.pending.len();
        let mut block = self.spare.take(have + ask);
        block[..have].copy_from_slice(&self.pending);
        let mut filled = have;
        let outcome = loop {
            match self.reader.read(&mut block[filled..]) {
                Ok(0) => break Ok(filled - have),
                Ok(got) => filled += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        block.truncate(filled);
        self.pending = block;
        outcome
    }

    /// Takes `count` bytes off the front, with their offset.
    pub(crate) fn take(&mut self, count: usize) -> (u64, Vec<u8>) {
        let count = count.min(self.pending.len());
        let rest = self.pending.get(count..).unwrap_or_default().to_vec();
        let mut taken = std::mem::replace(&mut self.pending, rest);
        taken.truncate(count);
        let offset = self.offset;
        self.offset += count as u64;
        (offset, taken)
    }

    /// Throws `count` bytes away.
    pub(crate) fn drop_front(&mut self, count: usize) {
        let count = count.min(self.pending.len());
        self.pending.drain(..count);
        self.offset += count as u64;
    }
}

/// True when `bytes` are zeros; told from text by three of them.
fn is_zero(bytes: &[u8]) -> bool {
    let spots = [bytes.first(), bytes.get(bytes.len() / 2), bytes.last()];
    spots == [Some(&0); 3] && bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn bytes_are_taken_in_order_with_their_offsets() {
        let spare = Spare::default();
        let reader = Box::new(Cursor::new(b"abcdefgh".to_vec()));
        let mut feed = Feed::new(reader, u64::MAX, &spare);
        feed.fill(3);
        assert_eq!((feed.bytes(), feed.ended()), (&b"abc"[..], false));
        assert_eq!(feed.take(2), (0, b"ab".to_vec()));
        feed.fill(100);
        assert_eq!(
            (feed.bytes(), feed.ended(), feed.offset()),
            (&b"cdefgh"[..], true, 2)
        );
        feed.drop_front(4);
        let (offset, rest) = feed.take(9);
        assert_eq!((offset, rest.as_slice()), (6, &b"gh"[..]));
        spare.give(rest);
        assert!(feed.failure().is_none());
    }

    #[test]
    fn a_hole_ends_the_stream() {
        let spare = Spare::default();
        let endless = b"record\n".chain(io::repeat(0));
        let mut feed = Feed::new(Box::new(endless), u64::MAX, &spare);
        feed.fill(10);
        feed.fill(1 << 18);
        assert_eq!((feed.bytes(), feed.end()), (&b"record\n"[..], 7));
        assert_eq!(feed.failure().and_then(Stop::of), Some(Stop::Zeros));
    }

    #[test]
    fn what_unpacks_to_far_more_than_is_stored_ends() {
        let spare = Spare::default();
        let limits = Limits::default();
        let feed = Feed::new(Box::new(io::repeat(b'x')), u64::MAX, &spare);
        let mut feed = feed.unpacked_from(Stored::Known(1_000), limits);
        while !feed.ended() {
            feed.fill(1 << 20);
            feed.drop_front(1 << 20);
        }
        assert_eq!(feed.end(), Limits::UNCHECKED + (1 << 20));
        assert_eq!(feed.failure().and_then(Stop::of), Some(Stop::Ratio(250)));
        let large = Stored::Known(1 << 21);
        let feed = Feed::new(Box::new(io::repeat(b'x')), u64::MAX, &spare);
        let mut feed = feed.unpacked_from(large, limits);
        feed.fill(1 << 20);
        feed.drop_front(1 << 20);
        feed.fill(Limits::UNCHECKED as usize);
        assert!(feed.failure().is_none());
    }

    #[test]
    fn the_limit_ends_the_stream_with_a_reason() {
        let spare = Spare::default();
        spare.give(vec![7; 20]);
        let mut feed = Feed::new(Box::new(Cursor::new(vec![0; 100])), 10, &spare);
        feed.fill(50);
        assert_eq!(feed.bytes(), [0; 10]);
        assert!(feed.failure().is_some());
    }
}
