//! Parquet pages before they are unpacked. The library makes room for as much as a page's header claims to unpack to,
//! up to 2 GiB, whatever there is to be unpacked: claims that go too far are refused.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::ingest::limits::Limits;
use crate::ingest::stop::Stop;

/// A page that unpacks to no more than this may do so from any size.
const SMALL: u64 = 64 << 20;
/// As much of a page as its header's first three fields take at most.
const HEAD: u64 = 18;

/// A file whose pages are looked at first.
pub(super) struct Pages<R> {
    file: R,
    limits: Limits,
    /// Bytes that one page may unpack to.
    largest: usize,
    /// Bytes that all pages so far unpacked to.
    unpacked: AtomicU64,
}

impl<R: Length> Pages<R> {
    pub(super) fn of(file: R, limits: Limits, largest: usize) -> Self {
        Self {
            file,
            limits,
            largest,
            unpacked: AtomicU64::new(0),
        }
    }

    /// Takes note of a page.
    fn check(&self, unpacked: u64, packed: u64) -> std::result::Result<(), Stop> {
        if unpacked > self.largest as u64 {
            return Err(Stop::Page(self.largest));
        }
        let before = self.unpacked.fetch_add(unpacked, Ordering::Relaxed);
        let ratio = self.limits.ratio;
        let alone = unpacked > SMALL.max(packed.saturating_mul(ratio.into()));
        if alone || before + unpacked > self.limits.unpacked(self.file.len()) {
            return Err(Stop::Ratio(ratio));
        }
        Ok(())
    }
}

impl<R: Length> Length for Pages<R> {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl<R: ChunkReader> ChunkReader for Pages<R> {
    type T = R::T;

    /// Every page is read from its header on.
    fn get_read(&self, start: u64) -> Result<R::T> {
        let rest = self.len().saturating_sub(start).min(HEAD);
        let head = self.file.get_bytes(start, rest as usize)?;
        if let Some((unpacked, packed)) = sizes(&head) {
            let checked = self.check(unpacked, packed);
            checked.map_err(|stop| ParquetError::External(stop.into()))?;
        }
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.file.get_bytes(start, length)
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

    /// Whether pages of these sizes may be read, one after another, from a file of so many bytes.
    fn taken(stored: usize, pages: &[(u64, u64)]) -> Vec<bool> {
        let headers: Vec<Vec<u8>> = pages.iter().map(|page| header(page.0, page.1)).collect();
        let mut bytes = headers.concat();
        bytes.resize(bytes.len().max(stored), 0);
        let file = Pages::of(Bytes::from(bytes), Limits::default(), 1 << 29);
        let mut start = 0;
        let mut is_taken = |header: &Vec<u8>| {
            let found = file.get_read(start).is_ok();
            start += header.len() as u64;
            found
        };
        headers.iter().map(&mut is_taken).collect()
    }

    #[test]
    fn a_page_that_claims_too_much_is_refused() {
        assert_eq!(taken(0, &[(SMALL, 1)]), [true]);
        assert_eq!(taken(0, &[(SMALL + 1, 1)]), [false]);
        assert_eq!(taken(0, &[(100_000_000, 400_000)]), [true]);
        assert_eq!(taken(0, &[(100_000_001, 400_000)]), [false]);
        // However much there is to unpack.
        assert_eq!(taken(4 << 20, &[(1 << 29, 4 << 20)]), [true]);
        assert_eq!(taken(4 << 20, &[((1 << 29) + 1, 4 << 20)]), [false]);
    }

    #[test]
    fn pages_that_claim_too_much_together_are_refused() {
        let page = (SMALL, 1 << 20);
        assert_eq!(taken(0, &[page; 5]), [true, true, true, true, false]);
        assert_eq!(
            taken(2 << 20, &[page; 8]),
            [[true; 7].as_slice(), &[false]].concat()
        );
    }

    #[test]
    fn what_is_no_page_is_passed_on() {
        let file = Pages::of(Bytes::from_static(b"PAR1PAR1"), Limits::default(), 1 << 29);
        assert!(file.get_read(4).is_ok() && file.get_read(8).is_ok());
        assert_eq!(
            (file.len(), file.get_bytes(4, 4).unwrap()),
            (8, Bytes::from_static(b"PAR1"))
        );
    }
}
