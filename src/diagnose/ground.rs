//! What every pass looks at and no pass changes: measured once, shared by all.

use std::ops::{Deref, DerefMut};

use rayon::prelude::*;

use super::Options;
use super::contrast::comparable;
use super::crowd::Crowd;
use super::devices::Devices;
use super::notes;
use super::routes::Homes;
use super::scene::reach;
use super::serving::Serving;
use super::swing::Swing;
use super::windows::Site;
use crate::baseline::{Call, CallIx, Calls, Healthy, Map, Measured, Norms};
use crate::model::{Dataset, Span, SpanIx};
use crate::trace::{Forest, Repeats, StepKind, StepOp, Warned};
use crate::units::{Nanos, Sym, Window};

/// The dump as measured.
pub(super) struct Ground<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) forest: &'a Forest,
    pub(super) survey: Survey,
}

/// What was measured, by itself: while [`learn`](super::learn) works on it, facts of calls may lie elsewhere.
pub struct Survey {
    pub(super) measured: Measured,
    /// True where any call was recorded by its client.
    pub(super) shows_clients: bool,
    /// Finished requests that can be held against each other.
    pub(super) comparable: usize,
    /// Services with any model call of their own on record.
    pub(super) modelled: hashbrown::HashSet<Sym>,
    /// Per call.
    pub(super) sites: Vec<Site>,
    /// Place of each address.
    pub(super) places: Map<Sym, Site>,
    /// The server that is known to have served a call.
    pub(super) servers: Map<CallIx, u32>,
    /// When it did.
    pub(super) served: Map<CallIx, Window>,
    /// Operations without an end of their own.
    pub(super) open: hashbrown::HashSet<u32>,
    pub(super) homes: Homes,
    pub(super) crowd: Crowd,
    pub(super) serving: Serving,
    pub(super) devices: Devices,
    pub(super) repeats: Repeats,
    /// Starts of failed model attempts with their request and length, by time.
    pub(super) failures: Vec<(Nanos, u32, Nanos)>,
    /// What a healthy period says, where one is known.
    pub(super) healthy: Option<Healthy>,
    /// Natural swings of load in it.
    pub(super) swing: Option<Swing>,
    /// HTTP failures logged under a span: count of warnings.
    pub(super) warned: Warned,
    /// Number of each request among those of all parts, where this is one of several.
    pub(super) numbers: Option<Vec<u32>>,
    /// What is to be said about the healthy period.
    pub(super) told: Vec<String>,
}

impl Deref for Ground<'_> {
    type Target = Survey;

    fn deref(&self) -> &Survey {
        &self.survey
    }
}

impl DerefMut for Ground<'_> {
    fn deref_mut(&mut self) -> &mut Survey {
        &mut self.survey
    }
}

impl Survey {
    pub(super) fn of(dataset: &Dataset, forest: &Forest) -> Self {
        let measured = Measured::collect(dataset, forest);
        let calls = &measured.calls;
        let ((((sites, places), homes), (modelled, servers)), (crowd, (repeats, failures))) =
            rayon::join(
                || {
                    rayon::join(
                        || {
                            let mut known = Vec::new();
                            let sites = numbered_sites(calls, &mut known);
                            ((sites, places(&known)), Homes::find(calls))
                        },
                        || (modelled(calls), servers(dataset, calls)),
                    )
                },
                || {
                    rayon::join(
                        || Crowd::count(dataset, calls),
                        || rayon::join(|| Repeats::find(dataset, forest), || failures(forest)),
                    )
                },
            );
        Self {
            shows_clients: calls.all.iter().any(|c| !c.server_side_only),
            comparable: comparable(forest),
            modelled,
            sites,
            places,
            servers,
            served: served(dataset, calls),
            open: open(dataset, forest),
            homes,
            crowd,
            serving: Serving::learn(dataset, calls),
            devices: Devices::of(dataset),
            repeats,
            failures,
            warned: forest.warned.clone(),
            numbers: None,
            healthy: None,
            swing: None,
            told: Vec::new(),
            measured,
        }
    }

    /// Failures logged under a span.
    pub(super) fn warnings(&self, span: SpanIx) -> u32 {
        self.warned.get(&span).copied().unwrap_or(0)
    }

    /// Number of a request among those of all parts.
    pub(super) fn number(&self, request: u32) -> u32 {
        let numbers = self.numbers.as_ref();
        let known = numbers.and_then(|all| all.get(request as usize).copied());
        known.unwrap_or(request)
    }

    /// Holds the dump against a healthy period.
    pub(super) fn against(
        mut self,
        (dataset, forest): (&Dataset, &Forest),
        norms: &Norms,
        options: &Options,
    ) -> Self {
        let healthy = Healthy::fit(norms, dataset, &self.measured);
        self.homes.prefer(&self.measured.calls, &healthy);
        self.swing = Swing::of(&healthy, options, reach(healthy.base.median_task));
        self.told = notes::on_baseline(dataset, forest, norms, &healthy);
        self.healthy = Some(healthy);
        self
    }
}

/// A place per address where addresses are shown, else per client region and model: without addresses
/// a region's calls go to one place as far as anybody can tell.
pub(super) fn sites(calls: &Calls) -> Vec<Site> {
    numbered_sites(calls, &mut Vec::new())
}

/// What tells places apart: address, else region and model.
pub(super) type SiteKey = (Sym, Sym, Sym);

/// The same, with places numbered as in `known`; those it lacks are added to it.
pub(super) fn numbered_sites(calls: &Calls, known: &mut Vec<SiteKey>) -> Vec<Site> {
    let mut numbers: Map<SiteKey, Site> = known.iter().copied().zip(0..).collect();
    let number = |call: &Call| {
        let key = match call.endpoint.is_none() {
            true => (Sym::NONE, call.region, call.model),
            false => (call.endpoint, Sym::NONE, Sym::NONE),
        };
        *numbers.entry(key).or_insert_with(|| {
            known.push(key);
            known.len() as Site - 1
        })
    };
    calls.all.iter().map(number).collect()
}

/// Place of each address.
pub(super) fn places(known: &[SiteKey]) -> Map<Sym, Site> {
    let addresses = known.iter().map(|key| key.0).zip(0..);
    addresses
        .filter(|(address, _)| !address.is_none())
        .collect()
}

fn engine<'a>(dataset: &'a Dataset, call: &Call) -> Option<&'a Span> {
    dataset.spans.get(call.engine?.get() as usize)
}

fn servers(dataset: &Dataset, calls: &Calls) -> Map<CallIx, u32> {
    let server = |call: &Call| Some(dataset.emitter_of(engine(dataset, call)?).resource);
    let calls = calls.all.iter().zip(0..);
    calls
        .filter_map(|(call, index)| Some((index, server(call)?)))
        .collect()
}

/// When servers that recorded calls worked on them.
pub(super) fn served(dataset: &Dataset, calls: &Calls) -> Map<CallIx, Window> {
    let calls = calls.all.iter().zip(0..);
    calls
        .filter_map(|(call, index)| Some((index, engine(dataset, call)?.window())))
        .collect()
}

/// Operations whose spans have no end of their own.
pub(super) fn open(dataset: &Dataset, forest: &Forest) -> hashbrown::HashSet<u32> {
    let is_open = |op: &StepOp| dataset.spans[op.span as usize].is_open();
    let ops = forest.ops.par_iter().enumerate();
    let open = ops.filter(|(_, op)| is_open(op)).map(|(at, _)| at as u32);
    open.collect::<Vec<u32>>().into_iter().collect()
}

/// Services with any model call.
fn modelled(calls: &Calls) -> hashbrown::HashSet<Sym> {
    let runs = calls.all.chunk_by(|a, b| a.service == b.service);
    runs.filter_map(|run| Some(run.first()?.service)).collect()
}

fn failures(forest: &Forest) -> Vec<(Nanos, u32, Nanos)> {
    let mut list: Vec<(Nanos, u32, Nanos)> = forest
        .requests
        .iter()
        .enumerate()
        .flat_map(|(i, r)| {
            forest.ops[r.ops.start as usize..r.ops.end as usize]
                .iter()
                .filter(|op| op.kind == StepKind::Failed)
                .map(move |op| (op.window.start, i as u32, op.window.len()))
        })
        .collect();
    list.sort_unstable();
    list
}
