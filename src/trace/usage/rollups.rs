//! Sums that agents and tasks report over their calls: checked, and used only where no call shows
//! any usage of its own.

use super::Counted;
use super::above::{Above, sum_of};
use crate::model::{Dataset, IssueKind, Origin, SpanFlags, SpanIx};
use crate::trace::Tree;

/// Marks groups that carry sums. The outermost of each branch is compared with the calls below it;
/// where these show nothing it gets [`SpanFlags::ROLLUP`]: its sum is all there is.
pub(super) fn mark(dataset: &mut Dataset, tree: &Tree, above: &Above, counted: &mut [Counted]) {
    let sums = &above.leads.sums;
    if sums.is_empty() {
        return;
    }
    for &span in sums {
        counted[span as usize] = Counted::Rollup;
    }
    // Parents come before children: below a sum, everything is covered.
    let mut covered = vec![false; counted.len()];
    for &span in &above.order {
        if let Some(parent) = tree.parent_of(span) {
            covered[span as usize] = covered[parent as usize] || sum_of(dataset, parent).is_some();
        }
    }
    for &span in sums {
        if !covered[span as usize] {
            compare(dataset, tree, counted, span);
        }
    }
}

fn compare(dataset: &mut Dataset, tree: &Tree, counted: &[Counted], top: SpanIx) {
    let mut below = 0u64;
    for span in tree.subtree(top) {
        if counted[span as usize] == Counted::Owner
            && let Some(call) = dataset.llm_of(&dataset.spans[span as usize])
        {
            below += call.input.map_or(0, |k| u64::from(k.value));
        }
    }
    let said = sum_of(dataset, top).unwrap_or(0);
    let span = &mut dataset.spans[top as usize];
    if below == 0 {
        span.flags.set(SpanFlags::ROLLUP);
    } else if said.abs_diff(below) > (said.max(below) / 100).max(1) {
        let Origin { id, place, .. } = dataset.origins[top as usize];
        dataset.ledger.note(IssueKind::RollupMismatch, place, || {
            format!("span {id} sums {said} input tokens, its calls {below}")
        });
    }
}
