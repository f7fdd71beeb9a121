//! Streams of rows from files and standard input.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::error::Error;
use crate::stage::{Kind, Reader, Row, StreamError};

/// Hands every row of the streams at `paths` to `take`; `-` is standard input.
///
/// # Errors
/// When one cannot be opened or read, or those of `take`; the message names the file.
pub(super) fn each<P: AsRef<Path>>(
    paths: &[P],
    mut take: impl FnMut(Row) -> Result<(), StreamError>,
) -> Result<(), Error> {
    for path in paths {
        let path = path.as_ref();
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
    match error {
        StreamError::Arrow(arrow_schema::ArrowError::IoError(_, error)) => Error::Write(error),
        other => Error::Write(io::Error::other(other.to_string())),
    }
}
