//! A dump with its verdicts and sums: what every subcommand that judges works on.

use super::load::{Inputs, Loaded};
use super::progress::Progress;
use super::replay::Alerts;
use super::spared;
use crate::aggregate::{Aggregates, Prices};
use crate::diagnose::{self, Verdicts};
use crate::error::Error;
use crate::report::{Findings, Replay, Report};
use crate::saved::Saved;

/// Everything the stages found.
pub(super) struct Analysis {
    pub(super) loaded: Loaded,
    pub(super) verdicts: Verdicts,
    pub(super) sums: Aggregates,
    rule: diagnose::Options,
}

impl Analysis {
    /// Reads prices and inputs, judges every request and adds up.
    ///
    /// # Errors
    /// When nothing can be read or a price file is wrong.
    pub(super) fn run(inputs: &Inputs, rule: diagnose::Options) -> Result<Self, Error> {
        let saved = inputs.saved()?;
        Self::against(inputs, rule, saved)
    }

    /// The same, with what is normal taken from a healthy period.
    ///
    /// # Errors
    /// As [`Analysis::run`].
    pub(super) fn against(
        inputs: &Inputs,
        rule: diagnose::Options,
        saved: Option<Saved>,
    ) -> Result<Self, Error> {
        let prices = inputs.prices()?;
        inputs.on_threads(|progress| Self::of(inputs, rule, &prices, saved, progress))
    }

    fn of(
        inputs: &Inputs,
        rule: diagnose::Options,
        prices: &Prices,
        saved: Option<Saved>,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let mut loaded = Loaded::read(inputs, progress)?;
        let norms = saved.as_ref().map(|saved| &saved.norms);
        // One after the other, though both could run at once: what each needs in between is large.
        progress.stage("diagnosing");
        let held = inputs.room().judge(&mut loaded, (&rule, norms))?;
        progress.stage("adding up");
        let sums = loaded.sums(prices);
        let verdicts = held.verdicts(&mut loaded)?;
        Ok(Self::of_both((loaded, sums), verdicts, rule, prices))
    }

    /// With verdicts that were reached before: adds up.
    pub(super) fn with(
        loaded: Loaded,
        verdicts: Verdicts,
        rule: diagnose::Options,
        prices: &Prices,
    ) -> Self {
        let sums = loaded.sums(prices);
        Self::of_both((loaded, sums), verdicts, rule, prices)
    }

    fn of_both(
        (loaded, sums): (Loaded, Aggregates),
        mut verdicts: Verdicts,
        rule: diagnose::Options,
        prices: &Prices,
    ) -> Self {
        spared::price(&loaded.dataset, prices, &mut verdicts.incidents);
        Self {
            loaded,
            verdicts,
            sums,
            rule,
        }
    }

    /// What alert rules said over it.
    pub(super) fn alerts<'a>(&'a self, alerts: &'a Alerts) -> Replay<'a> {
        alerts.report(&self.loaded, &self.verdicts.incidents)
    }

    /// All of it as one value to show.
    pub(super) fn report(&self) -> Report<'_> {
        Report::assemble(Findings {
            dataset: &self.loaded.dataset,
            forest: &self.loaded.forest,
            diagnoses: &self.verdicts.diagnoses,
            incidents: &self.verdicts.incidents,
            notes: &self.verdicts.notes,
            sums: &self.sums,
            rule: &self.rule,
        })
    }
}
