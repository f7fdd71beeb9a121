//! `agentdiag stage merge`: requests and verdicts of all partitions to the report.

use std::io::Write;
use std::path::PathBuf;

use super::{Shown, rows};
use crate::baseline::Map;
use crate::commands::analysis::Analysis;
use crate::commands::{analyze, load};
use crate::diagnose::{Judged, Shared, conclude};
use crate::dialect;
use crate::error::{Error, Outcome};
use crate::model::TraceId;
use crate::stage::{Kind, Rebuilt, Whole};

/// What to merge, and how to show it.
#[derive(Clone, Debug)]
pub struct Merge {
    /// Streams that hold files, requests, what was learned over all, and verdicts.
    pub paths: Vec<PathBuf>,
    /// As for `analyze`; nothing is read by it, and the rule is the one the requests were judged by.
    pub shown: Shown,
}

pub(super) fn merge(options: &Merge, out: impl Write) -> Result<Outcome, Error> {
    let mut shown = options.shown.clone();
    let prices = shown.inputs.prices()?;
    let mut verdicts: Map<TraceId, Judged> = Map::default();
    let mut shared: Option<Shared> = None;
    let rebuilt = gather(&options.paths, |row| {
        match (row.kind, row.trace) {
            (Kind::Verdicts, Some(key)) => {
                verdicts.insert(key, row.read()?);
            }
            (Kind::Windows, _) => shared = Some(row.read()?),
            _ => {}
        }
        Ok(())
    })?;
    let shared = shared.ok_or_else(|| {
        Error::Usage(
            "what was learned over all requests is missing: name the stream of stage windows too"
                .into(),
        )
    })?;
    let judged = rebuilt.judged(verdicts).map_err(|key| {
        Error::Usage(format!(
            "verdicts over the requests of one partition are missing, or are those of another run (its first trace is {key}): name the streams of stage verdict of all partitions"
        ))
    })?;
    shown.rule = shared.rule;
    let analysis = shown.inputs.on_threads(|progress| {
        progress.stage("adding up");
        let Rebuilt {
            dataset, forest, ..
        } = rebuilt;
        let verdicts = conclude(&dataset, &forest, judged, shared);
        let loaded = load::Loaded { dataset, forest };
        Analysis::with(loaded, verdicts, shown.rule, &prices)
    })?;
    analyze::finish(&analysis, &shown, out)
}

/// What one process would have read and rebuilt; rows that are neither files nor requests go to `other`.
pub(super) fn gather(
    paths: &[PathBuf],
    mut other: impl FnMut(crate::stage::Row) -> Result<(), crate::stage::StreamError>,
) -> Result<Rebuilt, Error> {
    let mut whole = Whole::default();
    let (mut answered, mut rebuilt) = (0, 0);
    rows::each(paths, |row| {
        match row.kind {
            Kind::Evidence => answered += 1,
            Kind::Part => {
                rebuilt += 1;
                whole.add(row.read()?);
            }
            Kind::File => whole.gather().add_file(row.read()?),
            _ => other(row)?,
        }
        Ok(())
    })?;
    if answered != rebuilt && answered > 0 {
        return Err(Error::Usage(format!(
            "{answered} partitions and the requests of {rebuilt}: run stage learn on each again, for as long as stage across says `again`"
        )));
    }
    let mut rebuilt = whole.finish();
    load::any_readable(&rebuilt.dataset, rebuilt.readable)?;
    dialect::merge_series(&mut rebuilt.dataset);
    Ok(rebuilt)
}
