//! `agentdiag stage across`: what partitions say about each other's traces, to what they are asked next.

use std::io::Write;

use super::{Across as Options, rows};
use crate::commands::output::write_file;
use crate::error::{Error, Outcome};
use crate::stage::{Across, Evidence, Kind, Row, Writer};

/// Writes the next question to its file, and to `out` one line, `again` or `settled`, and the traces to be
/// rebuilt together, one a line.
pub(super) fn across(options: &Options, mut out: impl Write) -> Result<Outcome, Error> {
    let state: Across = match &options.state {
        Some(path) => rows::only(path, Kind::Across)?,
        None => Across::default(),
    };
    let mut said = Evidence::default();
    rows::each(&options.paths, |row| {
        if row.kind == Kind::Evidence {
            said.absorb(row.read()?);
        }
        Ok(())
    })?;
    let next = state.next(said);
    let row = Row::new(Kind::Across, None, &next).map_err(rows::failed)?;
    write_file(&options.output, |file| {
        let write = || {
            let mut stream = Writer::new(file)?;
            stream.push(row)?;
            stream.finish()
        };
        write().map_err(std::io::Error::from)
    })?;
    writeln!(
        out,
        "{}",
        if next.is_settled() {
            "settled"
        } else {
            "again"
        }
    )?;
    for trace in &next.joined {
        writeln!(out, "{trace}")?;
    }
    Ok(Outcome::Done)
}
