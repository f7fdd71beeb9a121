//! What the duration would have been, had some operations or gaps been shorter.
//!
//! A lane's operation starts when everything that had ended before it has ended, plus the gap that was
//! between them. Shortening something moves all that waited for it and nothing else, so parallel work
//! is not credited twice. With nothing shortened the replay gives the recorded duration exactly.

use super::{Forest, Lane, NO_LANE, Request, StepOp};
use crate::units::Nanos;

/// Operations may overlap by this much and still count as one after the other: clocks, and spans that
/// end a moment after their result was used.
const TOLERANCE: u64 = 20_000_000;
/// A sub-agent's end may be told by another host's clock: it may lie later by this share of its length, and this
/// much. (Clocks kept by NTP are seldom a quarter of a second off, so two of them seldom half a second apart: Mills,
/// *Computer Network Time Synchronization*, 2nd ed. 2010.)
const CLOCKS_SHARE: u64 = 10;
const CLOCKS: u64 = 500_000_000;

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
    let mut replay = Replay {
        ops,
        base: (request.ops.start, request.lanes.start),
        cuts,
        changed: vec![0; lanes.len()],
    };
    // A lane comes before the lanes under it, so going backwards each is known when it is needed.
    let mut sweep = Sweep::default();
    for (index, lane) in lanes.iter().enumerate().rev() {
        replay.changed[index] = replay.lane(lane, index, &mut sweep) - length(lane);
    }
    let wall = i64::try_from(request.duration().0).unwrap_or(i64::MAX);
    let changed = replay.changed.first().copied().unwrap_or(0);
    Nanos(u64::try_from(wall.saturating_add(changed)).unwrap_or(0))
}

/// The gap before each operation of a lane goes to `gaps`, in nanoseconds (negative where they overlap
/// within the tolerance); the answer is the tail after the last.
pub(crate) fn gaps(lane: &Lane, ops: &[StepOp], gaps: &mut Vec<i64>) -> i64 {
    Sweep::default().gaps(lane, ops, gaps)
}

struct Replay<'a> {
    ops: &'a [StepOp],
    base: (u32, u32),
    cuts: &'a Cuts,
    /// By how much each lane's length changed.
    changed: Vec<i64>,
}

impl Replay<'_> {
    /// Length of a lane with its cuts taken out.
    fn lane(&self, lane: &Lane, index: usize, sweep: &mut Sweep) -> i64 {
        let from = (lane.ops.start - self.base.0) as usize;
        let ops = &self.ops[from..(lane.ops.end - self.base.0) as usize];
        let (recorded, latest) = sweep.run(lane, ops, |i, gap, before| {
            let op = &ops[i];
            let start = before + (gap - cut(&self.cuts.gaps, from + i));
            let recorded = at(lane, op.window.end) - at(lane, op.window.start);
            let shortened = recorded - cut(&self.cuts.ops, from + i) + self.inner(op);
            start + shortened.max(0)
        });
        latest + (length(lane) - recorded) - cut(&self.cuts.tails, index)
    }

    /// By how much the lane under an operation changed.
    fn inner(&self, op: &StepOp) -> i64 {
        if op.opens == NO_LANE {
            return 0;
        }
        let lane = (op.opens - self.base.1) as usize;
        self.changed.get(lane).copied().unwrap_or(0)
    }
}

/// A walk over the operations of a lane in order of start. Keeps its memory for the next.
#[derive(Default)]
pub(crate) struct Sweep {
    /// The operations of the lane in the order in which they are over.
    by_end: Vec<u32>,
    /// Replayed end of each operation.
    ends: Vec<i64>,
}

impl Sweep {
    /// As [`gaps`].
    pub(crate) fn gaps(&mut self, lane: &Lane, ops: &[StepOp], gaps: &mut Vec<i64>) -> i64 {
        gaps.clear();
        let latest = self.run(lane, ops, |_, gap, _| {
            gaps.push(gap);
            0
        });
        length(lane) - latest.0
    }

    /// The operations of the lane walked last, in the order in which they are over.
    pub(crate) fn by_end(&self) -> &[u32] {
        &self.by_end
    }

    /// Visits the operations by start; `end_of(i, gap, before)` is told the recorded gap before
    /// operation `i` and when, in the replay, all that had ended before it has ended; it answers when
    /// `i` ends in the replay. Returns the latest end as recorded and in the replay. Times are relative
    /// to the lane.
    fn run(
        &mut self,
        lane: &Lane,
        ops: &[StepOp],
        mut end_of: impl FnMut(usize, i64, i64) -> i64,
    ) -> (i64, i64) {
        self.by_end.clear();
        self.by_end.extend(0..ops.len() as u32);
        if !ops.is_sorted_by_key(over) {
            self.by_end
                .sort_unstable_by_key(|&i| (over(&ops[i as usize]), i));
        }
        self.ends.clear();
        let (mut next, mut before, mut latest) = (0, (0, 0), (0, 0));
        for (i, op) in ops.iter().enumerate() {
            let start = at(lane, op.window.start);
            while let Some(&done) = self.by_end.get(next) {
                let Some(&end) = self.ends.get(done as usize) else {
                    break;
                };
                let done = &ops[done as usize];
                if over(done) > op.window.start {
                    break;
                }
                let recorded = at(lane, done.window.end);
                before = (before.0.max(recorded), before.1.max(end));
                next += 1;
            }
            let end = end_of(i, start - before.0, before.1);
            self.ends.push(end);
            latest = (latest.0.max(at(lane, op.window.end)), latest.1.max(end));
        }
        latest
    }
}

/// What starts from then on comes after `op`.
pub(crate) fn over(op: &StepOp) -> Nanos {
    let slack = if op.opens == NO_LANE {
        TOLERANCE
    } else {
        (op.window.len().0 / CLOCKS_SHARE).clamp(TOLERANCE, CLOCKS)
    };
    op.window.end - Nanos(slack)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::StepKind;
    use crate::units::{Sym, Window};

    const MS: u64 = 1_000_000;

    fn op(opens: u32, start: u64, end: u64) -> StepOp {
        let [start, end] = [start, end].map(|ms| Nanos(ms * MS));
        StepOp {
            span: 0,
            lane: 0,
            opens,
            kind: StepKind::Group,
            window: Window { start, end },
        }
    }

    /// The gap before the second of two operations, milliseconds.
    fn gap(first: StepOp, second: StepOp) -> i64 {
        let ops = [first, second];
        let mut latest = 0;
        let lane = Lane {
            ops: 0..2,
            window: Window {
                start: Nanos::ZERO,
                end: Nanos(100_000 * MS),
            },
            agent: Sym::NONE,
            service: Sym::NONE,
            region: Sym::NONE,
            span: 0,
        };
        Sweep::default().run(&lane, &ops, |i, gap, _| {
            latest = if i == 1 { gap } else { latest };
            0
        });
        latest / MS as i64
    }

    #[test]
    fn what_follows_a_sub_agent_with_another_clock_waited_for_it() {
        let next = op(NO_LANE, 29_700, 30_500);
        assert_eq!(gap(op(1, 1_000, 30_000), next), -300);
        assert_eq!(
            gap(op(NO_LANE, 1_000, 30_000), next),
            29_700,
            "one's own clock does not run ahead"
        );
        assert_eq!(
            gap(op(1, 1_000, 31_000), next),
            29_700,
            "no clock is that far off"
        );
        assert_eq!(gap(op(1, 29_000, 30_000), next), 29_700, "they ran at once");
    }
}
