//! A stream read ahead into a buffer from which whole records are taken off the front.

use std::io::{self, Read};

use super::unpack::Bytes;

/// Bytes that were read and not yet taken.
pub(crate) struct Feed<'a> {
    reader: Bytes<'a>,
    pending: Vec<u8>,
    offset: u64,
    limit: u64,
    ended: bool,
    failure: Option<io::Error>,
}

impl<'a> Feed<'a> {
    /// A feed of at most `limit` bytes of `reader`.
    pub(crate) fn new(reader: Bytes<'a>, limit: u64) -> Self {
        Self {
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

    /// Appends up to `ask` bytes. A fresh zeroed block comes from the system as it is, while growing a
    /// vector for `read_to_end` would write every byte once more before reading it.
    fn read(&mut self, ask: usize) -> io::Result<usize> {
        let have = self.pending.len();
        let mut block = vec![0; have + ask];
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
        let mut feed = Feed::new(Box::new(Cursor::new(b"abcdefgh".to_vec())), u64::MAX);
        feed.fill(3);
        assert_eq!((feed.bytes(), feed.ended()), (&b"abc"[..], false));
        assert_eq!(feed.take(2), (0, b"ab".to_vec()));
        feed.fill(100);
        assert_eq!(
            (feed.bytes(), feed.ended(), feed.offset()),
            (&b"cdefgh"[..], true, 2)
        );
        feed.drop_front(4);
        assert_eq!(feed.take(9), (6, b"gh".to_vec()));
        assert!(feed.failure().is_none());
    }

    #[test]
    fn the_limit_ends_the_stream_with_a_reason() {
        let mut feed = Feed::new(Box::new(Cursor::new(vec![0; 100])), 10);
        feed.fill(50);
        assert_eq!(feed.bytes().len(), 10);
        assert!(feed.failure().is_some());
    }
}
