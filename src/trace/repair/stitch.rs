//! Fragments whose context was lost between services, joined on hard evidence only: a span link into
//! another trace whose span was running all the while.

use crate::model::{Dataset, IssueKind, Link, SpanId, SpanIx, TraceId};
use crate::trace::NO_SPAN;
use crate::units::Nanos;

/// How far a fragment may stick out of the span that links to it: clocks of two hosts.
pub(in crate::trace) const SLACK: Nanos = Nanos(50_000_000);

/// Hangs each fragment root under the span its link names. Returns the joined roots.
pub(in crate::trace) fn stitch(dataset: &mut Dataset, parent: &mut [SpanIx]) -> Vec<SpanIx> {
    let mut joined = Vec::new();
    if dataset.links.is_empty() {
        return joined;
    }
    let mut links = std::mem::take(&mut dataset.links);
    links.sort_unstable_by_key(|l| (l.from, l.to));
    links.dedup_by_key(|l| (l.from, l.to));
    let ends = Ends::of(dataset, &links);
    for link in &links {
        let (Some(from), Some(to)) = (ends.get(link.from), ends.get(link.to)) else {
            continue;
        };
        let is_root =
            parent[from as usize] == NO_SPAN && dataset.records[from as usize].parent.is_none();
        if link.from.0 == link.to.0
            || !is_root
            || !contains(dataset, to, from)
            || leads_to(parent, to, from)
        {
            continue;
        }
        parent[from as usize] = to;
        joined.push(from);
        let span = dataset.records[from as usize];
        dataset
            .ledger
            .note(IssueKind::StitchedFragment, span.place, || {
                format!(
                    "trace {} joined to trace {} (confidence 0.98): a span link names it and it ran inside \
                     that span",
                    link.from.0, link.to.0
                )
            });
    }
    dataset.links = links;
    joined
}

type Key = (TraceId, SpanId);

/// Where the spans lie that links start from or name.
struct Ends(hashbrown::HashMap<Key, SpanIx, foldhash::fast::FixedState>);

impl Ends {
    fn of(dataset: &Dataset, links: &[Link]) -> Self {
        let named = links.iter().flat_map(|link| [link.from, link.to]);
        let mut ends: hashbrown::HashMap<_, _, _> = named.map(|key| (key, NO_SPAN)).collect();
        for (span, i) in dataset.records.iter().zip(0..) {
            if let Some(end) = ends.get_mut(&(dataset.trace_of(span), span.id)) {
                *end = i;
            }
        }
        Self(ends)
    }

    fn get(&self, key: Key) -> Option<SpanIx> {
        self.0.get(&key).copied().filter(|&i| i != NO_SPAN)
    }
}

pub(super) fn contains(dataset: &Dataset, outer: SpanIx, inner: SpanIx) -> bool {
    let (outer, inner) = (
        &dataset.records[outer as usize],
        &dataset.records[inner as usize],
    );
    !outer.is_open()
        && !inner.is_open()
        && inner.start + SLACK >= outer.start
        && inner.end <= outer.end + SLACK
}

pub(super) fn leads_to(parent: &[SpanIx], from: SpanIx, to: SpanIx) -> bool {
    std::iter::successors(Some(from), |&s| {
        parent.get(s as usize).copied().filter(|&p| p != NO_SPAN)
    })
    .any(|s| s == to)
}
