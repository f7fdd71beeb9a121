//! A temporary file for what is not needed for a while. It has no name from the start, so that nothing of it is left
//! however the run ends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::units::{Words, lengthen, roomy};

/// Rows of a table that are written at once: beside the table itself, few are held twice.
const ROWS: usize = 1 << 13;

/// What may be put away.
pub(super) trait Row: Sized + Send + Sync {
    /// Writes rows behind `bytes`.
    ///
    /// # Errors
    /// When they have no form in bytes.
    fn write(rows: &[Self], bytes: &mut Vec<u8>) -> io::Result<()>;

    /// Reads all rows that were written together.
    ///
    /// # Errors
    /// When these bytes are not what was written.
    fn read(bytes: &[u8], into: &mut Vec<Self>) -> io::Result<()>;
}

/// [`Row::write`] of what lies in so many words each.
pub(super) fn write_words<T: Words<N>, const N: usize>(rows: &[T], bytes: &mut Vec<u8>) {
    let each = size_of::<[u32; N]>();
    let start = bytes.len();
    bytes.resize(start + each * rows.len(), 0);
    for (slots, row) in bytes[start..].chunks_exact_mut(each).zip(rows) {
        let (slots, _) = slots.as_chunks_mut();
        for (slot, word) in slots.iter_mut().zip(row.words()) {
            *slot = word.to_le_bytes();
        }
    }
}

/// [`Row::read`] of what lies in so many words each.
///
/// # Errors
/// As there.
pub(super) fn read_words<T: Words<N>, const N: usize>(
    bytes: &[u8],
    into: &mut Vec<T>,
) -> io::Result<()> {
    let rows = bytes.chunks_exact(size_of::<[u32; N]>());
    if !rows.remainder().is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    into.extend(rows.map(|row| {
        let mut words = [0; N];
        for (word, bytes) in words.iter_mut().zip(row.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        T::from_words(words)
    }));
    Ok(())
}

/// [`Row::write`] of what has no form of its own.
///
/// # Errors
/// As there.
pub(super) fn write_plain<T: Serialize>(rows: &[T], bytes: &mut Vec<u8>) -> io::Result<()> {
    let written = postcard::to_extend(rows, std::mem::take(bytes));
    *bytes = written.map_err(io::Error::other)?;
    Ok(())
}

/// [`Row::read`] of what has no form of its own.
///
/// # Errors
/// As there.
pub(super) fn read_plain<T: DeserializeOwned>(bytes: &[u8], into: &mut Vec<T>) -> io::Result<()> {
    let rows: Vec<T> = postcard::from_bytes(bytes).map_err(io::Error::other)?;
    into.extend(rows);
    Ok(())
}

/// The file, in the system's folder for such files (`TMPDIR`).
#[derive(Debug)]
pub(super) struct Shelf {
    file: Option<File>,
    /// Whether what the file cannot take is kept in memory.
    lenient: bool,
    end: AtomicU64,
}

/// Where rows lie that were written together.
#[derive(Debug)]
struct Slip {
    start: u64,
    bytes: usize,
    rows: usize,
}

/// A table that was put away, rows together as they lay.
#[derive(Debug)]
pub(super) struct Away<T> {
    slips: Vec<Slip>,
    rows: usize,
    /// Rows behind these that the file could not take.
    here: Vec<T>,
}

impl<T> Default for Away<T> {
    fn default() -> Self {
        Self {
            slips: Vec::new(),
            rows: 0,
            here: Vec::new(),
        }
    }
}

impl Shelf {
    /// A file that must take what it is given.
    ///
    /// # Errors
    /// When no file can be made.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self::over(Some(tempfile::tempfile()?), false))
    }

    /// A file that takes what it can: where none can be made, or it is full, tables stay in memory.
    pub(super) fn lenient() -> Self {
        Self::over(tempfile::tempfile().ok(), true)
    }

    pub(super) fn over(file: Option<File>, lenient: bool) -> Self {
        Self {
            file,
            lenient,
            end: AtomicU64::new(0),
        }
    }

    /// Puts a table away, on all threads.
    ///
    /// # Errors
    /// When the file must take it and cannot.
    pub(super) fn put<T: Row>(&self, table: Vec<T>) -> io::Result<Away<T>> {
        let mut away = Away::default();
        self.add(&mut away, table)?;
        Ok(away)
    }

    /// Puts further rows to a table that was put away.
    ///
    /// # Errors
    /// When the file must take them and cannot.
    pub(super) fn add<T: Row>(&self, away: &mut Away<T>, mut rows: Vec<T>) -> io::Result<()> {
        let part = rows.len().div_ceil(rayon::current_num_threads());
        let part = part.clamp(1, ROWS);
        let mut written = 0;
        if away.here.is_empty() {
            let parts = rows.par_chunks(part);
            let slips = parts.map_init(Vec::new, |bytes, rows| self.write(rows, bytes));
            for slip in slips.collect::<Vec<_>>() {
                match slip {
                    Ok(slip) => {
                        written += slip.rows;
                        away.slips.push(slip);
                    }
                    Err(error) => {
                        self.keeps(error)?;
                        break;
                    }
                }
            }
        }
        away.rows += written;
        lengthen(&mut away.here, rows.split_off(written));
        Ok(())
    }

    /// That what could not be written for this reason may stay in memory.
    fn keeps(&self, error: io::Error) -> io::Result<()> {
        match self.lenient {
            true => Ok(()),
            false => Err(error),
        }
    }

    fn file(&self) -> io::Result<&File> {
        Ok(self.file.as_ref().ok_or(io::ErrorKind::NotFound)?)
    }

    /// Writes rows that lie together; `bytes` is memory to do so.
    fn write<T: Row>(&self, rows: &[T], bytes: &mut Vec<u8>) -> io::Result<Slip> {
        let file = self.file()?;
        bytes.clear();
        T::write(rows, bytes)?;
        let start = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        file.write_all_at(bytes, start)?;
        Ok(Slip {
            start,
            bytes: bytes.len(),
            rows: rows.len(),
        })
    }

    /// Brings a table back as it was, on all threads.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn take<T: Row>(&self, away: Away<T>) -> io::Result<Vec<T>> {
        if away.slips.is_empty() {
            return Ok(away.here);
        }
        let mut table = roomy(away.rows + away.here.len());
        let threads = rayon::current_num_threads();
        if threads == 1 {
            let mut bytes = Vec::new();
            for slip in &away.slips {
                self.read(slip, &mut bytes, &mut table)?;
            }
        } else {
            for some in away.slips.chunks(2 * threads) {
                let some = some.par_iter().map(|slip| self.rows(slip));
                for rows in some.collect::<Vec<_>>() {
                    table.extend(rows?);
                }
            }
        }
        table.extend(away.here);
        Ok(table)
    }

    fn rows<T: Row>(&self, slip: &Slip) -> io::Result<Vec<T>> {
        let mut rows = Vec::with_capacity(slip.rows);
        self.read(slip, &mut Vec::new(), &mut rows)?;
        Ok(rows)
    }

    /// Reads rows that lie together; `bytes` is memory to do so.
    fn read<T: Row>(&self, slip: &Slip, bytes: &mut Vec<u8>, into: &mut Vec<T>) -> io::Result<()> {
        bytes.resize(slip.bytes, 0);
        self.file()?.read_exact_at(bytes, slip.start)?;
        T::read(bytes, into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Row for String {
        fn write(rows: &[Self], bytes: &mut Vec<u8>) -> io::Result<()> {
            write_plain(rows, bytes)
        }

        fn read(bytes: &[u8], into: &mut Vec<Self>) -> io::Result<()> {
            read_plain(bytes, into)
        }
    }

    fn texts() -> Vec<String> {
        (0..100).map(|n| format!("{n}")).collect()
    }

    fn numbers() -> Vec<u32> {
        (0..3 * ROWS as u32 + 7)
            .map(|n| n.wrapping_mul(n))
            .collect()
    }

    /// Two tables put away by turns, and what comes back.
    fn round_trip(shelf: Shelf) {
        let first = shelf.put(numbers()).unwrap();
        let mut second = shelf.put(texts()[..40].to_vec()).unwrap();
        let none = shelf.put(Vec::<u32>::new()).unwrap();
        for text in &texts()[40..] {
            shelf.add(&mut second, vec![text.clone()]).unwrap();
        }
        assert_eq!(shelf.take(second).unwrap(), texts());
        assert_eq!(shelf.take(first).unwrap(), numbers());
        assert!(shelf.take(none).unwrap().is_empty());
    }

    #[test]
    fn tables_come_back_as_they_were_whatever_else_was_put_away() {
        round_trip(Shelf::new().unwrap());
        round_trip(Shelf::lenient());
    }

    #[test]
    fn what_a_file_cannot_take_stays_in_memory_where_it_may() {
        let full = || File::options().write(true).open("/dev/full").ok();
        round_trip(Shelf::over(None, true));
        round_trip(Shelf::over(full(), true));
        let strict = Shelf::over(full(), false);
        assert!(strict.put(numbers()).is_err());
        assert!(strict.add(&mut Away::default(), texts()).is_err());
    }

    #[test]
    fn a_file_that_fills_up_keeps_what_it_took() {
        let mut shelf = Shelf::lenient();
        let mut away = shelf.put(numbers()).unwrap();
        let written = shelf.file.take();
        shelf.add(&mut away, vec![1]).unwrap();
        shelf.file = written;
        shelf.add(&mut away, vec![2]).unwrap();
        let all: Vec<u32> = numbers().into_iter().chain([1, 2]).collect();
        assert_eq!(shelf.take(away).unwrap(), all);
    }
}
