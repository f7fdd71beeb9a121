//! A file that grows line by line and begins anew when it is full.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Lines in a file of bounded size. At all times it holds whole lines only, unless the disk is full. An
/// older file of its name is put aside as `NAME.1`, that as `NAME.2`, and so on.
#[derive(Debug)]
pub struct Rotating {
    path: PathBuf,
    file: File,
    size: u64,
    most: u64,
    keep: usize,
    written: u64,
    files: usize,
    deleted: usize,
}

impl Rotating {
    /// A new file at `path`. It is put aside before it would exceed `most` bytes; of those put aside, the
    /// newest `keep` stay.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path, most: u64, keep: usize) -> io::Result<Self> {
        // Pipes and devices are written to as they are.
        let special = path.metadata().is_ok_and(|there| !there.is_file());
        let mut deleted = 0;
        if !special && path.metadata().is_ok_and(|there| there.len() > 0) {
            deleted = put_aside(path, keep)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file: open(path, special)?,
            size: 0,
            most: if special { u64::MAX } else { most.max(1) },
            keep,
            written: 0,
            files: 1,
            deleted,
        })
    }

    /// Appends one line, which is in the file when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        let length = line.len() as u64 + 1;
        if self.size > 0 && self.size.saturating_add(length) > self.most {
            self.file.sync_all()?;
            self.deleted += put_aside(&self.path, self.keep)?;
            self.file = open(&self.path, false)?;
            self.size = 0;
            self.files += 1;
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        if let Err(error) = self.file.write_all(&bytes) {
            // Half a line helps nobody.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += length;
        self.written += length;
        Ok(())
    }

    /// Has everything on disk. What is no file has no disk.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn finish(&self) -> io::Result<()> {
        match self.most {
            u64::MAX => Ok(()),
            _ => self.file.sync_all(),
        }
    }

    /// Bytes written, in all files.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Files begun, and old ones that were deleted because there were too many.
    #[must_use]
    pub fn files(&self) -> (usize, usize) {
        (self.files, self.deleted)
    }
}

fn open(path: &Path, special: bool) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(!special)
        .truncate(!special)
        .open(path)
}

/// `NAME` with a number behind it.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// Makes room at `path`; the number of files that had to go.
fn put_aside(path: &Path, keep: usize) -> io::Result<usize> {
    if keep == 0 {
        fs::remove_file(path)?;
        return Ok(1);
    }
    let mut taken = 1;
    while taken <= keep && numbered(path, taken).exists() {
        taken += 1;
    }
    let gone = usize::from(taken > keep);
    for number in (1..taken.min(keep)).rev() {
        fs::rename(numbered(path, number), numbered(path, number + 1))?;
    }
    fs::rename(path, numbered(path, 1))?;
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|n| n.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gpu.jsonl");
        let mut file = Rotating::create(&path, 10, 2).unwrap();
        for line in ["aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff", "gggg"] {
            file.line(line).unwrap();
        }
        file.finish().unwrap();
        assert_eq!(
            names(folder.path()),
            ["gpu.jsonl", "gpu.jsonl.1", "gpu.jsonl.2"]
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "gggg\n");
        let older = |n| fs::read_to_string(numbered(&path, n)).unwrap();
        assert_eq!(
            (older(1), older(2)),
            ("eeee\nffff\n".into(), "cccc\ndddd\n".into())
        );
        assert_eq!((file.written(), file.files()), (35, (4, 1)));
    }

    #[test]
    fn an_older_recording_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gpu.jsonl");
        fs::write(&path, "old\n").unwrap();
        let mut file = Rotating::create(&path, 1_000, 8).unwrap();
        file.line("new").unwrap();
        assert_eq!(fs::read_to_string(numbered(&path, 1)).unwrap(), "old\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
    }

    #[test]
    fn a_line_longer_than_a_file_may_be_is_written_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut file = Rotating::create(&path, 3, 8).unwrap();
        file.line("longer").unwrap();
        file.line("still longer").unwrap();
        assert_eq!(names(folder.path()), ["x", "x.1"]);
    }
}
