//! Streams of rows from files and standard input.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::stage::{Kind, Reader, Row, StreamError};

/// Hands every row of the streams at `paths` to `take`; `-` is standard input, a folder stands for every `.arrow` file
/// below it.
///
/// # Errors
/// When one cannot be opened or read, or those of `take`; the message names the file.
pub(super) fn each<P: AsRef<Path>>(
    paths: &[P],
    mut take: impl FnMut(Row) -> Result<(), StreamError>,
) -> Result<(), Error> {
    for path in found(paths)? {
        let path = path.as_path();
        let refused =
            |error: &dyn std::fmt::Display| Error::File(format!("{}: {error}", path.display()));
        let from: Box<dyn Read> = match path.to_str() {
            Some("-") => Box::new(io::stdin().lock()),
            _ => Box::new(File::open(path).map_err(|error| refused(&error))?),
        };
        stream(BufReader::with_capacity(1 << 16, from), &mut take)
            .map_err(|error| refused(&error))?;
    }
    Ok(())
}

fn found<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let path = path.as_ref();
        match path.is_dir() {
            true => below(path, &mut found)
                .map_err(|error| Error::File(format!("{}: {error}", path.display())))?,
            false => found.push(path.to_owned()),
        }
    }
    Ok(found)
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    entries.sort_unstable();
    for entry in entries {
        if entry.is_dir() {
            below(&entry, found)?;
        } else if entry.extension().is_some_and(|ending| ending == "arrow") {
            found.push(entry);
        }
    }
    Ok(())
}

fn stream(
    from: impl Read,
    take: &mut impl FnMut(Row) -> Result<(), StreamError>,
) -> Result<(), StreamError> {
    let mut rows = Reader::new(from)?;
    while let Some(batch) = rows.next_rows()? {
        batch.into_iter().try_for_each(&mut *take)?;
    }
    Ok(())
}

/// What the one row of `kind` in the stream at `path` says.
///
/// # Errors
/// When the stream cannot be read or holds no such row.
pub(super) fn only<T: serde::de::DeserializeOwned>(path: &Path, kind: Kind) -> Result<T, Error> {
    let mut found = None;
    each(&[path], |row| {
        if row.kind == kind {
            found = Some(row.read()?);
        }
        Ok(())
    })?;
    let missing = || {
        Error::File(format!(
            "{}: no row of schema `{}`",
            path.display(),
            kind.name()
        ))
    };
    found.ok_or_else(missing)
}

/// A stream that could not be written.
pub(super) fn failed(error: StreamError) -> Error {
    Error::Write(error.into())
}
