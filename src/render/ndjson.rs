//! One JSON object per request and line: for streaming into other tools.

use std::io::{self, Write};

use crate::report::Report;
use crate::report::v1::Request;

/// Writes every request on a line of its own, in the shape of `requests` of the JSON object.
///
/// # Errors
/// When `out` cannot be written.
pub fn ndjson(report: &Report<'_>, mut out: impl Write) -> io::Result<()> {
    for row in report.rows() {
        serde_json::to_writer(&mut out, &Request::from(&row))?;
        writeln!(out)?;
    }
    Ok(())
}
