//! OTLP/JSON lines with the verdicts written back.

use std::io::{self, Write};

use crate::report::Report;

pub(super) fn write(report: &Report<'_>, mut out: impl Write) -> io::Result<()> {
    for line in report.otlp_lines() {
        serde_json::to_writer(&mut out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}
