//! A stalled process releases everything it holds at the same instant. Ends of operations of different
//! requests that coincide within milliseconds, after a silence, are that instant: the only trace of a
//! stall that lies inside the spans of calls.

use rayon::prelude::*;

use super::Options;
use super::ground::Ground;
use super::volume::Seen;
use crate::baseline::{Baselines, Map};
use crate::trace::{Forest, Lane, StepKind, StepOp};
use crate::units::{Nanos, Sym};

#[cfg(test)]
mod tests;

/// Ends this close are one release.
const TOGETHER: u64 = 6_000_000;
/// Over this long before and after, the rate of such ends says what chance would do.
const AROUND: u64 = 30_000_000_000;
/// A pair is believed where chance gives one less often than this.
const CHANCE: f64 = 0.02;
/// Least overlong time of an operation to count, in slow floors.
const LEAST: f64 = 1.4;

/// Instants of release, and the silence before each.
#[derive(Default)]
pub(super) struct Releases {
    /// Per operation of the forest: silence before the release it ended with, milliseconds.
    pub(super) of_op: Map<u32, f64>,
    /// Per operation: the same for the gap before it.
    pub(super) of_gap: Map<u32, f64>,
}

#[derive(Clone, Copy)]
struct End {
    at: u64,
    request: u32,
    op: u32,
    gap: bool,
}

impl Releases {
    pub(super) fn find(
        ground: &Ground<'_>,
        base: &Baselines,
        seen: &[Seen],
        options: &Options,
    ) -> Self {
        let overlong = Overlong {
            ground,
            base,
            seen,
            least: LEAST * options.floor(),
        };
        let found: Vec<(Sym, End)> = (0..ground.forest.requests.len() as u32)
            .into_par_iter()
            .flat_map_iter(|request| overlong.ends(request))
            .collect();
        let mut ends: Map<Sym, Vec<End>> = Map::default();
        for (service, end) in found {
            ends.entry(service).or_default().push(end);
        }
        let mut groups: Map<Sym, Vec<Vec<End>>> = Map::default();
        for (service, mut list) in ends {
            list.sort_by_key(|e| (e.at, e.request, e.op, e.gap));
            let together = together(&list);
            if !together.is_empty() {
                groups.insert(service, together);
            }
        }
        let mut releases = Self::default();
        for (service, silences) in silences(ground.forest, &groups) {
            for (group, silence) in groups[&service].iter().zip(silences) {
                for end in group {
                    let of = if end.gap {
                        &mut releases.of_gap
                    } else {
                        &mut releases.of_op
                    };
                    of.insert(end.op, silence);
                }
            }
        }
        releases
    }

    /// Silence before the release that ended operation `op`, milliseconds.
    pub(super) fn of_op(&self, op: u32) -> Option<f64> {
        self.of_op.get(&op).copied()
    }

    /// Silence before the release that ended the gap before operation `op`, milliseconds.
    pub(super) fn of_gap(&self, op: u32) -> Option<f64> {
        self.of_gap.get(&op).copied()
    }
}

fn unlikely(ends: &[End], at: u64) -> bool {
    let from = ends.partition_point(|e| e.at < at.saturating_sub(AROUND));
    let to = ends.partition_point(|e| e.at <= at + AROUND);
    let others = (to - from).saturating_sub(2) as f64;
    others * (2 * TOGETHER) as f64 / (2 * AROUND) as f64 <= CHANCE
}

/// Ends of one service that belong to one release each, by time.
fn together(ends: &[End]) -> Vec<Vec<End>> {
    let mut groups = Vec::new();
    let mut start = 0;
    while start < ends.len() {
        let first = ends[start].at;
        let end = start + ends[start..].partition_point(|e| e.at <= first + TOGETHER);
        let group = &ends[start..end];
        let mut requests: Vec<u32> = group.iter().map(|e| e.request).collect();
        requests.sort_unstable();
        requests.dedup();
        if requests.len() >= 3 || (requests.len() == 2 && unlikely(ends, first)) {
            groups.push(group.to_vec());
        }
        start = end;
    }
    groups
}

/// The latest start or end of an operation of each service between each of its releases and the one before.
type Latest = Map<Sym, Vec<Option<u64>>>;

/// For each group of each service the silence before it, milliseconds: since the last start or end of an
/// operation of the service.
fn silences(forest: &Forest, groups: &Map<Sym, Vec<Vec<End>>>) -> Map<Sym, Vec<f64>> {
    let releases = |groups: &Vec<Vec<End>>| -> Vec<u64> {
        groups.iter().filter_map(|g| Some(g.first()?.at)).collect()
    };
    let instants: Map<Sym, Vec<u64>> = groups.iter().map(|(s, g)| (*s, releases(g))).collect();
    if instants.is_empty() {
        return Map::default();
    }
    let none = || -> Latest {
        let services = instants.iter();
        services
            .map(|(s, all)| (*s, vec![None; all.len()]))
            .collect()
    };
    let latest = forest
        .lanes
        .par_chunks(LANES)
        .fold(none, |latest, lanes| {
            heard(forest, lanes, &instants, latest)
        })
        .reduce(none, later);
    let millis = |silence: Option<u64>| silence.map_or(0.0, |ns| Nanos(ns).as_millis());
    let silences = latest.into_iter().map(|(service, latest)| {
        let mut before = None;
        let releases = instants[&service].iter().zip(latest);
        let silences = releases.map(|(release, latest)| {
            before = before.max(latest);
            millis(before.map(|time| release.saturating_sub(time)))
        });
        (service, silences.collect())
    });
    silences.collect()
}

/// Lanes that one task looks at.
const LANES: usize = 1 << 14;
/// What happens this shortly before a release is part of it.
const INSTANT: u64 = 1_000_000;

fn heard(
    forest: &Forest,
    lanes: &[Lane],
    instants: &Map<Sym, Vec<u64>>,
    mut latest: Latest,
) -> Latest {
    for lane in lanes {
        let (Some(instants), Some(latest)) =
            (instants.get(&lane.service), latest.get_mut(&lane.service))
        else {
            continue;
        };
        for op in &forest.ops[lane.ops.start as usize..lane.ops.end as usize] {
            for time in [op.window.start.0, op.window.end.0] {
                let after = |release: &u64| time.saturating_add(INSTANT) >= *release;
                if let Some(slot) = latest.get_mut(instants.partition_point(after)) {
                    *slot = (*slot).max(Some(time));
                }
            }
        }
    }
    latest
}

fn later(mut a: Latest, b: Latest) -> Latest {
    for (service, theirs) in b {
        let mine = a.entry(service).or_insert_with(|| vec![None; theirs.len()]);
        mine.iter_mut()
            .zip(theirs)
            .for_each(|(mine, theirs)| *mine = (*mine).max(theirs));
    }
    a
}

/// Finds what took longer than normal.
struct Overlong<'a> {
    ground: &'a Ground<'a>,
    base: &'a Baselines,
    seen: &'a [Seen],
    /// Milliseconds over the normal, at least.
    least: f64,
}

impl Overlong<'_> {
    /// Ends of the overlong operations and pauses of a request, with the service that ran them.
    fn ends(&self, request: u32) -> Vec<(Sym, End)> {
        let forest = self.ground.forest;
        let end = |op: u32, gap, at: Nanos, lane: u32| {
            let end = End {
                at: at.0,
                request,
                op,
                gap,
            };
            (forest.lanes[lane as usize].service, end)
        };
        let mut found = Vec::new();
        for index in forest.requests[request as usize].ops.clone() {
            let op = &forest.ops[index as usize];
            if self.operation(index, op) > self.least {
                found.push(end(index, false, op.window.end, op.lane));
            }
        }
        let pauses = &self.ground.measured.pauses;
        for pause in pauses.of(forest, request) {
            let usual = self.base.gaps.norm(pause.key).map_or(0.0, |n| n.centre);
            if pause.length() - usual > self.least
                && let Some(index) = pauses.op_after(&pause)
            {
                let op = &forest.ops[index as usize];
                found.push(end(index, true, op.window.start, op.lane));
            }
        }
        found
    }

    /// Milliseconds an operation took beyond what is normal for it; zero where that is certainly too little.
    fn operation(&self, index: u32, op: &StepOp) -> f64 {
        let measured = &self.ground.measured;
        match op.kind {
            StepKind::Model => measured
                .calls
                .of(index)
                .map_or(0.0, |(i, c)| self.seen[i as usize].residual(c)),
            StepKind::Tool if op.window.len().as_millis() > self.least => self
                .base
                .tools
                .of(&measured.tools, index)
                .map_or(0.0, |usual| op.window.len().as_millis() - usual.typical),
            _ => 0.0,
        }
    }
}
