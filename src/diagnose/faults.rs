//! What one pass finds fault with, for the next to leave out of the fits.

use rayon::prelude::*;

use super::Cause;
use super::account::Target;
use super::ground::Ground;
use super::proven::Proven;
use super::scene::Scene;
use super::verdict::{account, is_slow, would_be_slow};
use super::witnesses::Witnesses;
use crate::baseline::Excluded;
use crate::trace::{Forest, RootState};

/// With less than this share of calls left, whole slow requests are kept and only charged operations
/// are left out.
const ENOUGH: f64 = 0.15;

/// What the first pass leaves out: calls made while their server was crowded with strangers' work, from prices.
pub(super) fn known(ground: &Ground<'_>) -> Excluded {
    let calls = 0..ground.measured.calls.all.len() as u32;
    Excluded {
        crowded: calls.map(|i| ground.crowd.weight(i) > 0.0).collect(),
        ..Excluded::default()
    }
}

/// What a pass before the last finds fault with in a request.
#[derive(Default)]
pub(super) struct Faults {
    /// Judged, and charged nothing.
    pub(super) clear: bool,
    /// What it was slow for, if it was slow.
    pub(super) slow_for: Option<Cause>,
    /// What it was slow for, or would be if others bore it out: requests that wait for each other's word would
    /// never be slow.
    pub(super) bears_out: Option<Cause>,
    /// Positions of the operations charged, or following a gap that is.
    pub(super) ops: Vec<u32>,
}

impl Faults {
    pub(super) fn of(scene: &Scene<'_>, request: u32) -> Self {
        let Some(account) = account(scene, request) else {
            return Self::default();
        };
        let settlement = account.settle(scene.forest, &scene.forest.requests[request as usize]);
        let charged = account.charges.iter().filter_map(|c| match c.target {
            Target::Op(i) | Target::Gap(i) => Some(i as u32),
            Target::Tail(_) => None,
        });
        let first = settlement.entries.first();
        let first = first.map_or(Cause::Unexplained, |entry| entry.0);
        let slow = is_slow(scene, request, &account, &settlement);
        let would_be = would_be_slow(scene, request, &account, &settlement);
        Self {
            clear: account.charges.is_empty(),
            slow_for: slow.then_some(first),
            bears_out: would_be.then_some(first),
            ops: charged.collect(),
        }
    }
}

/// Requests left to learn from.
pub(super) fn healthy(forest: &Forest, excluded: &Excluded) -> usize {
    let whole = forest.requests.iter().zip(0..);
    let whole = whole.filter(|(r, _)| r.root_state == RootState::Complete && !r.ops.is_empty());
    whole.filter(|(_, i)| excluded.keeps_request(*i)).count()
}

/// What the next pass leaves out; the pass before left out `before`.
pub(super) fn exclude(
    ground: &Ground<'_>,
    faults: &[Faults],
    before: &Excluded,
    notes: &mut Vec<String>,
) -> Excluded {
    let (forest, calls) = (ground.forest, &ground.measured.calls);
    let mut charged = vec![false; forest.ops.len()];
    let slow: Vec<bool> = faults.iter().map(|f| f.slow_for.is_some()).collect();
    for (request, faults) in forest.requests.iter().zip(faults) {
        for op in &faults.ops {
            charged[(request.ops.start + op) as usize] = true;
        }
    }
    let mut ops = charged.clone();
    for (request, _) in forest.requests.iter().zip(&slow).filter(|(_, s)| **s) {
        ops[request.ops.start as usize..request.ops.end as usize].fill(true);
    }
    let left = calls.all.par_iter();
    let left = left.filter(|c| !ops[c.op as usize]).count();
    if (left as f64) < ENOUGH * calls.all.len() as f64 {
        notes.push("Most of this dump is slow: what is normal was learned from what little is not. A baseline of a healthy period would be surer.".to_owned());
        return Excluded {
            ops: charged,
            requests: Vec::new(),
            crowded: before.crowded.clone(),
        };
    }
    Excluded {
        ops,
        requests: slow,
        crowded: before.crowded.clone(),
    }
}

/// Requests that were slowed by others, counted around each request.
pub(super) fn proven(scene: &Scene<'_>, faults: &[Faults]) -> Proven {
    let by_others = |faults: &Faults| faults.slow_for == Some(Cause::NoisyNeighbour);
    let slowed: Vec<bool> = faults.iter().map(by_others).collect();
    Proven::of(scene.ground(), &slowed, scene.reach)
}

/// What other requests bear out around each request.
pub(super) fn witnesses(forest: &Forest, faults: &[Faults]) -> Witnesses {
    let requests = forest.requests.iter().zip(faults);
    let told = requests.map(|(request, faults)| (request.wall, faults.bears_out));
    Witnesses::of(&told.collect::<Vec<_>>())
}
