//! A stream read ahead into a buffer from which whole records are taken off the front.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

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

/// Bytes that were read and not yet taken.
pub(crate) struct Feed<'a> {
    spare: &'a Spare,
    reader: Bytes<'a>,
    pending: Vec<u8>,
    offset: u64,
    limit: u64,
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
            ended: false,
            failure: None,
        }
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
        let missing = want - self.pending.len();
        let allowed = self.limit.saturating_sub(self.end());
        let ask = (missing as u64).min(allowed);
        match self.read(ask as usize) {
            Ok(got) if (got as u64) < ask => self.ended = true,
            Ok(_) if ask == allowed => {
                self.ended = true;
                self.failure = Some(io::Error::other("the limit for unpacked data was reached"));
            }
            Ok(_) => {}
            Err(error) => {
                self.ended = true;
                self.failure = Some(error);
            }
        }
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
    fn the_limit_ends_the_stream_with_a_reason() {
        let spare = Spare::default();
        spare.give(vec![7; 20]);
        let mut feed = Feed::new(Box::new(Cursor::new(vec![0; 100])), 10, &spare);
        feed.fill(50);
        assert_eq!(feed.bytes(), [0; 10]);
        assert!(feed.failure().is_some());
    }
}
