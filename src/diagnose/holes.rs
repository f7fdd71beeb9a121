//! Pauses that are too long, and whether spans that were lost would leave as many.
//!
//! A dump that lost spans at random lost some that stood next to each other, and what they leave looks like a
//! stall. Which of the two one such hole is, it does not show. How many holes the losses leave, it does: as many
//! as the spans that are there would leave if they were taken out, at the odds at which spans are known to be lost.
//! Where that is most of the holes seen, none of them is called a stall (the false discovery rate of a tail:
//! Efron, *Large-Scale Inference*, 2010, ch. 4).

use rayon::prelude::*;

use super::Options;
use super::ground::Ground;
use crate::baseline::{Baselines, Call, CallIx, GapIx, GapKey, Map, Pause, StepName};
use crate::stats::{LowSide, SpreadLimits};
use crate::trace::{Lane, StepKind, StepOp};
use crate::units::Sym;

#[cfg(test)]
mod tests;

/// From this many deviations above the usual pause on …
const OVER: f64 = 4.0;
/// … and from this many slow floors on top.
const LEAST: f64 = 0.3;
/// Where at least this share of the holes like it is left by lost spans, a hole is not called a stall. Below that, the
/// share counts against the confidence.
const LIKELY: f64 = 0.8;
/// Neighbouring operations that may be lost together.
const TOGETHER: usize = 2;

/// What lies before and after a hole, and whether all answered calls around it are known to be there.
type Kind = (StepName, StepName, bool);

/// A kind of hole, and its length in powers of two of milliseconds.
type Class = (Kind, u8);

/// Holes seen, and holes expected of lost spans.
type Counts = Map<Class, (f64, f64)>;

/// How widely model calls of one kind of task differ.
const CALL_SPREAD: SpreadLimits = SpreadLimits {
    least: 0.2,
    most: 1.3,
};

/// What spans that were lost at random leave. Empty where none are known to be lost.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Holes {
    /// The share that lost spans leave of the holes of a kind that are as long or longer.
    #[serde(with = "crate::baseline::pairs")]
    shares: Map<Class, f64>,
    /// How long model calls of each kind of task are.
    #[serde(with = "crate::baseline::pairs")]
    calls: Map<Sym, LowSide>,
}

impl Holes {
    pub(super) fn find(ground: &Ground<'_>, base: &Baselines, options: &Options) -> Self {
        if base.gaps.odds_of_loss() <= 0.0 {
            return Self::default();
        }
        let search = Search::new(ground, base, options);
        let requests = (0..ground.forest.requests.len() as u32).into_par_iter();
        let found: Vec<Counts> = requests.map(|request| search.of(request)).collect();
        let mut counts = Counts::default();
        // Request by request: sums of fractions depend on the order.
        for (class, (seen, expected)) in found.into_iter().flatten() {
            let sum = counts.entry(class).or_default();
            *sum = (sum.0 + seen, sum.1 + expected);
        }
        let share = |(kind, length): Class| {
            let longer = (length..=u8::MAX).filter_map(|length| counts.get(&(kind, length)));
            let (seen, expected) = longer.fold((0.0, 0.0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
            (seen > 0.0).then(|| expected / seen)
        };
        let classes = counts.keys();
        let shares = classes.filter_map(|class| Some((*class, share(*class)?)));
        Self {
            shares: shares.collect(),
            calls: usual_calls(ground),
        }
    }

    /// True where spans are known to be lost.
    pub(super) fn any(&self) -> bool {
        !self.calls.is_empty()
    }

    /// How long model calls of a kind of task are, where spans are known to be lost.
    pub(super) fn usual_call(&self, task: Sym) -> Option<&LowSide> {
        self.calls.get(&task)
    }

    /// The share of the holes like this one that lost spans leave, at most one.
    pub(super) fn share(&self, ground: &Ground<'_>, pause: &Pause) -> f64 {
        if self.shares.is_empty() {
            return 0.0;
        }
        let (_, before, after) = ground.measured.pauses.key_of(pause);
        let kind = (
            before.kind_only(),
            after,
            is_whole(ground, pause) == Some(true),
        );
        let share = self.shares.get(&(kind, length(pause.length())));
        share.map_or(0.0, |share| share.min(1.0))
    }

    /// True where a hole like this one is most likely left by a lost span.
    pub(super) fn hides_a_span(&self, ground: &Ground<'_>, pause: &Pause) -> bool {
        self.share(ground, pause) > LIKELY
    }
}

fn usual_calls(ground: &Ground<'_>) -> Map<Sym, LowSide> {
    let mut times: Map<Sym, Vec<f64>> = Map::default();
    for call in &ground.measured.calls.all {
        times.entry(call.kind).or_default().push(call.total());
    }
    let fits = times.into_iter();
    let fits = fits.filter_map(|(task, times)| Some((task, LowSide::fit(&times, CALL_SPREAD)?)));
    fits.collect()
}

fn length(millis: f64) -> u8 {
    millis.max(1.0).log2() as u8
}

struct Search<'a> {
    ground: &'a Ground<'a>,
    base: &'a Baselines,
    options: &'a Options,
    keys: Map<GapKey, GapIx>,
}

impl<'a> Search<'a> {
    fn new(ground: &'a Ground<'a>, base: &'a Baselines, options: &'a Options) -> Self {
        let keys = ground.measured.pauses.keys.iter().copied().zip(0..);
        Self {
            ground,
            base,
            options,
            keys: keys.collect(),
        }
    }

    fn of(&self, request: u32) -> Counts {
        let mut counts = Counts::default();
        let pauses = &self.ground.measured.pauses;
        for pause in pauses.of(self.ground.forest, request) {
            let whole = is_whole(self.ground, &pause);
            let key = pauses.key_of(&pause);
            if self.is_hole(pause.key, key, pause.length()) && whole != Some(false) {
                let (_, before, after) = key;
                let kind = (before.kind_only(), after, whole == Some(true));
                counts.entry((kind, length(pause.length()))).or_default().0 += 1.0;
            }
        }
        for lane in self.ground.forest.requests[request as usize].lanes.clone() {
            self.without_some(&self.ground.forest.lanes[lane as usize], &mut counts);
        }
        counts
    }

    fn is_hole(&self, index: GapIx, key: GapKey, millis: f64) -> bool {
        is_long(self.base, self.options, index, millis) && !is_explained(self.base, index, key)
    }

    /// Takes out each operation of a lane, and each two in a row, and counts the holes that leaves.
    fn without_some(&self, lane: &Lane, counts: &mut Counts) {
        let ops = &self.ground.forest.ops[lane.ops.start as usize..lane.ops.end as usize];
        // Of the operations so far, the one that ended last.
        let mut last: Option<u32> = None;
        for first in 0..ops.len() {
            let mut odds = 1.0;
            for next in first + 1..=(first + TOGETHER).min(ops.len()) {
                odds *= self.odds(&ops[next - 1]);
                if odds > 0.0
                    && ops.len() > next - first
                    && let Some(class) = self.hole(lane, (first, next), last)
                {
                    counts.entry(class).or_default().1 += odds;
                }
            }
            let end = |op: u32| self.ground.forest.ops[op as usize].window.end;
            let this = lane.ops.start + first as u32;
            if last.is_none_or(|last| end(last) < end(this)) {
                last = Some(this);
            }
        }
    }

    /// The operations of a sub-agent whose own span is lost are still there.
    fn odds(&self, op: &StepOp) -> f64 {
        match op.kind {
            StepKind::Group | StepKind::Human => 0.0,
            _ => self.base.gaps.odds_of_loss(),
        }
    }

    /// As [`step_name`](crate::baseline::step_name), from what was measured.
    fn name(&self, op: u32) -> StepName {
        if self.ground.open.contains(&op) {
            return StepName::Open;
        }
        StepName::of(self.ground.forest.ops[op as usize].kind, || {
            let call = self.ground.measured.calls.of(op);
            call.map_or(Sym::NONE, |(_, call)| call.finish)
        })
    }

    /// The hole that is left where operations number `from` up to `to` of a lane are taken out; `last` is what ended
    /// last before them.
    fn hole(&self, lane: &Lane, (from, to): (usize, usize), last: Option<u32>) -> Option<Class> {
        let all = &self.ground.forest.ops;
        let next = lane.ops.start + to as u32;
        let (after, end) = match next < lane.ops.end {
            true => (self.name(next).kind_only(), all[next as usize].window.start),
            false => (StepName::End, lane.window.end),
        };
        let before = last.map_or(StepName::Start, |op| self.name(op));
        let start = last.map_or(lane.window.start, |op| all[op as usize].window.end);
        let key = (lane.service, before, after);
        let millis = end.since(start).as_millis();
        if !self.is_hole(*self.keys.get(&key)?, key, millis) {
            return None;
        }
        let calls = &self.ground.measured.calls;
        let (first, next) = (lane.ops.start + from as u32, lane.ops.start + to as u32);
        let earlier = (lane.ops.start..first).rev().find_map(|op| calls.of(op));
        let later = (next..lane.ops.end).find_map(|op| calls.of(op));
        let whole = later.zip(earlier);
        let whole = whole.and_then(|((_, later), (_, earlier))| later.follows(earlier));
        let kind = (before.kind_only(), after, whole == Some(true));
        (whole != Some(false)).then(|| (kind, length(millis)))
    }
}

/// Far longer than pauses of its kind are.
pub(super) fn is_long(base: &Baselines, options: &Options, key: GapIx, millis: f64) -> bool {
    base.gaps
        .norm(key)
        .is_some_and(|norm| millis - norm.centre > OVER * norm.spread + LEAST * options.floor())
}

/// A wait after a failure or for a person, or one between operations that never follow each other.
pub(super) fn is_explained(base: &Baselines, index: GapIx, (_, before, after): GapKey) -> bool {
    matches!(before, StepName::Failed | StepName::Human | StepName::Open)
        || matches!(after, StepName::Human | StepName::Open)
        || base.gaps.lacks_a_span(index)
}

/// True where a lost call is the least that would fill the pause, and nothing says that none is lost.
pub(super) fn may_hide_a_call(ground: &Ground<'_>, pause: &Pause) -> bool {
    use StepName::{End, Group, Start, Tool};
    let (_, before, after) = ground.measured.pauses.key_of(pause);
    matches!(before, Start | Tool | Group)
        && matches!(after, Tool | Group | End)
        && is_whole(ground, pause) != Some(true)
}

/// Whether all answered calls around a pause are in the dump, as far as the cache tells.
pub(super) fn is_whole(ground: &Ground<'_>, pause: &Pause) -> Option<bool> {
    let calls = &ground.measured.calls;
    let op = ground.measured.pauses.op_after(pause)?;
    let lane = ground.forest.ops[op as usize].lane;
    let end = ground.forest.lanes[lane as usize].ops.end;
    let (_, call): (CallIx, &Call) = (op..end).find_map(|op| calls.of(op))?;
    call.follows(call.before(calls)?)
}
