//! The gzip container (RFC 1952).

use std::io::{self, BufRead, BufReader, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// A gzip reader over all members of a file. Unlike the ready-made one it hands out what was
/// unpacked before an error, and takes padding at the end.
pub(super) struct Gzip<R> {
    input: BufReader<R>,
    inflate: Decompress,
    crc: Crc,
    state: State,
    failure: Option<io::Error>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    Next,
    Body,
    Done,
}

impl<R: Read> Gzip<R> {
    /// A reader of the members in `input`.
    pub(super) fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, input),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            state: State::First,
            failure: None,
        }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        let [byte] = byte;
        Ok(byte)
    }

    fn skip(&mut self, count: usize) -> io::Result<()> {
        (0..count).try_for_each(|_| self.byte().map(drop))
    }

    fn skip_text(&mut self) -> io::Result<()> {
        while self.byte()? != 0 {}
        Ok(())
    }

    /// The header of a member (RFC 1952), or the end of the file.
    fn header(&mut self) -> io::Result<()> {
        let mut magic = [0; 4];
        if self.state == State::Next && self.at_end()? {
            self.state = State::Done;
            return Ok(());
        }
        self.input.read_exact(&mut magic)?;
        let [0x1f, 0x8b, 8, flags] = magic else {
            return Err(damage(
                "bytes that are not gzip follow the end of the compressed data",
            ));
        };
        self.skip(6)?;
        if flags & 4 != 0 {
            let length = u16::from_le_bytes([self.byte()?, self.byte()?]);
            self.skip(usize::from(length))?;
        }
        if flags & 8 != 0 {
            self.skip_text()?;
        }
        if flags & 16 != 0 {
            self.skip_text()?;
        }
        if flags & 2 != 0 {
            self.skip(2)?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.state = State::Body;
        Ok(())
    }

    /// True when nothing but zeros is left: tapes and some servers pad with them.
    fn at_end(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(true);
            }
            let zeros = bytes.iter().take_while(|b| **b == 0).count();
            let more = bytes.len() > zeros;
            self.input.consume(zeros);
            if more {
                return Ok(false);
            }
        }
    }

    fn body(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let input = self.input.fill_buf()?;
        if input.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (consumed, produced) = (self.inflate.total_in(), self.inflate.total_out());
        let outcome = self.inflate.decompress(input, into, FlushDecompress::None);
        let consumed = (self.inflate.total_in() - consumed) as usize;
        let produced = (self.inflate.total_out() - produced) as usize;
        self.input.consume(consumed);
        self.crc.update(into.get(..produced).unwrap_or_default());
        match outcome {
            Ok(Status::StreamEnd) => {
                if let Err(error) = self.trailer() {
                    self.failure = Some(error);
                }
            }
            Ok(_) if consumed == 0 && produced == 0 => return Err(damage("no progress")),
            Ok(_) => {}
            Err(error) => self.failure = Some(damage(&error.to_string())),
        }
        Ok(produced)
    }

    fn trailer(&mut self) -> io::Result<()> {
        let mut sums = [0; 8];
        self.input.read_exact(&mut sums)?;
        self.state = State::Next;
        let [a, b, c, d, ..] = sums;
        match u32::from_le_bytes([a, b, c, d]) == self.crc.sum() {
            true => Ok(()),
            false => Err(damage("the checksum does not fit")),
        }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(error) = self.failure.take() {
                self.state = State::Done;
                return Err(readable(error));
            }
            if into.is_empty() || self.state == State::Done {
                return Ok(0);
            }
            let outcome = match self.state {
                State::Body => self.body(into),
                _ => self.header().map(|()| 0),
            };
            match outcome {
                Ok(0) => {}
                Ok(count) => return Ok(count),
                Err(error) => self.failure = Some(error),
            }
        }
    }
}

fn damage(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// "Failed to fill whole buffer" says nothing to the reader of a report.
fn readable(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the compressed data ends early",
        ),
        _ => error,
    }
}
