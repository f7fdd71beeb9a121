//! Compressed inputs, told by their first bytes and unpacked as a stream. A damaged stream gives
//! everything up to the damage, then an error.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Compressions inside compressions are followed this far.
const DEPTH: usize = 4;
/// What is unpacked in one step can be lost with the error that ends it, so steps are small.
const STEP: usize = 32 * 1024;

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A stream of bytes, wherever it comes from.
pub(crate) type Bytes<'a> = Box<dyn Read + Send + 'a>;

/// Unpacks `bytes` as often as it is packed. Also gives the names of the compressions, outermost
/// first; when there is any, an error while reading means damage.
pub(crate) fn unpack(mut bytes: Bytes<'_>) -> io::Result<(Bytes<'_>, Vec<&'static str>)> {
    let mut layers = Vec::new();
    while layers.len() < DEPTH {
        let (start, all) = peek(bytes)?;
        bytes = match start.as_slice() {
            [0x1f, 0x8b, ..] => {
                layers.push("gzip");
                Box::new(Gzip::new(all))
            }
            start if is_zstd(start) => {
                layers.push("zstd");
                Box::new(Zstd(zstd::stream::read::Decoder::new(all)?))
            }
            _ => return Ok((Box::new(all), layers)),
        };
    }
    Ok((bytes, layers))
}

/// True for the start of a zstd frame, also of a skippable one.
fn is_zstd(start: &[u8]) -> bool {
    start.starts_with(&ZSTD) || matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Unpacks one message that was compressed by itself, at most `limit` bytes of it; `None` when it
/// is not compressed.
pub(crate) fn unpack_message(message: &[u8], limit: u64) -> Option<io::Result<Vec<u8>>> {
    let mut unpacked = Vec::new();
    let outcome = if message.starts_with(&ZSTD) {
        zstd::stream::read::Decoder::with_buffer(message)
            .and_then(|decoder| Zstd(decoder).take(limit).read_to_end(&mut unpacked))
    } else if message.starts_with(&[0x1f, 0x8b]) {
        Gzip::new(message).take(limit).read_to_end(&mut unpacked)
    } else {
        return None;
    };
    Some(match outcome {
        Err(error) if unpacked.is_empty() => Err(error),
        _ => Ok(unpacked),
    })
}

fn peek(mut bytes: Bytes<'_>) -> io::Result<(Vec<u8>, Chain<Cursor<Vec<u8>>, Bytes<'_>>)> {
    let mut start = Vec::new();
    let outcome = (&mut bytes).take(4).read_to_end(&mut start);
    if start.is_empty() {
        outcome?;
    }
    Ok((start.clone(), Cursor::new(start).chain(bytes)))
}

struct Zstd<R: BufRead>(zstd::stream::read::Decoder<'static, R>);

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let step = into.len().min(STEP);
        self.0.read(into.get_mut(..step).unwrap_or_default())
    }
}

/// A gzip reader over all members of a file. Unlike the ready-made one it hands out what was
/// unpacked before an error, and takes padding at the end.
struct Gzip<R> {
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
    fn new(input: R) -> Self {
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    fn read(bytes: Vec<u8>) -> (Vec<u8>, Vec<&'static str>, Option<String>) {
        let (mut reader, layers) = unpack(Box::new(Cursor::new(bytes))).unwrap();
        let mut out = Vec::new();
        let error = reader.read_to_end(&mut out).err().map(|e| e.to_string());
        (out, layers, error)
    }

    fn text() -> Vec<u8> {
        (0..60_000u32)
            .flat_map(|n| format!("{} ", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect()
    }

    #[test]
    fn members_frames_and_layers() {
        let text = text();
        assert_eq!(read(text.clone()), (text.clone(), vec![], None));
        let twice = [text.clone(), text.clone()].concat();
        let members = [gzip(&text), gzip(&text), vec![0; 300]].concat();
        assert_eq!(read(members), (twice.clone(), vec!["gzip"], None));
        let frames = [zstd(&text), zstd(&text)].concat();
        assert_eq!(read(frames), (twice, vec!["zstd"], None));
        assert_eq!(read(gzip(&zstd(&text))), (text, vec!["gzip", "zstd"], None));
        assert_eq!(read(Vec::new()), (vec![], vec![], None));
    }

    #[test]
    fn what_comes_before_the_damage_is_kept() {
        let text = text();
        for (packed, least) in [(gzip(&text), 0.45), (zstd(&text), 0.2)] {
            let mut cut = packed.clone();
            cut.truncate(packed.len() / 2);
            let (out, _, error) = read(cut);
            assert!(text.starts_with(&out) && error.is_some());
            assert!(
                out.len() as f64 > text.len() as f64 * least,
                "{}",
                out.len()
            );
        }
        let mut flipped = gzip(&text);
        let middle = flipped.len() / 2;
        flipped[middle..middle + 64].fill(0xff);
        let (out, _, error) = read(flipped);
        assert!(error.is_some());
        assert!(out.len() > text.len() / 3, "{}", out.len());
        let (out, _, error) = read([gzip(&text), b"garbage".to_vec()].concat());
        assert_eq!(out, text);
        assert!(error.unwrap().contains("not gzip"));
    }
}
