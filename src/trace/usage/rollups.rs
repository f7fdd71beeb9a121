//! Sums that agents and tasks report over their calls: checked, and used only where no call shows
//! any usage of its own.

use super::Counted;
use crate::model::{Dataset, IssueKind, SpanFlags, SpanIx};
use crate::trace::Tree;

/// Marks groups that carry sums. The outermost of each branch is compared with the calls below it;
/// where these show nothing it gets [`SpanFlags::ROLLUP`]: its sum is all there is.
pub(super) fn mark(dataset: &mut Dataset, tree: &Tree, counted: &mut [Counted]) {
    for trace in &tree.traces {
        for span in trace.clone() {
            if sum_of(dataset, span).is_some() {
                counted[span as usize] = Counted::Rollup;
            }
        }
    }
    for span in 0..dataset.spans.len() as SpanIx {
        let is_sum =
            |s: SpanIx| counted[s as usize] == Counted::Rollup && sum_of(dataset, s).is_some();
        if is_sum(span) && !tree.ancestors(span).any(is_sum) {
            compare(dataset, tree, counted, span);
        }
    }
}

fn sum_of(dataset: &Dataset, span: SpanIx) -> Option<u64> {
    let facts = dataset.task_of(&dataset.spans[span as usize])?;
    facts.rollup_input.filter(|&n| n > 0).map(u64::from)
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
    let record = &mut dataset.spans[top as usize];
    if below == 0 {
        record.flags.set(SpanFlags::ROLLUP);
    } else if said.abs_diff(below) > (said.max(below) / 100).max(1) {
        let (id, place) = (record.id, record.place);
        dataset.ledger.count(IssueKind::RollupMismatch, place, || {
            format!("span {id} sums {said} input tokens, its calls {below}")
        });
    }
}
