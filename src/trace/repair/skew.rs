//! Clocks of different hosts: a remote child cannot start before the call that reached it, and a
//! synchronous server cannot end after its client. Where one does, its subtree is moved by the least
//! amount that fits. (Cf. Jaeger's clock-skew adjuster, which centres the child instead.)

use rayon::prelude::*;

use crate::model::{Dataset, IssueKind, Span, SpanIx, SpanKind};
use crate::trace::Tree;
use crate::units::Nanos;

/// Below this, clocks are as good as equal.
const TOLERANCE: Nanos = Nanos(5_000_000);
/// Beyond this, something other than a clock is wrong.
const LIMIT: Nanos = Nanos(300_000_000_000);

/// Shifts skewed remote subtrees into their parents. Returns the tops of the shifted subtrees.
pub(in crate::trace) fn correct_skew(dataset: &mut Dataset, tree: &Tree) -> Vec<SpanIx> {
    let mut moved = Vec::new();
    // By how much each span was moved, its ancestors' moves included; most dumps move none.
    let mut shifts = hashbrown::HashMap::<SpanIx, i64, foldhash::fast::FixedState>::default();
    for root in skewed(dataset, tree) {
        // Parents come before children, so a child is compared with an already corrected parent.
        for i in tree.subtree(root) {
            let Some(parent) = tree.parent_of(i) else {
                continue;
            };
            let inherited = shifts.get(&parent).copied().unwrap_or(0);
            shift(&mut dataset.records[i as usize], inherited);
            let own = needed_shift(dataset, parent, i);
            if let Some(own) = own {
                shift(&mut dataset.records[i as usize], own);
                note(dataset, i, own);
                moved.push(i);
            }
            let total = inherited.saturating_add(own.unwrap_or(0));
            if total != 0 {
                shifts.insert(i, total);
            }
        }
    }
    moved
}

/// Roots of the trees in which any child does not fit its parent: elsewhere nothing moves.
fn skewed(dataset: &Dataset, tree: &Tree) -> Vec<SpanIx> {
    let children = (0..dataset.records.len() as SpanIx).into_par_iter();
    let misfits = children.filter(|&child| {
        let parent = tree.parent_of(child);
        parent.is_some_and(|parent| needed_shift(dataset, parent, child).is_some())
    });
    let misfits: Vec<SpanIx> = misfits.collect();
    let mut roots = Vec::new();
    if misfits.is_empty() {
        return roots;
    }
    // No edge is climbed twice, however deep the trace.
    let mut climbed = vec![false; dataset.records.len()];
    for misfit in misfits {
        let mut next = Some(misfit);
        while let Some(span) = next.filter(|span| !climbed[*span as usize]) {
            climbed[span as usize] = true;
            next = tree.parent_of(span);
            if next.is_none() {
                roots.push(span);
            }
        }
    }
    roots
}

fn shift(span: &mut Span, by: i64) {
    span.start = Nanos(span.start.0.saturating_add_signed(by));
    span.end = Nanos(span.end.0.saturating_add_signed(by));
}

fn note(dataset: &mut Dataset, moved: SpanIx, by: i64) {
    let span = dataset.records[moved as usize];
    let trace = dataset.trace_of(&span);
    dataset.ledger.note(IssueKind::ClockSkew, span.place, || {
        let millis = by as f64 / 1e6;
        format!(
            "span {} of trace {trace} was moved by {millis:.1} ms",
            span.id
        )
    });
}

/// Nanoseconds to add to the child's times, or `None` when the clocks agree or cannot be told apart
/// from asynchronous work.
fn needed_shift(dataset: &Dataset, parent: SpanIx, child: SpanIx) -> Option<i64> {
    let (p, c) = (
        &dataset.records[parent as usize],
        &dataset.records[child as usize],
    );
    let remote = p.emitter != c.emitter && dataset.resource_of(p) != dataset.resource_of(c);
    if !remote || c.is_open() || p.is_open() || c.duration() > p.duration() + TOLERANCE {
        return None;
    }
    let early = p.start.since(c.start);
    let late = c.end.since(p.end);
    let shift = if early > TOLERANCE {
        i64::try_from(early.0).ok()?
    } else if late > TOLERANCE && is_synchronous(p, c) {
        -i64::try_from(late.0).ok()?
    } else {
        return None;
    };
    (shift.unsigned_abs() <= LIMIT.0).then_some(shift)
}

fn is_synchronous(parent: &Span, child: &Span) -> bool {
    parent.kind == SpanKind::Client && child.kind == SpanKind::Server
}
