//! A file as it was when it was opened: what is appended while it is read is left for the next run, and
//! a file that becomes shorter says so.

use std::fs::File;
use std::io::{self, Read};

use super::stop::Stop;

/// Reads a file up to the size it had at first.
pub(super) struct Snapshot<R> {
    bytes: R,
    left: u64,
}

/// Opens the bytes of `file`. Pipes, devices and files that do not know their size are read to their end.
pub(super) fn of(file: File) -> Box<dyn Read + Send> {
    match file.metadata() {
        Ok(meta) if meta.is_file() && meta.len() > 0 => Box::new(Snapshot {
            bytes: file,
            left: meta.len(),
        }),
        _ => Box::new(file),
    }
}

impl<R: Read> Read for Snapshot<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let into = into.get_mut(..most).unwrap_or_default();
        if into.is_empty() {
            return Ok(0);
        }
        match self.bytes.read(into)? {
            0 => Err(Stop::Shrunk.into()),
            count => {
                self.left -= count as u64;
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::NamedTempFile;

    use super::*;

    #[test]
    fn what_is_appended_later_is_not_read() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"first").unwrap();
        let mut snapshot = of(file.reopen().unwrap());
        file.write_all(b"second").unwrap();
        let mut text = String::new();
        snapshot.read_to_string(&mut text).unwrap();
        assert_eq!(text, "first");
    }

    #[test]
    fn a_file_that_becomes_shorter_says_so() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&[b'x'; 100]).unwrap();
        let mut snapshot = of(file.reopen().unwrap());
        let mut start = [0; 40];
        snapshot.read_exact(&mut start).unwrap();
        file.as_file().set_len(60).unwrap();
        let mut rest = Vec::new();
        let error = snapshot.read_to_end(&mut rest).unwrap_err();
        assert_eq!((rest.len(), Stop::of(&error)), (20, Some(Stop::Shrunk)));
    }
}
