//! Spans whose parent is not in the dump hang under their trace's one root, if there is exactly one.

use std::ops::Range;

use crate::model::{Dataset, IssueKind, SpanIx};
use crate::trace::NO_SPAN;

/// Adopts the orphans of all traces. Returns (orphans found, orphans adopted).
pub(in crate::trace) fn adopt_orphans(
    dataset: &mut Dataset,
    parent: &mut [SpanIx],
    traces: &[Range<SpanIx>],
) -> (u64, Vec<SpanIx>) {
    let mut adopted = Vec::new();
    let mut found = 0;
    for trace in traces {
        let spans = &dataset.spans;
        let local_roots = || trace.clone().filter(|&i| parent[i as usize] == NO_SPAN);
        let is_true_root = |i: &SpanIx| spans[*i as usize].parent.is_none();
        let orphans: Vec<SpanIx> = local_roots().filter(|i| !is_true_root(i)).collect();
        if orphans.is_empty() {
            continue;
        }
        found += orphans.len() as u64;
        let mut roots = local_roots().filter(is_true_root);
        let only = roots.next().filter(|_| roots.next().is_none());
        for orphan in orphans {
            let span = dataset.spans[orphan as usize];
            let id = dataset.trace_of(&span);
            dataset.ledger.count(IssueKind::OrphanSpan, span.place, || {
                format!(
                    "span {} of trace {id} names parent {}, which is not in the dump",
                    span.id, span.parent
                )
            });
            if let Some(root) = only {
                parent[orphan as usize] = root;
                adopted.push(orphan);
            }
        }
    }
    (found, adopted)
}
