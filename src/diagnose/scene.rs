//! Everything a cause may look at: one request's neighbours, the normal, and what was seen of each call.

use rayon::prelude::*;

use super::Options;
use super::crowd::Crowd;
use super::releases::Releases;
use super::routes::Routes;
use super::serving::Serving;
use super::volume::Seen;
use super::windows::{Site, Windows};
use crate::baseline::{Baselines, Call, CallIx, Calls, Map, Pauses};
use crate::model::{Dataset, SpanId, TraceId};
use crate::trace::{Forest, StepKind};
use crate::units::{Nanos, Sym, Window};

/// Company is sought this far before and after a call at most; on quick dumps, one and a half tasks.
const REACH: Nanos = Nanos(30_000_000_000);

/// The whole dump as one request's diagnosis sees it.
pub(super) struct Scene<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) forest: &'a Forest,
    pub(super) calls: &'a Calls,
    pub(super) pauses: &'a Pauses,
    pub(super) base: &'a Baselines,
    pub(super) options: &'a Options,
    /// Per call.
    pub(super) seen: Vec<Seen>,
    /// Per call.
    pub(super) sites: Vec<Site>,
    pub(super) windows: Windows,
    /// True where any call was recorded by its client.
    shows_clients: bool,
    pub(super) routes: Routes,
    pub(super) crowd: Crowd,
    pub(super) serving: Serving,
    pub(super) releases: Releases,
    /// Starts of failed model attempts with their request, by time.
    pub(super) failures: Vec<(Nanos, u32)>,
    /// HTTP failures logged under a span: count of warnings.
    pub(super) warned: Map<(TraceId, SpanId), u32>,
    /// Calls with visible extra prefill, by site and start: (site, start, end, milliseconds, request).
    pub(super) giants: Vec<Giant>,
}

/// A call whose extra prompt work burdens its neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Giant {
    pub(super) site: Site,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    pub(super) millis: f64,
    pub(super) request: u32,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        dataset: &'a Dataset,
        forest: &'a Forest,
        calls: &'a Calls,
        pauses: &'a Pauses,
        base: &'a Baselines,
        options: &'a Options,
    ) -> Self {
        let seen: Vec<Seen> = (0..calls.all.len() as CallIx)
            .into_par_iter()
            .map(|i| Seen::of(calls, base, options, i))
            .collect();
        let sites = sites(calls);
        let reach = REACH
            .min(Nanos((base.median_task * 1.5e6) as u64))
            .max(Nanos::SECOND);
        let windows = Windows::fold(calls, &sites, &seen, reach);
        let giants = giants(calls, &sites, &seen);
        Self {
            shows_clients: calls.all.iter().any(|c| !c.server_side_only),
            routes: Routes::learn(calls, &seen),
            crowd: Crowd::count(dataset, calls),
            serving: Serving::learn(dataset, calls),
            releases: Releases::find(dataset, forest, calls, pauses, base, &seen, options),
            failures: failures(forest),
            warned: warned(dataset),
            dataset,
            forest,
            calls,
            pauses,
            base,
            options,
            seen,
            sites,
            windows,
            giants,
        }
    }

    /// True for a call that only a server recorded, in a dump that shows agents: another tenant's load.
    /// It is company to the others and not itself judged.
    pub(super) fn is_stranger(&self, request: u32) -> bool {
        let mut calls = self.calls_of(request).peekable();
        self.shows_clients && calls.peek().is_some() && calls.all(|(_, _, c)| c.server_side_only)
    }

    /// The calls of a request: its operations' position, index and call.
    pub(super) fn calls_of(
        &self,
        request: u32,
    ) -> impl Iterator<Item = (usize, CallIx, &'a Call)> + '_ {
        let ops = self.forest.requests[request as usize].ops.clone();
        let first = ops.start;
        ops.filter_map(move |op| {
            self.calls
                .of(op)
                .map(|(i, c)| ((op - first) as usize, i, c))
        })
    }

    /// Giants at `site` that were computing within `window`.
    pub(super) fn giants(&self, site: Site, window: Window) -> impl Iterator<Item = &Giant> {
        let from = self.giants.partition_point(|g| g.site < site);
        let to = self
            .giants
            .partition_point(|g| (g.site, g.start) < (site, window.end));
        self.giants[from..to]
            .iter()
            .filter(move |g| g.end >= window.start)
    }

    /// What was seen of a call.
    pub(super) fn seen(&self, index: CallIx) -> &Seen {
        &self.seen[index as usize]
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

fn giants(calls: &Calls, sites: &[Site], seen: &[Seen]) -> Vec<Giant> {
    let mut list: Vec<Giant> = calls
        .all
        .iter()
        .zip(sites)
        .zip(seen)
        .filter_map(|((call, &site), seen)| {
            let millis =
                seen.surge.map_or(0.0, |e| e.millis()) + seen.cold.map_or(0.0, |e| e.millis());
            let first = call
                .first_token
                .or(seen.expected.map(|e| e.first))
                .unwrap_or(0.0);
            let end =
                Nanos(call.window.start.0 + (first.max(0.0) * 1e6) as u64).min(call.window.end);
            (millis > 0.0).then_some(Giant {
                site,
                start: call.window.start,
                end,
                millis,
                request: call.request,
            })
        })
        .collect();
    list.sort_by_key(|g| (g.site, g.start, g.request));
    list
}
