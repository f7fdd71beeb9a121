//! Spans without an end are closed at the last end of what they contain, and never judged.

use rayon::prelude::*;

use crate::model::{Dataset, IssueKind, SpanIx};
use crate::trace::Tree;

/// Gives every open span an end, at least its own start. The flag stays, so that nothing judges it.
pub(in crate::trace) fn close_unfinished(dataset: &mut Dataset, tree: &Tree) -> Vec<SpanIx> {
    let all = (0..dataset.records.len() as SpanIx).into_par_iter();
    let open = all.filter(|&i| dataset.records[i as usize].is_open());
    let open: Vec<SpanIx> = open.collect();
    for &i in &open {
        let span = dataset.records[i as usize];
        let trace = dataset.trace_of(&span);
        dataset
            .ledger
            .note(IssueKind::UnfinishedSpan, span.place, || {
                format!("span {} of trace {trace} has no end", span.id)
            });
        dataset.records[i as usize].end = span.start;
    }
    // Latest ends first: an ancestor that was lifted once is never lifted again, so that each edge is
    // climbed once however deep the trace.
    if !open.is_empty() {
        let mut latest_first: Vec<SpanIx> = (0..dataset.records.len() as SpanIx).collect();
        latest_first.sort_unstable_by_key(|&i| std::cmp::Reverse(dataset.records[i as usize].end));
        for i in latest_first {
            let end = dataset.records[i as usize].end;
            for up in tree.ancestors(i) {
                let ancestor = &mut dataset.records[up as usize];
                if !ancestor.is_open() || ancestor.end >= end {
                    break;
                }
                ancestor.end = end;
            }
        }
    }
    open
}
