//! The same span exported twice: by a retrying exporter, two exporters, or overlapping files.

use std::ops::Range;

use rayon::prelude::*;

use crate::model::{Dataset, IssueKind, Record, SpanFlags, SpanIx};

/// Keeps one record of each span id within a trace: one with an end before one without, then the
/// one with more said about it, then the later end. Returns the new ranges of the traces and the
/// ids of kept spans that had copies.
pub(in crate::trace) fn dedupe(
    dataset: &mut Dataset,
    traces: Vec<Range<SpanIx>>,
) -> (Vec<Range<SpanIx>>, Vec<SpanIx>) {
    let spans = &dataset.records;
    let losers: Vec<(SpanIx, SpanIx)> = traces
        .par_iter()
        .flat_map_iter(|trace| losers_of(spans, trace.clone()))
        .collect();
    if losers.is_empty() {
        return (traces, Vec::new());
    }
    let mut drop = vec![false; spans.len()];
    let mut kept = Vec::new();
    for &(loser, winner) in &losers {
        let (a, b) = (&spans[loser as usize], &spans[winner as usize]);
        let trace = dataset.traces.get(a.trace);
        let kind = if same_content(a, b) {
            IssueKind::DuplicateSpan
        } else {
            IssueKind::ConflictingSpan
        };
        dataset.ledger.note(kind, a.place, || {
            format!("span {} of trace {trace} was read before", a.id)
        });
        drop[loser as usize] = true;
        kept.push((b.trace, b.id));
    }
    let mut index = 0;
    dataset.records.retain(|_| {
        index += 1;
        !drop[index - 1]
    });
    let traces = shrink(&traces, &drop);
    kept.sort_unstable();
    kept.dedup();
    let marked = (0..dataset.records.len())
        .filter(|&i| {
            kept.binary_search(&(dataset.records[i].trace, dataset.records[i].id))
                .is_ok()
        })
        .map(|i| i as SpanIx)
        .collect();
    (traces, marked)
}

/// Pairs of (dropped, kept) within one trace.
fn losers_of(spans: &[Record], trace: Range<SpanIx>) -> Vec<(SpanIx, SpanIx)> {
    let mut by_id: Vec<SpanIx> = trace.collect();
    let rank = |i: SpanIx| {
        let s = &spans[i as usize];
        (
            s.id,
            s.flags.has(SpanFlags::NO_END),
            std::cmp::Reverse((s.weight, s.end, s.start, s.parent)),
            i,
        )
    };
    by_id.sort_unstable_by_key(|&i| rank(i));
    let mut losers = Vec::new();
    let mut winner = None;
    for i in by_id {
        match winner {
            Some(w) if spans[w as usize].id == spans[i as usize].id => losers.push((i, w)),
            _ => winner = Some(i),
        }
    }
    losers
}

fn same_content(a: &Record, b: &Record) -> bool {
    (a.start, a.end, a.parent, a.name, a.weight, a.status)
        == (b.start, b.end, b.parent, b.name, b.weight, b.status)
}

fn shrink(traces: &[Range<SpanIx>], drop: &[bool]) -> Vec<Range<SpanIx>> {
    let mut at = 0;
    traces
        .iter()
        .map(|trace| {
            let kept = drop[trace.start as usize..trace.end as usize]
                .iter()
                .filter(|d| !**d)
                .count() as SpanIx;
            let range = at..at + kept;
            at += kept;
            range
        })
        .collect()
}
