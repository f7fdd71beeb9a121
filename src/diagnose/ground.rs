//! What every pass looks at and no pass changes: measured once, shared by all.

use super::crowd::Crowd;
use super::releases::Events;
use super::repeats::Repeats;
use super::routes::Homes;
use super::serving::Serving;
use super::windows::Site;
use crate::baseline::{Calls, Map, Measured};
use crate::model::{Dataset, SpanId, TraceId};
use crate::trace::{Forest, StepKind};
use crate::units::{Nanos, Sym};

/// The dump as measured.
pub(super) struct Ground<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) forest: &'a Forest,
    pub(super) measured: Measured,
    /// True where any call was recorded by its client.
    pub(super) shows_clients: bool,
    /// Per call.
    pub(super) sites: Vec<Site>,
    pub(super) homes: Homes,
    pub(super) crowd: Crowd,
    pub(super) serving: Serving,
    pub(super) events: Events,
    pub(super) repeats: Repeats,
    /// Starts of failed model attempts with their request, by time.
    pub(super) failures: Vec<(Nanos, u32)>,
    /// HTTP failures logged under a span: count of warnings.
    pub(super) warned: Map<(TraceId, SpanId), u32>,
}

impl<'a> Ground<'a> {
    pub(super) fn survey(dataset: &'a Dataset, forest: &'a Forest) -> Self {
        let measured = Measured::collect(dataset, forest);
        let calls = &measured.calls;
        Self {
            shows_clients: calls.all.iter().any(|c| !c.server_side_only),
            sites: sites(calls),
            homes: Homes::find(calls),
            crowd: Crowd::count(dataset, calls),
            serving: Serving::learn(dataset, calls),
            events: Events::default(),
            repeats: Repeats::find(dataset, forest),
            failures: failures(forest),
            warned: warned(dataset),
            dataset,
            forest,
            measured,
        }
    }
}

/// A place per address where addresses are shown, else per client region and model: without addresses
/// a region's calls go to one place as far as anybody can tell.
fn sites(calls: &Calls) -> Vec<Site> {
    let mut known: Map<(Sym, Sym, Sym), Site> = Map::default();
    calls
        .all
        .iter()
        .map(|c| {
            let key = if c.endpoint.is_none() {
                (Sym::NONE, c.region, c.model)
            } else {
                (c.endpoint, Sym::NONE, Sym::NONE)
            };
            let next = known.len() as Site;
            *known.entry(key).or_insert(next)
        })
        .collect()
}

fn failures(forest: &Forest) -> Vec<(Nanos, u32)> {
    let mut list: Vec<(Nanos, u32)> = forest
        .requests
        .iter()
        .enumerate()
        .flat_map(|(i, r)| {
            forest.ops[r.ops.start as usize..r.ops.end as usize]
                .iter()
                .filter(|op| op.kind == StepKind::Failed)
                .map(move |op| (op.window.start, i as u32))
        })
        .collect();
    list.sort_unstable();
    list
}

fn warned(dataset: &Dataset) -> Map<(TraceId, SpanId), u32> {
    let mut map = Map::default();
    for log in dataset.logs.iter().filter(|l| {
        l.severity >= 13 && !l.span.is_none() && l.http_status.is_some_and(|s| s >= 400)
    }) {
        *map.entry((log.trace, log.span)).or_default() += 1;
    }
    map
}
