//! Model calls recorded side by side: two instrumentations under the same parent.

use super::calls::equal_usage;
use super::{Counted, merge};
use crate::model::{Dataset, LlmCall, Op, Span, SpanFlags, SpanIx};
use crate::trace::Tree;
use crate::units::Nanos;

/// How many later siblings a span is compared with: more than overlap in practice.
const REACH: usize = 64;

/// Pairs records of one call one to one. Records of one scope are never paired: two alike are a
/// retry or parallel calls.
pub(super) fn pair(dataset: &mut Dataset, tree: &Tree, counted: &mut [Counted]) {
    let mut calls: Vec<SpanIx> = Vec::new();
    for trace in &tree.traces {
        calls.clear();
        calls.extend(trace.clone().filter(|&i| {
            let span = &dataset.spans[i as usize];
            matches!(span.op, Op::Llm | Op::Embedding) && !span.flags.has(SpanFlags::NOISE)
        }));
        let first = calls.first().map(|&i| dataset.spans[i as usize].scope);
        if calls
            .iter()
            .all(|&i| Some(dataset.spans[i as usize].scope) == first)
        {
            continue;
        }
        calls.sort_unstable_by_key(|&i| {
            (tree.parent[i as usize], dataset.spans[i as usize].start, i)
        });
        for group in calls.chunk_by(|&a, &b| tree.parent[a as usize] == tree.parent[b as usize]) {
            pair_group(dataset, counted, group);
        }
    }
}

fn pair_group(dataset: &mut Dataset, counted: &mut [Counted], group: &[SpanIx]) {
    for (at, &a) in group.iter().enumerate() {
        if counted[a as usize] != Counted::Owner {
            continue;
        }
        let twin = group[at + 1..]
            .iter()
            .take(REACH)
            .find(|&&b| counted[b as usize] == Counted::Owner && is_twin(dataset, a, b));
        if let Some(&b) = twin {
            let (x, y) = (&dataset.spans[a as usize], &dataset.spans[b as usize]);
            let (owner, twin) = if y.duration() > x.duration() {
                (b, a)
            } else {
                (a, b)
            };
            merge::into(dataset, owner, twin);
            counted[twin as usize] = Counted::Twin(owner);
        }
    }
}

fn is_twin(dataset: &Dataset, a: SpanIx, b: SpanIx) -> bool {
    let (x, y) = (&dataset.spans[a as usize], &dataset.spans[b as usize]);
    let (Some(p), Some(q)) = (dataset.llm_of(x), dataset.llm_of(y)) else {
        return false;
    };
    let same_id = p.response_id.is_some() && p.response_id == q.response_id;
    x.scope != y.scope
        && x.op == y.op
        && (contains(x, y) || contains(y, x))
        && same_family(dataset, p, q)
        && (same_id || !p.has_usage() || !q.has_usage() || equal_usage(p, q))
}

/// `inner` lies in `outer`, up to 5 ms and one percent.
fn contains(outer: &Span, inner: &Span) -> bool {
    let slack = Nanos(5_000_000 + outer.duration().0 / 100);
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
