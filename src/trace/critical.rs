//! The critical path: from the end of a request backwards, what the end was waiting for. Every
//! nanosecond of wall time goes to exactly one part.

use super::{Forest, Lane, NO_LANE, Part, Parts, Request, StepKind, StepOp};
use crate::model::{Dataset, Op, SpanIx};
use crate::units::{Nanos, Window};

/// One piece of the critical path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// What the time went to.
    pub part: Part,
    /// From when to when; never empty.
    pub window: Window,
    /// The span that was busy; `None` while none was.
    pub span: Option<SpanIx>,
}

/// Splits `wall` over parts. `lanes` and `ops` are those of the request, indices relative to it.
pub(super) fn partition(dataset: &Dataset, wall: Window, lanes: &[Lane], ops: &[StepOp]) -> Parts {
    let mut parts = Parts::default();
    let steps = Steps {
        lanes,
        ops,
        first_op: 0,
        first_lane: 0,
    };
    steps.walk(dataset, wall, &mut |stretch| {
        parts.add(stretch.part, stretch.window.len());
    });
    parts
}

/// What the end of `request` was waiting for, by time. The stretches fill its wall time without
/// overlap, and sum to its [`Parts`].
#[must_use]
pub fn critical_path(dataset: &Dataset, forest: &Forest, request: &Request) -> Vec<Stretch> {
    let range = |r: &std::ops::Range<u32>| r.start as usize..r.end as usize;
    let steps = Steps {
        lanes: forest.lanes.get(range(&request.lanes)).unwrap_or_default(),
        ops: forest.ops.get(range(&request.ops)).unwrap_or_default(),
        first_op: request.ops.start,
        first_lane: request.lanes.start,
    };
    let mut path = Vec::new();
    steps.walk(dataset, request.wall, &mut |stretch| path.push(stretch));
    path.sort_unstable_by_key(|s| s.window.start);
    path
}

/// How an operation divides its own time, whether the end was waiting for it or not.
#[must_use]
pub fn phases(dataset: &Dataset, op: &StepOp) -> Vec<Stretch> {
    let mut phases = Vec::new();
    busy(dataset, op, op.window, &mut |stretch| phases.push(stretch));
    phases
}

/// Lanes and operations of one request, and the index of the first of each.
struct Steps<'a> {
    lanes: &'a [Lane],
    ops: &'a [StepOp],
    first_op: u32,
    first_lane: u32,
}

impl Steps<'_> {
    fn walk(&self, dataset: &Dataset, wall: Window, visit: &mut impl FnMut(Stretch)) {
        let Some(first) = self.lanes.first() else {
            return give(visit, Part::Other, wall, None);
        };
        // Stretches still to be explained: a lane and the window of it that lies on the path.
        let mut stack = vec![(first, wall)];
        while let Some((lane, window)) = stack.pop() {
            let own = self.ops_of(lane);
            let mut by_end: Vec<&StepOp> = own.iter().collect();
            by_end.sort_by_key(|op| (op.window.end, op.window.start));
            let mut upto = window.end;
            let mut next: Option<&StepOp> = None;
            //   |--a--|   gap   |----b----|  tail   Walk from the right: the operation that ended last
            //      |-c-|                            before `upto` held everything after it back.
            while let Some(op) = by_end.pop() {
                let end = op.window.end.min(upto);
                let start = op.window.start.max(window.start);
                if start >= upto || end <= window.start {
                    continue;
                }
                let after = Window {
                    start: end,
                    end: upto,
                };
                give(visit, idle(op, next), after, None);
                let on_path = Window { start, end };
                match self.lane_under(op) {
                    Some(inner) => stack.push((inner, on_path)),
                    None => busy(dataset, op, on_path, visit),
                }
                upto = start;
                next = Some(op);
            }
            let rest = Window {
                start: window.start,
                end: upto,
            };
            let part = if own.is_empty() {
                Part::Other
            } else {
                Part::Gap
            };
            give(visit, part, rest, None);
        }
    }

    fn ops_of(&self, lane: &Lane) -> &[StepOp] {
        let at = |index: u32| (index - self.first_op) as usize;
        &self.ops[at(lane.ops.start)..at(lane.ops.end)]
    }

    fn lane_under(&self, op: &StepOp) -> Option<&Lane> {
        let opens = Some(op.opens).filter(|&lane| lane != NO_LANE)?;
        self.lanes.get((opens - self.first_lane) as usize)
    }
}

fn give(visit: &mut impl FnMut(Stretch), part: Part, window: Window, span: Option<SpanIx>) {
    if !window.is_empty() {
        visit(Stretch { part, window, span });
    }
}

/// What the time after `before` and before the operation that followed it was.
fn idle(before: &StepOp, after: Option<&StepOp>) -> Part {
    let retried = after.is_some_and(|a| matches!(a.kind, StepKind::Model | StepKind::Failed));
    if before.kind == StepKind::Failed && retried {
        Part::RetryWait
    } else {
        Part::Gap
    }
}

fn busy(dataset: &Dataset, op: &StepOp, window: Window, visit: &mut impl FnMut(Stretch)) {
    let span = &dataset.spans[op.span as usize];
    let part = match op.kind {
        StepKind::Model => return model(dataset, op, window, visit),
        StepKind::Failed => Part::FailedAttempts,
        StepKind::Tool if matches!(span.op, Op::Retrieval | Op::Embedding) => Part::Retrieval,
        StepKind::Tool => Part::Tool,
        StepKind::Human | StepKind::Group => Part::Other,
    };
    give(visit, part, window, Some(op.span));
}

/// Splits model time as far as it was measured: by the engine, else by the first token.
fn model(dataset: &Dataset, op: &StepOp, window: Window, visit: &mut impl FnMut(Stretch)) {
    let facts = dataset
        .llm_of(&dataset.spans[op.span as usize])
        .unwrap_or_default();
    let mut from = window.start;
    let mut take = |part, wanted: Nanos| {
        let end = (from + wanted).min(window.end);
        give(visit, part, Window { start: from, end }, Some(op.span));
        from = end;
    };
    let rest = window.len();
    if facts.prefill.is_some() || facts.decode.is_some() {
        take(
            Part::Queue,
            facts.queue.map_or(Nanos::ZERO, |known| known.value),
        );
        take(
            Part::Prefill,
            facts.prefill.map_or(Nanos::ZERO, |known| known.value),
        );
        take(
            Part::Decode,
            facts.decode.map_or(Nanos::ZERO, |known| known.value),
        );
        take(Part::Other, rest);
    } else if let Some(first) = facts.first_token {
        take(Part::Prefill, first.value);
        take(Part::Decode, rest);
    } else {
        take(Part::ModelUnsplit, rest);
    }
}
