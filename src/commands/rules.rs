//! `agentdiag rules`: a Prometheus rule file with thresholds that fit a dump.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use super::drift::is_saved;
use super::load::{Inputs, Loaded};
use super::output::write_file;
use super::progress::Progress;
use super::replay::{self, fill, schedule};
use crate::aggregate::drift::study;
use crate::alerts::{self, Looked, Store};
use crate::baseline::Norms;
use crate::diagnose::Verdicts;
use crate::error::{Error, Outcome};
use crate::export::families_of;
use crate::trace::Request;
use crate::units::{Nanos, Window};

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

/// Instants looked at above which thresholds would be long in coming and no better.
const MOST_INSTANTS: i64 = 100_000;

/// Writes the rule file.
///
/// # Errors
/// When nothing can be read, or the file cannot be written.
pub fn rules(options: &Options, mut out: impl Write) -> Result<Outcome, Error> {
    let how = &options.replay;
    let dump = how.inputs.baseline.as_ref().filter(|path| !is_saved(path));
    let own = Inputs {
        baseline: None,
        ..how.inputs.clone()
    };
    let text = how.inputs.on_threads(|progress| match dump {
        None => {
            let saved = how.inputs.saved()?;
            let norms = saved.as_ref().map(|saved| &saved.norms);
            Basis::of(&how.inputs, options, norms, progress)?.write(options, None)
        }
        Some(path) => {
            let inputs = Inputs {
                paths: vec![path.clone()],
                ..own.clone()
            };
            let basis = Basis::of(&inputs, options, None, progress)?;
            let mut own = looked(&Loaded::read(&own, progress)?, options)?;
            basis.write(options, Some(&mut own))
        }
    })?;
    match &options.output {
        Some(path) => write_file(path, |out| out.write_all(text.as_bytes()))?,
        None => out.write_all(text.as_bytes())?,
    }
    Ok(Outcome::Done)
}

/// What thresholds are taken from.
struct Basis {
    looked: Looked,
    /// The series of requests that were not slow, where there was trouble.
    calm: Option<Store>,
    trouble: Vec<Window>,
    drifted: Vec<Window>,
    saved: bool,
}

impl Basis {
    fn of(
        inputs: &Inputs,
        options: &Options,
        norms: Option<&Norms>,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let mut loaded = Loaded::read(inputs, progress)?;
        let looked = looked(&loaded, options)?;
        progress.stage("choosing thresholds");
        let rule = &options.replay.rule;
        let verdicts = inputs.room().diagnose(&mut loaded, (rule, norms))?;
        let trouble = trouble(&verdicts, &loaded.forest.requests);
        let calm = match trouble.is_empty() {
            true => None,
            false => Some(calm(&loaded, &verdicts, options)?),
        };
        Ok(Self {
            trouble,
            calm,
            drifted: drifted(&loaded),
            saved: norms.is_some(),
            looked,
        })
    }

    fn write(mut self, options: &Options, others: Option<&mut Looked>) -> Result<String, Error> {
        let basis = alerts::Basis {
            schedule: self.looked.schedule,
            trouble: &self.trouble,
            drifted: &self.drifted,
            saved: self.saved,
            high_stakes: &options.high_stakes,
        };
        let written = alerts::write(&mut self.looked.store, basis, self.calm.as_mut(), others);
        Ok(written.map_err(Error::Fault)?.text)
    }
}

/// The series of a dump, and when they are looked at.
fn looked(loaded: &Loaded, options: &Options) -> Result<Looked, Error> {
    let how = &options.replay;
    let mut store = Store::new(how.version);
    fill(&mut store, loaded, how)?;
    let schedule = schedule(&store, how.interval, MOST_INSTANTS)?;
    Ok(Looked { store, schedule })
}

/// The series of the requests that were not slow.
fn calm(loaded: &Loaded, verdicts: &Verdicts, options: &Options) -> Result<Store, Error> {
    let slow: HashSet<u32> = verdicts
        .diagnoses
        .iter()
        .filter(|one| one.slow)
        .map(|one| one.request)
        .collect();
    let keep = |request| !slow.contains(&request);
    let families = families_of(&loaded.dataset, &loaded.forest, &[], keep);
    let mut store = Store::new(options.replay.version);
    alerts::derive(&families, &mut store, options.replay.scrape).map_err(Error::Usage)?;
    Ok(store)
}

/// So many slow requests make a bad day; fewer are how a good one varies.
const BAD: f64 = 0.05;

/// When incidents were under way and when slow requests ran that belong to none, on a bad day.
fn trouble(verdicts: &Verdicts, requests: &[Request]) -> Vec<Window> {
    let slow = verdicts.diagnoses.iter().filter(|one| one.slow);
    let slow: Vec<u32> = slow.map(|one| one.request).collect();
    if (slow.len() as f64) < BAD * requests.len() as f64 {
        return Vec::new();
    }
    let incidents = &verdicts.incidents;
    let alone = slow.into_iter().filter(|one| {
        let mut of_incidents = incidents.iter().flat_map(|incident| &incident.requests);
        !of_incidents.any(|other| other == one)
    });
    let alone = alone.filter_map(|one| requests.get(one as usize));
    let windows = incidents.iter().map(|incident| incident.window);
    windows.chain(alone.map(|request| request.wall)).collect()
}

/// From when on agents chose other tools than before, where more than chance explains it.
fn drifted(loaded: &Loaded) -> Vec<Window> {
    let found = study((&loaded.dataset, &loaded.forest), None, None).tools;
    let since = found.split.filter(|_| found.drifted);
    let end = Nanos(u64::MAX);
    since
        .map(|start| Window { start, end })
        .into_iter()
        .collect()
}
