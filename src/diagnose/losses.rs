//! Stretches of time in which a tenant's calls, or all calls at a place, took longer by what the cached part of their
//! prompts costs: caches were lost there, though no cached tokens are shown. What a single call's scatter hides, many
//! calls tell.
//!
//! Each call is weighed by how much likelier its time is if its whole prompt was computed than if not. Stretches of
//! requests in which the sum is highest are found as segments of sequences are (see
//! [`highest_stretches`](crate::stats::highest_stretches)) and held against the best slowdown by a factor and a delay,
//! which know nothing of prompts. A tenant's calls are looked at less what others beside them were slowed by.

use rayon::prelude::*;

use super::ground::Ground;
use super::volume::Seen;
use super::windows::{Site, Windows};
use crate::baseline::{Baselines, Call, CallIx, Map};
use crate::stats::Lopsided;
use crate::units::{Nanos, Sym};
use search::{Bar, OF_PLACE, OF_TENANT, Search};

mod search;
#[cfg(test)]
mod tests;

/// Where healthy calls scatter no more widely than this (natural logarithm), each call tells by itself what its prompt
/// cost.
pub(super) const EVEN: f64 = 0.15;
/// With fewer calls whose caches are hidden nothing is looked for.
const LEAST_CALLS: usize = 60;
/// A tenant's calls count only where those of others at the place, as logarithm of observed / usual, are no slower than
/// this in the median.
const CALM: f64 = 0.2;

/// Whose calls lost their cache.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub(super) enum Whose {
    /// A tenant's, or, where none is named, an agent's: the number of the symbol.
    Tenant(u32),
    /// Everybody's at a place.
    Place(Site),
}

/// Requests of somebody that lost their cache, by when they began.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
struct Stretch {
    whose: Whose,
    first: Nanos,
    last: Nanos,
}

/// By whose they are and start.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Losses(Vec<Stretch>);

/// A call that hides its cache.
#[derive(Clone, Copy)]
struct Point {
    index: CallIx,
    request: u32,
    /// When its request began.
    start: Nanos,
    tenant: Sym,
    site: Site,
    /// ln(observed / usual).
    above: f32,
    /// Milliseconds it usually takes, and what its whole prompt costs beyond that.
    usual: f32,
    more: f32,
}

impl Point {
    /// What `above` is where so much of the prompt's price was paid.
    fn owed(&self, share: f64) -> f64 {
        (share * f64::from(self.more) / f64::from(self.usual)).ln_1p()
    }
}

/// The same with its distance from what is usual for those it belongs to.
type Placed = (Point, f64);

impl Losses {
    pub(super) fn find(ground: &Ground<'_>, base: &Baselines, seen: &[Seen], reach: Nanos) -> Self {
        if base.prices.spread <= EVEN {
            return Self::default();
        }
        let points = points(ground, base, seen);
        if points.len() < LEAST_CALLS {
            return Self::default();
        }
        let requests = points.chunk_by(|a, b| a.request == b.request).count();
        let own = among_calm(ground, &points, reach);
        let all = points.iter().map(|p| (*p, f64::from(p.above))).collect();
        let (mut found, of_places) = rayon::join(
            || stretches(own, requests, &OF_TENANT, |p| Whose::Tenant(p.tenant.0)),
            || stretches(all, requests, &OF_PLACE, |p| Whose::Place(p.site)),
        );
        found.extend(of_places);
        Self(found)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose cache a call at `site`, of a request that began at `start`, lost with those of others.
    pub(super) fn of(&self, call: &Call, site: Site, start: Nanos) -> Option<Whose> {
        let stretch = |whose| {
            let until = self
                .0
                .partition_point(|s| (s.whose, s.first) <= (whose, start));
            let last = self.0.get(until.checked_sub(1)?)?;
            (last.whose == whose && start <= last.last).then_some(whose)
        };
        stretch(Whose::Tenant(tenant(call).0)).or_else(|| stretch(Whose::Place(site)))
    }
}

fn tenant(call: &Call) -> Sym {
    call.tenant.or(call.agent)
}

fn points(ground: &Ground<'_>, base: &Baselines, seen: &[Seen]) -> Vec<Point> {
    let calls = &ground.measured.calls;
    let all = calls
        .all
        .par_iter()
        .zip(&ground.sites)
        .zip(seen)
        .enumerate();
    let points = all.filter_map(|(index, ((call, site), seen))| {
        if call.server_side_only || call.window.is_empty() || seen.surge().is_some() {
            return None;
        }
        let prompt = base.prices.whole_prompt(calls, call)?;
        Some(Point {
            index: index as CallIx,
            request: call.request,
            start: ground.forest.requests[call.request as usize].wall.start,
            tenant: tenant(call),
            site: *site,
            above: (call.total() / prompt.usual).ln() as f32,
            usual: prompt.usual as f32,
            more: prompt.more as f32,
        })
    });
    points.collect()
}

/// The points around which those of other tenants at the same place are not slowed, less what these are.
fn among_calm(ground: &Ground<'_>, points: &[Point], reach: Nanos) -> Vec<Placed> {
    let calls = &ground.measured.calls;
    let mut above = vec![f32::NAN; calls.all.len()];
    let mut owners: Vec<Site> = vec![0; calls.all.len()];
    let mut known: Map<(Site, Sym), Site> = Map::default();
    for point in points {
        let next = known.len() as Site;
        above[point.index as usize] = point.above;
        owners[point.index as usize] = *known.entry((point.site, point.tenant)).or_insert(next);
    }
    let fold = |sites: &[Site]| {
        let ratio = |index: usize| (!above[index].is_nan()).then(|| f64::from(above[index]));
        Windows::fold_ratios(calls, sites, reach, ratio)
    };
    let (everybody, own) = rayon::join(|| fold(&ground.sites), || fold(&owners));
    let calm = points.par_iter().filter_map(|point| {
        let owner = owners[point.index as usize];
        let around = (calls.get(point.index), point.site);
        let others = everybody.company_without(around, (&own, owner))?;
        (others <= CALM).then(|| (*point, f64::from(point.above) - others))
    });
    calm.collect()
}

/// The stretches of all those the points belong to, in order.
fn stretches(
    mut points: Vec<Placed>,
    requests: usize,
    bar: &Bar,
    whose: impl Fn(&Point) -> Whose + Sync,
) -> Vec<Stretch> {
    let Some(law) = Lopsided::fit(points.iter().map(|p| p.1)) else {
        return Vec::new();
    };
    points.sort_unstable_by_key(|(p, _)| (whose(p), p.start, p.request, p.index));
    let least = (requests as f64 / bar.by_chance).ln();
    let groups: Vec<&[Placed]> = points.chunk_by(|a, b| whose(&a.0) == whose(&b.0)).collect();
    let groups = groups.into_par_iter().map(|group| {
        let found = Search::over(group, law).map(|search| search.stretches(least, bar));
        let found = found.unwrap_or_default().into_iter();
        let whose = whose(&group[0].0);
        found.map(move |(first, last)| Stretch { whose, first, last })
    });
    groups.flat_map_iter(|found| found).collect()
}
