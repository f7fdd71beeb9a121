//! Parquet pages before they are unpacked. The library makes room for as much as a page's header claims to unpack to,
//! up to 2 GiB, whatever there is to be unpacked: such claims are refused.

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// A page that unpacks to no more than this may claim what it likes.
const SMALL: u64 = 64 << 20;
/// A larger one unpacks to at most this many times its size.
const RATIO: u64 = 1_000;
/// As much of a page as its header's first three fields take at most.
const HEAD: u64 = 18;

/// A file whose pages are looked at first.
pub(super) struct Pages<R>(pub(super) R);

impl<R: Length> Length for Pages<R> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<R: ChunkReader> ChunkReader for Pages<R> {
    type T = R::T;

    /// Every page is read from its header on.
    fn get_read(&self, start: u64) -> Result<R::T> {
        let rest = self.len().saturating_sub(start).min(HEAD);
        let head = self.0.get_bytes(start, rest as usize)?;
        match sizes(&head) {
            Some((unpacked, packed)) if unpacked > SMALL && unpacked > RATIO * packed => {
                Err(ParquetError::General("a page claims too much".to_owned()))
            }
            _ => self.0.get_read(start),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// What a page unpacks to and its size, as its header says: type, unpacked and packed size are the first three fields,
/// all of them 32 bits (Thrift's compact protocol; `PageHeader` in parquet.thrift). `None` for what is no header.
fn sizes(head: &[u8]) -> Option<(u64, u64)> {
    let (kind, rest) = field(head)?;
    let (unpacked, rest) = field(rest)?;
    let (packed, _) = field(rest)?;
    (kind <= 3).then_some((unpacked, packed))
}

/// The next field, if it is a number that is not negative, and what follows it.
fn field(bytes: &[u8]) -> Option<(u64, &[u8])> {
    // The next field's number, 32 bits wide.
    let mut rest = bytes.strip_prefix(&[0x15])?;
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let (byte, after) = rest.split_first()?;
        rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            // Zigzag: odd numbers are the negative ones.
            return (value % 2 == 0).then_some((value / 2, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three fields of a page's header.
    fn header(unpacked: u64, packed: u64) -> Vec<u8> {
        let mut head = vec![0x15, 0x00];
        for size in [unpacked, packed] {
            head.push(0x15);
            let mut rest = size * 2;
            while rest > 0x7f {
                head.push(rest as u8 & 0x7f | 0x80);
                rest >>= 7;
            }
            head.push(rest as u8);
        }
        head
    }

    #[test]
    fn sizes_are_those_of_the_header() {
        for sizes_of in [
            (0, 0),
            (63, 64),
            (43, 300),
            (1 << 20, 1 << 13),
            ((1 << 31) - 1, 74),
        ] {
            assert_eq!(sizes(&header(sizes_of.0, sizes_of.1)), Some(sizes_of));
        }
        assert_eq!(sizes(b"PAR1 and what follows"), None);
        assert_eq!(sizes(&header(500, 300)[..5]), None);
        assert_eq!(
            sizes(&[0x15, 0x08, 0x15, 0x02, 0x15, 0x02]),
            None,
            "of no known type"
        );
        assert_eq!(
            sizes(&[0x15, 0x00, 0x15, 0x01, 0x15, 0x02]),
            None,
            "negative"
        );
        assert_eq!(sizes(&[0x15, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), None);
    }

    #[test]
    fn a_page_that_claims_a_thousand_times_its_size_is_refused() {
        let taken = |unpacked, packed| {
            let file = Pages(Bytes::from(header(unpacked, packed)));
            file.get_read(0).is_ok()
        };
        assert!(taken(SMALL, 1) && !taken(SMALL + 1, 1));
        assert!(taken(100_000_000, 100_000) && !taken(100_000_001, 100_000));
        let file = Pages(Bytes::from_static(b"PAR1PAR1"));
        assert!(file.get_read(4).is_ok() && file.get_read(8).is_ok());
        assert_eq!(
            (file.len(), file.get_bytes(4, 4).unwrap()),
            (8, Bytes::from_static(b"PAR1"))
        );
    }
}
