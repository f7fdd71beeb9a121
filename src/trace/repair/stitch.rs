//! Fragments whose context was lost between services, joined on hard evidence only: a span link into
//! another trace whose span was running all the while. Same-conversation guesses are not made here.

use crate::model::{Dataset, IssueKind, SpanId, SpanIx, TraceId};
use crate::trace::NO_SPAN;
use crate::units::Nanos;

/// How far a fragment may stick out of the span that links to it: clocks of two hosts.
const SLACK: Nanos = Nanos(50_000_000);

/// Hangs each fragment root under the span its link names. Returns the joined roots.
pub(in crate::trace) fn stitch(dataset: &mut Dataset, parent: &mut [SpanIx]) -> Vec<SpanIx> {
    let mut joined = Vec::new();
    let mut links = std::mem::take(&mut dataset.links);
    links.sort_unstable_by_key(|l| (l.from, l.to));
    links.dedup_by_key(|l| (l.from, l.to));
    for link in &links {
        let (Some(from), Some(to)) = (find(dataset, link.from), find(dataset, link.to)) else {
            continue;
        };
        let is_root =
            parent[from as usize] == NO_SPAN && dataset.spans[from as usize].parent.is_none();
        if link.from.0 == link.to.0
            || !is_root
            || !contains(dataset, to, from)
            || leads_to(parent, to, from)
        {
            continue;
        }
        parent[from as usize] = to;
        joined.push(from);
        let span = dataset.spans[from as usize];
        dataset
            .ledger
            .count(IssueKind::StitchedFragment, span.place, || {
                format!(
                    "trace {} joined to trace {}: a span link names it and it ran inside that span",
                    link.from.0, link.to.0
                )
            });
    }
    dataset.links = links;
    joined
}

/// Spans are sorted by trace and start; within a trace ids are looked up one by one, which is fine
/// for the few spans that carry links.
fn find(dataset: &Dataset, (trace, id): (TraceId, SpanId)) -> Option<SpanIx> {
    let start = dataset.spans.partition_point(|s| s.trace < trace);
    dataset.spans[start..]
        .iter()
        .take_while(|s| s.trace == trace)
        .position(|s| s.id == id)
        .map(|i| (start + i) as SpanIx)
}

fn contains(dataset: &Dataset, outer: SpanIx, inner: SpanIx) -> bool {
    let (outer, inner) = (
        &dataset.spans[outer as usize],
        &dataset.spans[inner as usize],
    );
    !outer.is_open()
        && !inner.is_open()
        && inner.start + SLACK >= outer.start
        && inner.end <= outer.end + SLACK
}

fn leads_to(parent: &[SpanIx], from: SpanIx, to: SpanIx) -> bool {
    std::iter::successors(Some(from), |&s| {
        parent.get(s as usize).copied().filter(|&p| p != NO_SPAN)
    })
    .any(|s| s == to)
}
