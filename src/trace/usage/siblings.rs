//! Model calls recorded side by side: two instrumentations under the same parent.

use std::ops::Range;

use rayon::prelude::*;

use super::calls::equal_usage;
use super::{Counted, merge};
use crate::model::{Dataset, LlmCall, Op, Span, SpanFlags, SpanIx};
use crate::trace::Tree;
use crate::units::Nanos;

/// How many later siblings a span is compared with, and how many ancestors: more than occur in
/// practice.
const REACH: usize = 64;

/// Pairs records of one call one to one. Records of one scope are never paired: two alike are a
/// retry or parallel calls. Where a library lost the context, its record hangs higher up.
pub(super) fn pair(dataset: &mut Dataset, tree: &Tree, counted: &mut [Counted]) {
    let is_mixed = |trace: &&Range<SpanIx>| {
        let mut scopes = calls_of(dataset, trace).map(|i| {
            let span = &dataset.spans[i as usize];
            dataset.emitter_of(span).scope
        });
        let first = scopes.next();
        scopes.any(|scope| Some(scope) != first)
    };
    let mixed: Vec<&Range<SpanIx>> = tree.traces.par_iter().filter(is_mixed).collect();
    for trace in mixed {
        let calls: Vec<SpanIx> = calls_of(dataset, trace).collect();
        pair_trace(dataset, tree, counted, &calls);
    }
}

/// Client-side calls of a trace, by start.
fn calls_of(dataset: &Dataset, trace: &Range<SpanIx>) -> impl Iterator<Item = SpanIx> {
    trace.clone().filter(|&i| {
        let span = &dataset.spans[i as usize];
        matches!(span.op, Op::Llm | Op::Embedding) && !span.flags.has(SpanFlags::NOISE)
    })
}

/// `calls` come in the order of their starts.
fn pair_trace(dataset: &mut Dataset, tree: &Tree, counted: &mut [Counted], calls: &[SpanIx]) {
    for (at, &a) in calls.iter().enumerate() {
        if counted[a as usize] != Counted::Owner {
            continue;
        }
        let end = dataset.spans[a as usize].end;
        let twin = calls[at + 1..]
            .iter()
            .take(REACH)
            .take_while(|&&b| dataset.spans[b as usize].start <= end)
            .find(|&&b| {
                counted[b as usize] == Counted::Owner
                    && is_beside(dataset, tree, a, b)
                    && is_twin(dataset, a, b)
            });
        if let Some(&b) = twin {
            let (owner, twin) = if owns(dataset, tree, a, b) {
                (a, b)
            } else {
                (b, a)
            };
            merge::into(dataset, owner, twin);
            counted[twin as usize] = Counted::Twin(owner);
        }
    }
}

/// The record deeper in the tree owns the call, as it stands where the call was made; of two under
/// one parent the longer.
fn owns(dataset: &Dataset, tree: &Tree, a: SpanIx, b: SpanIx) -> bool {
    if tree.parent_of(a) == tree.parent_of(b) {
        let length = |i: SpanIx| dataset.spans[i as usize].duration();
        return length(a) >= length(b);
    }
    hangs_higher(tree, b, a)
}

/// Under one parent; or one hangs higher up and both ran at the same time to the millisecond.
fn is_beside(dataset: &Dataset, tree: &Tree, a: SpanIx, b: SpanIx) -> bool {
    if tree.parent_of(a) == tree.parent_of(b) {
        return true;
    }
    let (x, y) = (&dataset.spans[a as usize], &dataset.spans[b as usize]);
    let slack = slack(x);
    x.start.0.abs_diff(y.start.0) <= slack.0
        && x.end.0.abs_diff(y.end.0) <= slack.0
        && (hangs_higher(tree, a, b) || hangs_higher(tree, b, a))
}

/// The parent of `high` is an ancestor of `low`, which does not contain it itself.
fn hangs_higher(tree: &Tree, high: SpanIx, low: SpanIx) -> bool {
    let above = || tree.ancestors(low).take(REACH);
    let beside = match tree.parent_of(high) {
        None => true,
        Some(parent) => above().skip(1).any(|s| s == parent),
    };
    beside && !above().any(|s| s == high)
}

fn is_twin(dataset: &Dataset, a: SpanIx, b: SpanIx) -> bool {
    let (x, y) = (&dataset.spans[a as usize], &dataset.spans[b as usize]);
    let (Some(p), Some(q)) = (dataset.llm_of(x), dataset.llm_of(y)) else {
        return false;
    };
    let same_id = p.response_id.is_some() && p.response_id == q.response_id;
    dataset.emitter_of(x).scope != dataset.emitter_of(y).scope
        && x.op == y.op
        && (contains(x, y) || contains(y, x))
        && same_family(dataset, &p, &q)
        && (same_id || !p.has_usage() || !q.has_usage() || equal_usage(&p, &q))
}

/// 5 ms and one percent: what two records of one call may differ by.
fn slack(span: &Span) -> Nanos {
    Nanos(5_000_000 + span.duration().0 / 100)
}

/// `inner` lies in `outer`, up to the slack.
fn contains(outer: &Span, inner: &Span) -> bool {
    let slack = slack(outer);
    outer.start <= inner.start + slack && inner.end <= outer.end + slack
}

/// The same model, with or without the vendor before it and the date behind it.
fn same_family(dataset: &Dataset, p: &LlmCall, q: &LlmCall) -> bool {
    let bare = |call: &LlmCall| {
        let name = dataset.text(call.model());
        name.rsplit('/').next().unwrap_or(name)
    };
    let (m, n) = (bare(p), bare(q));
    m.starts_with(n) || n.starts_with(m)
}
