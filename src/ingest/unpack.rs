//! Compressed inputs and containers, told by their first bytes and unpacked as a stream. A damaged stream gives
//! everything up to the damage, then an error.

use std::io::{self, BufRead, Chain, Cursor, Read};

use super::gzip::Gzip;
use super::parquet;
use super::pump::Options;

/// Compressions inside compressions are followed this far.
const DEPTH: usize = 4;
/// What is unpacked in one step can be lost with the error that ends it, so steps are small.
const STEP: usize = 32 * 1024;

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A stream of bytes, wherever it comes from.
pub(crate) type Bytes<'a> = Box<dyn Read + Send + 'a>;

type Whole<'a> = Chain<Cursor<Vec<u8>>, Bytes<'a>>;

/// Unpacks `bytes` as often as it is packed. Also gives the names of the compressions, outermost
/// first; when there is any, an error while reading means damage.
pub(crate) fn unpack<'b>(
    mut bytes: Bytes<'b>,
    options: &Options,
) -> io::Result<(Bytes<'b>, Vec<&'static str>)> {
    let mut layers = Vec::new();
    while layers.len() < DEPTH {
        let (start, all) = peek(bytes)?;
        bytes = match start.as_slice() {
            [0x1f, 0x8b, ..] => {
                layers.push("gzip");
                Box::new(Gzip::new(all))
            }
            start if start == parquet::MAGIC => {
                layers.push("parquet");
                return Ok((Box::new(parquet::Rows::of_stream(all, options)?), layers));
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

/// The first bytes, and all of them once more.
fn peek(mut bytes: Bytes<'_>) -> io::Result<(Vec<u8>, Whole<'_>)> {
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
        let (mut reader, layers) =
            unpack(Box::new(Cursor::new(bytes)), &Options::default()).unwrap();
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
