//! `agentdiag stage learn`: rows of whole traces to requests.

use std::io::Write;
use std::path::PathBuf;

use super::rows;
use crate::error::{Error, Outcome};
use crate::stage::{self, Across, Gather, Kind, Writer};
use crate::trace;

/// Which traces to rebuild, and how.
#[derive(Clone, Debug)]
pub struct Learn {
    /// Streams of facts.
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
    let mut out = Writer::new(out).map_err(rows::failed)?;
    let mut gather = Gather::default();
    let mut any = false;
    rows::each(&options.paths, |row| {
        let elsewhere = row
            .trace
            .is_some_and(|id| state.joined.binary_search(&id).is_ok());
        match row.kind {
            Kind::Trace if elsewhere == options.joined => {
                any = true;
                gather.add_facts(row.read()?);
            }
            Kind::File if !options.joined => out.push(row)?,
            _ => {}
        }
        Ok(())
    })?;
    if any {
        let pool = super::pool(options.threads)?;
        let learned = pool.install(|| stage::learn(gather, &state, &options.repairs));
        for row in learned.map_err(rows::failed)? {
            out.push(row).map_err(rows::failed)?;
        }
    }
    out.finish().map_err(rows::failed)?;
    Ok(Outcome::Done)
}
