//! `agentdiag rules`: a Prometheus rule file with thresholds that fit a dump.

use std::io::Write;
use std::path::PathBuf;

use super::load::Loaded;
use super::output::write_file;
use super::replay::{self, fill, schedule};
use crate::alerts::{self, Basis, Store};
use crate::diagnose::{self, Incident};
use crate::error::{Error, Outcome};
use crate::units::Window;

/// What to write rules from, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// How series are made and incidents found, as for a replay.
    pub replay: replay::Options,
    /// Tools whose selection is watched; without any, all.
    pub high_stakes: Vec<String>,
    /// Where to write, instead of `out`.
    pub output: Option<PathBuf>,
}

/// Writes the rule file.
///
/// # Errors
/// When nothing can be read, or the file cannot be written.
pub fn rules(options: &Options, mut out: impl Write) -> Result<Outcome, Error> {
    let how = &options.replay;
    let saved = how.inputs.saved()?;
    let norms = saved.as_ref().map(|saved| &saved.norms);
    let text = how.inputs.on_threads(|progress| {
        let loaded = Loaded::read(&how.inputs, progress)?;
        let mut store = Store::new(how.version);
        fill(&mut store, &loaded, how)?;
        let schedule = schedule(&store, how.interval)?;
        progress.stage("choosing thresholds");
        let Loaded { dataset, forest } = &loaded;
        let verdicts = diagnose::diagnose_against(dataset, forest, &how.rule, norms);
        let trouble = trouble(&verdicts.incidents, forest.requests.len());
        let basis = Basis {
            schedule,
            trouble: &trouble,
            high_stakes: &options.high_stakes,
        };
        alerts::write(&mut store, basis).map_err(Error::Fault)
    })?;
    match &options.output {
        Some(path) => write_file(path, |out| out.write_all(text.text.as_bytes()))?,
        None => out.write_all(text.text.as_bytes())?,
    }
    Ok(Outcome::Done)
}

/// Incidents that touch this share of the requests make a bad day; fewer are how a good one varies.
const BAD: f64 = 0.05;

/// When incidents were under way, on a bad day.
fn trouble(incidents: &[Incident], requests: usize) -> Vec<Window> {
    let touched: usize = incidents.iter().map(|i| i.requests.len()).sum();
    if (touched as f64) < BAD * requests as f64 {
        return Vec::new();
    }
    incidents.iter().map(|i| i.window).collect()
}
