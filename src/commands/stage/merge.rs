//! `agentdiag stage merge`: requests and verdicts of all partitions to the report.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::stage::{FileFacts, Head, Keep, Kind, PER_INPUT, Rebuilt, Whole};

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
    let rebuilt = gather(&options.paths, Keep::All, |row| {
        match (row.kind, row.key) {
            (Kind::Verdicts, Some(key)) => {
                verdicts.insert(TraceId(key), row.read()?);
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
        let verdicts = conclude(&dataset, &forest, judged, shared.remarks());
        let loaded = load::Loaded { dataset, forest };
        Ok(Analysis::with(loaded, verdicts, shown.rule, &prices))
    })?;
    analyze::finish(&analysis, &shown, out)
}

/// What one process would have read and rebuilt; rows that are neither files nor requests go to `other`.
pub(super) fn gather(
    paths: &[PathBuf],
    keep: Keep,
    mut other: impl FnMut(crate::stage::Row) -> Result<(), crate::stage::StreamError>,
) -> Result<Rebuilt, Error> {
    let mut whole = Whole::default();
    let mut met = Met::default();
    rows::each(paths, |row| {
        match row.kind {
            Kind::Waiting => met.waiting(row.key, row.read_first()?),
            Kind::Part => met.part(whole.add(row)?),
            Kind::File => {
                let file: FileFacts = row.read()?;
                met.files(&file);
                whole.gather().add_file(file);
            }
            _ => other(row)?,
        }
        Ok(())
    })?;
    met.check()?;
    let mut rebuilt = whole
        .finish(keep)
        .map_err(|error| Error::File(error.to_string()))?;
    load::any_readable(&rebuilt.dataset, rebuilt.readable)?;
    dialect::merge_series(&mut rebuilt.dataset);
    Ok(rebuilt)
}

/// Which rows there were: none may be missing, and none be there twice.
#[derive(Default)]
struct Met {
    /// By the keys of traces that waited: how many did, less how many were rebuilt after that.
    waiting: BTreeMap<u128, i64>,
    parts: BTreeSet<TraceId>,
    files: BTreeSet<u32>,
    twice: Option<String>,
}

impl Met {
    fn waiting(&mut self, key: Option<u128>, count: u32) {
        *self.waiting.entry(key.unwrap_or_default()).or_default() += i64::from(count);
    }

    fn part(&mut self, part: &Head) {
        for (key, count) in &part.instead {
            *self.waiting.entry(*key).or_default() -= i64::from(*count);
        }
        if !part.is_empty() && !self.parts.insert(part.key) {
            self.twice = Some(format!(
                "the requests of the partition whose first trace is {}",
                part.key
            ));
        }
    }

    fn files(&mut self, file: &FileFacts) {
        for (number, input) in &file.meta.inputs {
            if !self.files.insert(*number) {
                self.twice = Some(format!("input {} ({})", number / PER_INPUT, input.path));
            }
        }
    }

    fn check(self) -> Result<(), Error> {
        if let Some(what) = self.twice {
            return Err(Error::Usage(format!(
                "{what}: named twice; give each stream once, and each input a number of its own"
            )));
        }
        match self.waiting.values().any(|left| *left != 0) {
            true => Err(Error::Usage(
                "some traces still wait to be rebuilt: name all that stage learn wrote until stage across said `settled`"
                    .into(),
            )),
            false => Ok(()),
        }
    }
}
