//! What the duration would have been, had some operations or gaps been shorter.
//!
//! A lane's operation starts when everything that had ended before it has ended, plus the gap that was
//! between them. Shortening something moves all that waited for it and nothing else, so parallel work
//! is not credited twice. With nothing shortened the replay gives the recorded duration exactly.

use super::{Forest, Lane, NO_LANE, Request, StepOp};
use crate::units::Nanos;

/// Operations may overlap by this much and still count as one after the other: clocks, and spans that
/// end a moment after their result was used.
const TOLERANCE: i64 = 20_000_000;

/// How much shorter each operation, each gap before an operation, and each lane's tail would have been.
/// Negative values lengthen. Indices are relative to the request.
#[derive(Clone, Debug, Default)]
pub struct Cuts {
    /// Per operation: nanoseconds off its duration.
    pub ops: Vec<i64>,
    /// Per operation: nanoseconds off the gap before it.
    pub gaps: Vec<i64>,
    /// Per lane: nanoseconds off the time after its last operation.
    pub tails: Vec<i64>,
}

impl Cuts {
    /// Nothing shortened.
    #[must_use]
    pub fn none(request: &Request) -> Self {
        Self {
            ops: vec![0; request.ops.len()],
            gaps: vec![0; request.ops.len()],
            tails: vec![0; request.lanes.len()],
        }
    }

    /// Adds `other`'s cuts.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.ops, &other.ops),
            (&mut self.gaps, &other.gaps),
            (&mut self.tails, &other.tails),
        ] {
            mine.iter_mut()
                .zip(theirs)
                .for_each(|(m, t)| *m = m.saturating_add(*t));
        }
    }

    /// True when nothing is shortened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops
            .iter()
            .chain(&self.gaps)
            .chain(&self.tails)
            .all(|&c| c == 0)
    }
}

/// Duration of `request` with `cuts` taken out.
#[must_use]
pub fn replay(forest: &Forest, request: &Request, cuts: &Cuts) -> Nanos {
    let ops = &forest.ops[request.ops.start as usize..request.ops.end as usize];
    let lanes = &forest.lanes[request.lanes.start as usize..request.lanes.end as usize];
    let base = (request.ops.start, request.lanes.start);
    let mut changed: Vec<i64> = vec![0; lanes.len()];
    // A lane comes before the lanes under it, so going backwards each is known when it is needed.
    for (index, lane) in lanes.iter().enumerate().rev() {
        changed[index] = replay_lane(lane, ops, base, cuts, index, &changed) - length(lane);
    }
    let wall = i64::try_from(request.duration().0).unwrap_or(i64::MAX);
    Nanos(u64::try_from(wall.saturating_add(changed.first().copied().unwrap_or(0))).unwrap_or(0))
}

/// The gap before each operation of a lane, in nanoseconds (negative where they overlap within the
/// tolerance), and the tail after the last.
#[must_use]
pub(crate) fn gaps(lane: &Lane, ops: &[StepOp]) -> (Vec<i64>, i64) {
    let mut gaps = Vec::with_capacity(ops.len());
    let latest = sweep(lane, ops, |i, before| {
        gaps.push(at(lane, ops[i].window.start) - before);
        at(lane, ops[i].window.end)
    });
    (gaps, length(lane) - latest)
}

fn replay_lane(
    lane: &Lane,
    all: &[StepOp],
    base: (u32, u32),
    cuts: &Cuts,
    index: usize,
    changed: &[i64],
) -> i64 {
    let from = (lane.ops.start - base.0) as usize;
    let ops = &all[from..(lane.ops.end - base.0) as usize];
    let (gaps, tail) = gaps(lane, ops);
    let latest = sweep(lane, ops, |i, before| {
        let op = &ops[i];
        let start = before + (gaps[i] - cut(&cuts.gaps, from + i));
        let inner = if op.opens == NO_LANE {
            0
        } else {
            changed
                .get((op.opens - base.1) as usize)
                .copied()
                .unwrap_or(0)
        };
        let length =
            (at(lane, op.window.end) - at(lane, op.window.start) - cut(&cuts.ops, from + i)
                + inner)
                .max(0);
        start + length
    });
    latest + tail - cut(&cuts.tails, index)
}

/// Visits the operations by start; `end_of(i, before)` is told when all that ended before operation `i`
/// had ended, and answers when `i` ends. Returns the latest end. Times are relative to the lane.
fn sweep(lane: &Lane, ops: &[StepOp], mut end_of: impl FnMut(usize, i64) -> i64) -> i64 {
    let mut by_end: Vec<usize> = (0..ops.len()).collect();
    by_end.sort_by_key(|&i| (ops[i].window.end, i));
    let mut ends: Vec<Option<i64>> = vec![None; ops.len()];
    let (mut next, mut before, mut latest) = (0, 0, 0);
    for (i, op) in ops.iter().enumerate() {
        while let Some(&done) = by_end.get(next) {
            let Some(end) = ends[done].filter(|_| {
                at(lane, ops[done].window.end) <= at(lane, op.window.start) + TOLERANCE
            }) else {
                break;
            };
            before = before.max(end);
            next += 1;
        }
        let end = end_of(i, before);
        ends[i] = Some(end);
        latest = latest.max(end);
    }
    latest
}

fn at(lane: &Lane, time: Nanos) -> i64 {
    let (t, start) = (i128::from(time.0), i128::from(lane.window.start.0));
    i64::try_from(t - start).unwrap_or(if t < start {
        i64::MIN / 4
    } else {
        i64::MAX / 4
    })
}

fn length(lane: &Lane) -> i64 {
    at(lane, lane.window.end)
}

fn cut(cuts: &[i64], index: usize) -> i64 {
    cuts.get(index).copied().unwrap_or(0)
}
