//! Saved norms put in terms of one dump: fitted, and preferred to what the dump itself says.

use std::sync::Arc;

use super::norms::label;
use super::{
    Baselines, CacheHabits, CallIx, Calls, Excluded, Gaps, Idle, Measured, Norms, Prices,
    ToolTimes, Volumes, kinds_of,
};
use crate::model::Dataset;
use crate::stats::{Histogram, median};

/// Values taken from a histogram for a fit.
const SAMPLE: u32 = 4096;

/// What a saved baseline says of the groups that a dump has.
#[derive(Clone, Debug, Default)]
pub struct Healthy {
    /// Its calls.
    pub calls: Calls,
    /// Those of them that were recorded; the others stand for the call before one.
    pub kept: Vec<CallIx>,
    /// What is normal by them.
    pub base: Baselines,
    /// True where the dump shows a signal of model calls that the baseline lacks: prices are then the
    /// dump's own.
    pub lacks_signals: bool,
}

/// Which figures calls show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Shown {
    first_token: bool,
    cached: bool,
}

impl Shown {
    fn by(calls: &Calls) -> Self {
        Self {
            first_token: calls.all.iter().any(|c| c.first_token.is_some()),
            cached: calls.all.iter().any(|c| c.cached.is_some()),
        }
    }

    /// Takes out what is not shown.
    fn mask(self, calls: &mut Calls) {
        for call in &mut calls.all {
            call.first_token = call.first_token.filter(|_| self.first_token);
            call.cached = call.cached.filter(|_| self.cached);
        }
    }
}

impl Healthy {
    /// Fits `norms` to the names, and to the signals, that the dump has.
    #[must_use]
    pub fn fit(norms: &Norms, dataset: &Dataset, measured: &Measured) -> Self {
        let (mut calls, kept) = norms.calls.calls(&dataset.names);
        let shown = Shown::by(&measured.calls);
        // A baseline that shows more than the dump is held to the same view.
        shown.mask(&mut calls);
        let lacks_signals = Shown::by(&calls) != shown;
        let mut base = Baselines {
            volumes: Volumes::learn(&calls, &kept, &[]),
            tools: tools(norms, dataset, measured),
            gaps: gaps(norms, dataset, measured),
            kinds: kinds_of(norms.tasks.iter().filter_map(|(name, times)| {
                let kind = dataset.names.find(name)?;
                Some((kind, millis(times)))
            })),
            median_task: median_task(norms),
            median_call: super::median_call(&calls, &kept),
            ..Baselines::default()
        };
        if !lacks_signals {
            base.prices = Prices::learn(&calls, &kept);
            base.cache = CacheHabits::learn(&calls, &Arc::new(Idle::before(&calls)), &kept);
        }
        Self {
            calls,
            kept,
            base,
            lacks_signals,
        }
    }
}

impl Baselines {
    /// Takes from `healthy` what it knows; what it does not know stays as the dump has it. Of prices the
    /// lower are taken, by the `calls` that are not `excluded`: a day that is slow throughout must not pass
    /// for normal, and a busier healthy day does not make a calm one's slow calls normal.
    pub fn prefer(&mut self, healthy: &Healthy, calls: &Calls, excluded: &Excluded) {
        let theirs = &healthy.base;
        self.volumes.prefer(&theirs.volumes);
        self.tools.prefer(&theirs.tools);
        self.gaps.prefer(&theirs.gaps);
        for (kind, fit) in &theirs.kinds {
            self.kinds.entry(*kind).or_insert(*fit);
        }
        if !healthy.lacks_signals {
            let all = 0..calls.all.len() as CallIx;
            let kept: Vec<CallIx> = all.filter(|&i| excluded.keeps(calls.get(i).op)).collect();
            self.prices.lower_to(&theirs.prices, calls, &kept);
            self.cache.prefer(&theirs.cache);
        }
        for (own, theirs) in [
            (&mut self.median_task, theirs.median_task),
            (&mut self.median_call, theirs.median_call),
        ] {
            if theirs > 0.0 {
                *own = theirs;
            }
        }
    }
}

fn millis(times: &Histogram) -> Vec<f64> {
    times
        .sample(SAMPLE)
        .into_iter()
        .map(|ns| ns / 1e6)
        .collect()
}

fn tools(norms: &Norms, dataset: &Dataset, measured: &Measured) -> ToolTimes {
    ToolTimes::fit(measured.tools.names().iter().map(|tool| {
        let times = norms.tools.get(dataset.text(*tool));
        times.map(millis).unwrap_or_default()
    }))
}

fn gaps(norms: &Norms, dataset: &Dataset, measured: &Measured) -> Gaps {
    let keys = measured.pauses.keys.iter();
    let seen = keys.map(|(service, before, after)| {
        let follows = norms.pauses.get(dataset.text(*service))?;
        follows
            .get(&label(dataset, *before))?
            .get(&label(dataset, *after))
    });
    Gaps::fit(
        seen.map(|times| times.map(millis).unwrap_or_default())
            .collect(),
    )
}

fn median_task(norms: &Norms) -> f64 {
    let mut all = Histogram::default();
    norms.tasks.values().for_each(|times| all.merge(times));
    median(&mut millis(&all)).unwrap_or(0.0)
}
