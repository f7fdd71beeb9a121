//! `agentdiag rules`: a Prometheus rule file with thresholds that fit a dump.

use std::io::Write;
use std::path::PathBuf;

use super::drift::is_saved;
use super::load::{Inputs, Loaded};
use super::output::write_file;
use super::progress::Progress;
use super::replay::{self, fill, schedule};
use crate::alerts::{self, Looked, Store};
use crate::baseline::Norms;
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
    trouble: Vec<Window>,
}

impl Basis {
    fn of(
        inputs: &Inputs,
        options: &Options,
        norms: Option<&Norms>,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let loaded = Loaded::read(inputs, progress)?;
        let looked = looked(&loaded, options)?;
        progress.stage("choosing thresholds");
        let Loaded { dataset, forest } = &loaded;
        let verdicts = diagnose::diagnose_against(dataset, forest, &options.replay.rule, norms);
        let trouble = trouble(&verdicts.incidents, forest.requests.len());
        Ok(Self { looked, trouble })
    }

    fn write(mut self, options: &Options, others: Option<&mut Looked>) -> Result<String, Error> {
        let basis = alerts::Basis {
            schedule: self.looked.schedule,
            trouble: &self.trouble,
            high_stakes: &options.high_stakes,
        };
        let written = alerts::write(&mut self.looked.store, basis, others);
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
