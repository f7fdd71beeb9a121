//! `agentdiag stage windows`: requests of all partitions to what one request's verdict needs from the others.

use std::io::Write;
use std::path::PathBuf;

use super::{merge, rows};
use crate::commands::load::Inputs;
use crate::diagnose::{self, share};
use crate::error::{Error, Outcome};
use crate::stage::{Keep, Kind, Row, Writer};

/// Which requests to learn from.
#[derive(Clone, Debug)]
pub struct Windows {
    /// Streams of requests and files.
    pub paths: Vec<PathBuf>,
    /// The baseline and the threads; nothing is read.
    pub inputs: Inputs,
    /// What makes a request slow.
    pub rule: diagnose::Options,
}

pub(super) fn windows(options: &Windows, out: impl Write) -> Result<Outcome, Error> {
    let saved = options.inputs.saved()?;
    let norms = saved.as_ref().map(|saved| &saved.norms);
    let rebuilt = merge::gather(&options.paths, Keep::Judged, |_| Ok(()))?;
    let (shared, own) = options.inputs.on_threads(|progress| {
        progress.stage("diagnosing");
        let (dataset, forest) = (&rebuilt.dataset, &rebuilt.forest);
        Ok(share(
            dataset,
            forest,
            &options.rule,
            norms,
            &rebuilt.part_of(),
        ))
    })?;
    let mut own = own.into_iter();
    let write = || {
        let mut out = Writer::new(out)?;
        out.push(Row::new(Kind::Windows, None, &shared)?)?;
        for key in rebuilt.keys() {
            let own = own.next().unwrap_or_default();
            out.push(Row::new(Kind::Own, Some(key.0), &own)?)?;
        }
        out.finish()
    };
    write().map_err(rows::failed)?;
    Ok(Outcome::Done)
}
