//! A temporary file for what is not needed for a while. It has no name from the start, so that nothing of it is left
//! however the run ends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::units::{growing, roomy};

/// Rows of a table that are written at once: beside the table itself, few are held twice.
const ROWS: usize = 1 << 14;

/// The file, in the system's folder for such files (`TMPDIR`).
#[derive(Debug)]
pub(super) struct Shelf {
    file: File,
    end: u64,
    /// Room for some rows as they are written; kept for the next, if they were few.
    bytes: Vec<u8>,
}

/// Room for more bytes than this is given back.
const FEW: usize = 1 << 20;

/// Where a value lies.
#[derive(Debug)]
struct Slip {
    start: u64,
    bytes: usize,
}

/// A table that was put away, rows together as they lay.
#[derive(Debug)]
pub(super) struct Away<T> {
    slips: Vec<Slip>,
    rows: usize,
    of: std::marker::PhantomData<T>,
}

impl Shelf {
    /// # Errors
    /// When no file can be made.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile()?,
            end: 0,
            bytes: growing(),
        })
    }

    /// Puts a table away.
    ///
    /// # Errors
    /// When the file cannot take it.
    pub(super) fn put<T: Serialize>(&mut self, table: Vec<T>) -> io::Result<Away<T>> {
        let mut away = Away {
            slips: Vec::new(),
            rows: 0,
            of: std::marker::PhantomData,
        };
        for rows in table.chunks(ROWS) {
            self.add(&mut away, rows)?;
        }
        Ok(away)
    }

    /// Puts further rows to a table that was put away.
    ///
    /// # Errors
    /// When the file cannot take them.
    pub(super) fn add<T: Serialize>(&mut self, away: &mut Away<T>, rows: &[T]) -> io::Result<()> {
        self.bytes.clear();
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(rows, bytes).map_err(io::Error::other)?;
        self.file.write_all_at(&self.bytes, self.end)?;
        away.slips.push(Slip {
            start: self.end,
            bytes: self.bytes.len(),
        });
        away.rows += rows.len();
        self.end += self.bytes.len() as u64;
        self.give_back();
        Ok(())
    }

    fn give_back(&mut self) {
        if self.bytes.len() > FEW {
            self.bytes = growing();
        }
    }

    /// Brings a table back, as it was.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn take<T: DeserializeOwned>(&mut self, away: Away<T>) -> io::Result<Vec<T>> {
        let mut table = roomy(away.rows);
        for slip in away.slips {
            self.bytes.resize(slip.bytes, 0);
            self.file.read_exact_at(&mut self.bytes, slip.start)?;
            let rows: Vec<T> = postcard::from_bytes(&self.bytes).map_err(io::Error::other)?;
            table.extend(rows);
            self.give_back();
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back_as_they_were_whatever_else_was_put_away() {
        let mut shelf = Shelf::new().unwrap();
        let numbers: Vec<u64> = (0..3 * ROWS as u64 + 7).map(|n| n * n).collect();
        let texts: Vec<String> = (0..100).map(|n| format!("{n}")).collect();
        let first = shelf.put(numbers.clone()).unwrap();
        let mut second = shelf.put(texts[..40].to_vec()).unwrap();
        let none = shelf.put(Vec::<u64>::new()).unwrap();
        shelf.add(&mut second, &texts[40..]).unwrap();
        assert_eq!(shelf.take(second).unwrap(), texts);
        assert_eq!(shelf.take(first).unwrap(), numbers);
        assert!(shelf.take(none).unwrap().is_empty());
    }
}
