//! Which spans belong to a request, for showing it: a request keeps its operations only.

use super::{Forest, Request, RootState};
use crate::model::{Dataset, SpanIx};

/// The tops of `request`: its root, or all local roots of its trace where the root is missing.
#[must_use]
pub fn tops(dataset: &Dataset, forest: &Forest, request: &Request) -> Vec<SpanIx> {
    if request.root_state != RootState::Missing {
        return vec![request.root];
    }
    let is_here = |range: &&std::ops::Range<SpanIx>| range.contains(&request.root);
    let Some(trace) = forest.tree.traces.iter().find(is_here) else {
        return vec![request.root];
    };
    let alone = forest
        .requests
        .iter()
        .filter(|r| r.trace == request.trace)
        .count()
        == 1;
    // Where the trace has other requests, their roots are those without a parent.
    let orphan = |&span: &SpanIx| !dataset.origins[span as usize].parent.is_none();
    let roots = forest.tree.roots(trace);
    roots.filter(|span| alone || orphan(span)).collect()
}
