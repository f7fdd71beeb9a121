//! `agentdiag stage learn`: rows of whole traces to requests.

use std::io::Write;
use std::path::PathBuf;

use super::rows;
use crate::error::{Error, Outcome};
use crate::stage::{self, Across, Asked, Kind, Part, Step, Writer};
use crate::trace;

/// Which traces to rebuild, and how.
#[derive(Clone, Debug)]
pub struct Learn {
    /// Streams of facts, or of what was answered to the first question.
    pub paths: Vec<PathBuf>,
    /// What is known across partitions.
    pub state: Option<PathBuf>,
    /// Take the traces that may belong together, and no others.
    pub joined: bool,
    /// What may be mended.
    pub repairs: trace::Options,
    /// Threads, instead of one per core.
    pub threads: Option<usize>,
}

pub(super) fn learn(options: &Learn, out: impl Write) -> Result<Outcome, Error> {
    let state: Across = match &options.state {
        Some(path) => rows::only(path, Kind::Across)?,
        None => Across::default(),
    };
    let facts = state.step.needs_facts() && !options.joined;
    let mut out = Writer::new(out).map_err(rows::failed)?;
    let mut asked = Asked::default();
    rows::each(&options.paths, |row| {
        match row.kind {
            Kind::Traces if facts => asked.add(row.read()?),
            Kind::File if facts => out.push(row)?,
            Kind::Waiting if !facts => {
                let key = row.key.unwrap_or_default();
                asked.add_waiting(key, row.read()?, &state, options.joined);
            }
            Kind::Part if state.step == Step::Find => asked.add_part(Part::read(&row)?.1),
            _ => {}
        }
        Ok(())
    })?;
    let pool = super::pool(options.threads)?;
    let learned = pool.install(|| stage::learn(asked, &state, options.joined, &options.repairs));
    for row in learned.map_err(rows::failed)? {
        out.push(row).map_err(rows::failed)?;
    }
    out.finish().map_err(rows::failed)?;
    Ok(Outcome::Done)
}
