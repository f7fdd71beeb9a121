//! The critical path: from the end of a request backwards, what the end was waiting for. Every
//! nanosecond of wall time goes to exactly one part.

use super::{Lane, NO_LANE, Parts, StepKind, StepOp};
use crate::model::{Dataset, Op};
use crate::units::{Nanos, Window};

/// Splits `wall` over parts. `lanes` and `ops` are those of the request, indices relative to it.
pub(super) fn partition(dataset: &Dataset, wall: Window, lanes: &[Lane], ops: &[StepOp]) -> Parts {
    let mut parts = Parts::default();
    let Some(first) = lanes.first() else {
        parts.other = wall.len();
        return parts;
    };
    // Stretches still to be explained: a lane and the window of it that lies on the path.
    let mut stack = vec![(first, wall)];
    while let Some((lane, window)) = stack.pop() {
        let own = &ops[lane.ops.start as usize..lane.ops.end as usize];
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
            idle(&mut parts, op, next, upto.since(end));
            match lanes.get(op.opens as usize).filter(|_| op.opens != NO_LANE) {
                Some(inner) => stack.push((inner, Window { start, end })),
                None => busy(&mut parts, dataset, op, end.since(start)),
            }
            upto = start;
            next = Some(op);
        }
        let rest = upto.since(window.start);
        if own.is_empty() {
            parts.other += rest
        } else {
            parts.gap += rest
        }
    }
    parts
}

/// Time after `before` and before the operation that followed it.
fn idle(parts: &mut Parts, before: &StepOp, after: Option<&StepOp>, time: Nanos) {
    let retried = after.is_some_and(|a| matches!(a.kind, StepKind::Model | StepKind::Failed));
    if before.kind == StepKind::Failed && retried {
        parts.retry_wait += time
    } else {
        parts.gap += time
    }
}

fn busy(parts: &mut Parts, dataset: &Dataset, op: &StepOp, time: Nanos) {
    let span = &dataset.spans[op.span as usize];
    match op.kind {
        StepKind::Failed => parts.failed_attempts += time,
        StepKind::Human => parts.other += time,
        StepKind::Tool if matches!(span.op, Op::Retrieval | Op::Embedding) => {
            parts.retrieval += time
        }
        StepKind::Tool => parts.tool += time,
        StepKind::Group => parts.other += time,
        StepKind::Model => model(parts, dataset, op, time),
    }
}

/// Splits model time as far as it was measured: by the engine, else by the first token.
fn model(parts: &mut Parts, dataset: &Dataset, op: &StepOp, time: Nanos) {
    let facts = dataset
        .llm_of(&dataset.spans[op.span as usize])
        .copied()
        .unwrap_or_default();
    let mut left = time;
    let mut take = |wanted: Nanos| {
        let taken = wanted.min(left);
        left = left - taken;
        taken
    };
    if facts.prefill.is_some() || facts.decode.is_some() {
        parts.queue += take(facts.queue.map_or(Nanos::ZERO, |k| k.value));
        parts.prefill += take(facts.prefill.map_or(Nanos::ZERO, |k| k.value));
        parts.decode += take(facts.decode.map_or(Nanos::ZERO, |k| k.value));
        parts.other += left;
    } else if let Some(first) = facts.first_token {
        parts.prefill += take(first.value);
        parts.decode += left;
    } else {
        parts.model_unsplit += left;
    }
}
