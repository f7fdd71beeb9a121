//! Small text files that a run needs besides its inputs.

use std::io;
use std::path::Path;

use crate::budget::Place;
use crate::error::Error;

/// All of the file at `path`.
///
/// # Errors
/// When it cannot be read, or is not text: with line and column of the first byte that is none.
pub(super) fn read(path: &Path) -> io::Result<Result<String, Error>> {
    let bytes = std::fs::read(path)?;
    Ok(String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..good]);
        let Place { line, column } = Place::of(&before, good);
        let path = path.display();
        Error::File(format!(
            "{path}:{line}:{column}: a byte that is not UTF-8; expected text"
        ))
    }))
}
