//! `agentdiag stage merge`: requests and verdicts of all partitions to the report.

use std::io::Write;
use std::path::PathBuf;

use super::{Shown, rows};
use crate::commands::analysis::Analysis;
use crate::commands::{analyze, load};
use crate::diagnose;
use crate::dialect;
use crate::error::{Error, Outcome};
use crate::stage::{Kind, Whole};

/// What to merge, and how to show it.
#[derive(Clone, Debug)]
pub struct Merge {
    /// Streams that hold files, requests and verdicts.
    pub paths: Vec<PathBuf>,
    /// As for `analyze`; nothing is read by it.
    pub shown: Shown,
}

pub(super) fn merge(options: &Merge, out: impl Write) -> Result<Outcome, Error> {
    let shown = &options.shown;
    let (prices, saved) = (shown.inputs.prices()?, shown.inputs.saved()?);
    let loaded = gather(&options.paths)?;
    let analysis = shown.inputs.on_threads(|progress| {
        progress.stage("adding up");
        let norms = saved.as_ref().map(|saved| &saved.norms);
        let verdicts =
            diagnose::diagnose_against(&loaded.dataset, &loaded.forest, &shown.rule, norms);
        Analysis::with(loaded, verdicts, shown.rule, &prices)
    })?;
    analyze::finish(&analysis, shown, out)
}

/// What one process would have read and rebuilt.
pub(super) fn gather(paths: &[PathBuf]) -> Result<load::Loaded, Error> {
    let mut whole = Whole::default();
    rows::each(paths, |row| {
        match row.kind {
            Kind::Part => whole.add(row.read()?),
            Kind::File => whole.gather().add_file(row.read()?),
            _ => {}
        }
        Ok(())
    })?;
    let readable = whole.gather().readable();
    let (mut dataset, forest) = whole.finish();
    load::any_readable(&dataset, readable)?;
    dialect::merge_series(&mut dataset);
    Ok(load::Loaded { dataset, forest })
}
