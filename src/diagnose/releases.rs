//! A stalled process releases everything it holds at the same instant. Ends of operations of different
//! requests that coincide within milliseconds, after a silence, are that instant: the only trace of a
//! stall that lies inside the spans of calls.

use rayon::prelude::*;

use super::Options;
use super::volume::Seen;
use crate::baseline::{Baselines, Calls, Map, Pauses};
use crate::model::Dataset;
use crate::trace::{Forest, StepKind};
use crate::units::{Nanos, Sym};

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
    of_op: Map<u32, f64>,
    /// Per operation: the same for the gap before it.
    of_gap: Map<u32, f64>,
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
        dataset: &Dataset,
        forest: &Forest,
        calls: &Calls,
        pauses: &Pauses,
        base: &Baselines,
        seen: &[Seen],
        options: &Options,
    ) -> Self {
        let least = LEAST * options.floor();
        let found: Vec<Vec<(Sym, End)>> = (0..forest.requests.len() as u32)
            .into_par_iter()
            .map(|request| ends_of(dataset, forest, calls, pauses, base, seen, request, least))
            .collect();
        let mut ends: Map<Sym, Vec<End>> = Map::default();
        for (service, end) in found.into_iter().flatten() {
            ends.entry(service).or_default().push(end);
        }
        ends.retain(|_, list| list.len() > 1);
        let mut events = events(forest, &ends);
        let mut releases = Self::default();
        for (service, mut list) in ends {
            list.sort_by_key(|e| (e.at, e.request, e.op, e.gap));
            let mut times = events.remove(&service).unwrap_or_default();
            times.sort_unstable();
            releases.of_service(&list, &times);
        }
        releases
    }

    fn of_service(&mut self, ends: &[End], events: &[u64]) {
        let mut start = 0;
        while start < ends.len() {
            let first = ends[start].at;
            let end = start + ends[start..].partition_point(|e| e.at <= first + TOGETHER);
            let group = &ends[start..end];
            let mut requests: Vec<u32> = group.iter().map(|e| e.request).collect();
            requests.sort_unstable();
            requests.dedup();
            if requests.len() >= 3 || (requests.len() == 2 && unlikely(ends, first)) {
                let silence = silence_before(events, first);
                for e in group {
                    if e.gap {
                        self.of_gap.insert(e.op, silence)
                    } else {
                        self.of_op.insert(e.op, silence)
                    };
                }
            }
            start = end;
        }
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

/// Overlong operations and pauses of one request, by the service that ran them.
#[allow(clippy::too_many_arguments)]
fn ends_of(
    dataset: &Dataset,
    forest: &Forest,
    calls: &Calls,
    pauses: &Pauses,
    base: &Baselines,
    seen: &[Seen],
    request: u32,
    least: f64,
) -> Vec<(Sym, End)> {
    let mut ends = Vec::new();
    for op in forest.requests[request as usize].ops.clone() {
        if overlong(dataset, forest, calls, base, seen, op) > least {
            let step = &forest.ops[op as usize];
            ends.push((
                forest.lanes[step.lane as usize].service,
                End {
                    at: step.window.end.0,
                    request,
                    op,
                    gap: false,
                },
            ));
        }
    }
    for pause in pauses.of(request) {
        let over = pause.length() - base.gaps.norm(pause).map_or(0.0, |n| n.centre);
        if let Some(op) = pause.op().filter(|_| over > least) {
            let at = forest.ops[op as usize].window.start.0;
            ends.push((
                forest.lanes[pause.lane as usize].service,
                End {
                    at,
                    request,
                    op,
                    gap: true,
                },
            ));
        }
    }
    ends
}

/// Everything that happened in the services that may have stalled: starts and ends of operations.
fn events(forest: &Forest, ends: &Map<Sym, Vec<End>>) -> Map<Sym, Vec<u64>> {
    let mut events: Map<Sym, Vec<u64>> = ends.keys().map(|s| (*s, Vec::new())).collect();
    if !events.is_empty() {
        for op in &forest.ops {
            if let Some(list) = events.get_mut(&forest.lanes[op.lane as usize].service) {
                list.extend([op.window.start.0, op.window.end.0]);
            }
        }
    }
    events
}

fn unlikely(ends: &[End], at: u64) -> bool {
    let from = ends.partition_point(|e| e.at < at.saturating_sub(AROUND));
    let to = ends.partition_point(|e| e.at <= at + AROUND);
    let others = (to - from).saturating_sub(2) as f64;
    others * (2 * TOGETHER) as f64 / (2 * AROUND) as f64 <= CHANCE
}

fn silence_before(events: &[u64], release: u64) -> f64 {
    // Everything that happens at the instant itself is part of the release.
    let before = events.partition_point(|t| *t + 1_000_000 < release);
    before
        .checked_sub(1)
        .map_or(0.0, |b| Nanos(release).since(Nanos(events[b])).as_millis())
}

/// Milliseconds an operation took beyond what is normal for it.
fn overlong(
    dataset: &Dataset,
    forest: &Forest,
    calls: &Calls,
    base: &Baselines,
    seen: &[Seen],
    op: u32,
) -> f64 {
    let step = &forest.ops[op as usize];
    match step.kind {
        StepKind::Model => calls
            .of(op)
            .map_or(0.0, |(i, c)| seen[i as usize].residual(c)),
        StepKind::Tool => base
            .tools
            .get(&crate::baseline::tool_name(dataset, forest, op))
            .map_or(0.0, |fit| step.window.len().as_millis() - fit.typical()),
        _ => 0.0,
    }
}
