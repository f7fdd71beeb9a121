//! `agentdiag stage across`: what partitions say about each other's traces, to what they are asked next.

use std::io::Write;

use super::{Across as Options, rows};
use crate::commands::output::write_file;
use crate::error::{Error, Outcome};
use crate::stage::{Across, Evidence, Kind, Row, Step, Writer};

/// Writes the next question to its file, and to `out` one line: `settled`, or `again` with what to ask about: the
/// `facts` of each partition, what was `learned` of them first, or of that only the rows that are `waiting`; `joined`
/// behind it means that traces must be rebuilt together.
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
    let answer = match next.step {
        Step::Settled => "settled",
        Step::Hint | Step::Count | Step::Grow => "again facts",
        Step::Find => "again learned",
        Step::Weigh | Step::Mend => "again waiting",
    };
    let together = !next.is_settled() && !next.joined.is_empty();
    writeln!(out, "{answer}{}", if together { " joined" } else { "" })?;
    Ok(Outcome::Done)
}
