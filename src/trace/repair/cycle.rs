//! Parents that form a circle: opened at the earliest span of the circle.

use std::ops::Range;

use crate::model::{Dataset, IssueKind, SpanIx};
use crate::trace::NO_SPAN;

/// Cuts every circle among the parents of one trace; `parent` is indexed from the trace's start.
/// Returns the spans that became roots.
pub(in crate::trace) fn open_cycles(parent: &mut [SpanIx], trace: &Range<SpanIx>) -> Vec<SpanIx> {
    const NEW: u32 = 0;
    let mut seen = vec![NEW; parent.len()];
    let mut opened = Vec::new();
    for start in 0..parent.len() {
        let walk = start as u32 + 1;
        let mut at = start;
        // Follow parents until something already visited; meeting our own walk is a circle.
        while seen[at] == NEW {
            seen[at] = walk;
            match parent[at] {
                p if p != NO_SPAN && trace.contains(&p) => at = (p - trace.start) as usize,
                _ => break,
            }
        }
        let closes = parent[at] != NO_SPAN && seen[at] == walk && on_cycle(parent, trace, at);
        if closes {
            let earliest = earliest_on_cycle(parent, trace, at);
            parent[earliest] = NO_SPAN;
            opened.push(trace.start + earliest as SpanIx);
        }
    }
    opened
}

fn step(parent: &[SpanIx], trace: &Range<SpanIx>, at: usize) -> Option<usize> {
    let p = parent[at];
    (p != NO_SPAN && trace.contains(&p)).then(|| (p - trace.start) as usize)
}

fn on_cycle(parent: &[SpanIx], trace: &Range<SpanIx>, at: usize) -> bool {
    let mut walker = step(parent, trace, at);
    for _ in 0..parent.len() {
        match walker {
            None => return false,
            Some(w) if w == at => return true,
            Some(w) => walker = step(parent, trace, w),
        }
    }
    false
}

/// Spans are sorted by start, so the smallest index is the earliest.
fn earliest_on_cycle(parent: &[SpanIx], trace: &Range<SpanIx>, at: usize) -> usize {
    let mut earliest = at;
    let mut walker = step(parent, trace, at);
    while let Some(w) = walker {
        if w == at {
            break;
        }
        earliest = earliest.min(w);
        walker = step(parent, trace, w);
    }
    earliest
}

/// Notes the opened circles in the ledger.
pub(in crate::trace) fn note(dataset: &mut Dataset, opened: &[SpanIx]) {
    for &i in opened {
        let span = dataset.records[i as usize];
        dataset.ledger.note(IssueKind::ParentCycle, span.place, || {
            format!("span {} is its own ancestor; it was made a root", span.id)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_open_at_their_earliest_span_and_trees_stay() {
        let mut parent = vec![2, 0, 1, NO_SPAN, 3, 5];
        let opened = open_cycles(&mut parent, &(0..6));
        assert_eq!(opened, [0, 5]);
        assert_eq!(parent, [NO_SPAN, 0, 1, NO_SPAN, 3, NO_SPAN]);
    }

    #[test]
    fn a_tail_leading_into_a_circle_is_kept() {
        let mut parent = vec![1, 2, 1];
        assert_eq!(open_cycles(&mut parent, &(0..3)), [1]);
        assert_eq!(parent, [1, NO_SPAN, 1]);
    }
}
