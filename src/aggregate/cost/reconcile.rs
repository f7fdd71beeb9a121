//! Cost as emitters reported it against cost as computed here: where they differ, one of the two price
//! lists is wrong.

use std::collections::BTreeMap;

use super::pricer::Calls;
use crate::model::{SpanIx, TraceId};
use crate::units::Usd;

/// All calls that report a cost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reconciliation {
    /// Calls that report a cost and could be priced.
    pub calls: u64,
    /// Of these: calls where the two differ.
    pub differing: u64,
    /// What they reported, and what was computed for them.
    pub reported: Usd,
    /// What was computed for them.
    pub computed: Usd,
    /// Calls that report a cost and could not be priced.
    pub unpriced_calls: u64,
    /// What those reported.
    pub unpriced: Usd,
    /// By model, the largest difference first; models without a differing call are left out.
    pub differences: Vec<Difference>,
}

/// The calls of one model that report another cost than computed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The model.
    pub model: String,
    /// Calls that differ.
    pub calls: u64,
    /// What they reported.
    pub reported: Usd,
    /// What was computed for them.
    pub computed: Usd,
    /// The call that differs most.
    pub worst: Worst,
}

/// The call that differs most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Worst {
    /// Its trace.
    pub trace: TraceId,
    /// Its span.
    pub span: SpanIx,
    /// What it reported.
    pub reported: Usd,
    /// What was computed for it.
    pub computed: Usd,
}

impl Worst {
    fn gap(&self) -> i64 {
        self.reported
            .0
            .abs_diff(self.computed.0)
            .min(i64::MAX as u64) as i64
    }
}

/// Differences up to a hundredth, or a ten-thousandth of a cent, are rounding.
fn differs(reported: Usd, computed: Usd) -> bool {
    let gap = reported.0.abs_diff(computed.0);
    gap > 1_000 && gap > computed.0.unsigned_abs().max(reported.0.unsigned_abs()) / 100
}

pub(super) fn compare(calls: &Calls<'_>) -> Reconciliation {
    let mut all = Reconciliation::default();
    let mut models: BTreeMap<&str, Difference> = BTreeMap::new();
    for &(row, reported) in &calls.reported {
        let Some(line) = calls.rows.get(row as usize) else {
            continue;
        };
        let Some(computed) = line.cost.map(Usd) else {
            all.unpriced_calls += 1;
            all.unpriced += reported;
            continue;
        };
        all.calls += 1;
        all.reported += reported;
        all.computed += computed;
        let Some((op, call, _)) = calls.get(row as usize) else {
            continue;
        };
        let Some(span) = calls.data.spans.get(op.span as usize) else {
            continue;
        };
        if !differs(reported, computed) {
            continue;
        }
        all.differing += 1;
        let this = Worst {
            trace: calls.data.trace_of(span),
            span: op.span,
            reported,
            computed,
        };
        let model = calls.data.text(call.model());
        let entry = models.entry(model).or_insert_with(|| Difference {
            model: model.to_owned(),
            calls: 0,
            reported: Usd::ZERO,
            computed: Usd::ZERO,
            worst: this,
        });
        entry.calls += 1;
        entry.reported += reported;
        entry.computed += computed;
        if (this.gap(), std::cmp::Reverse(this))
            > (entry.worst.gap(), std::cmp::Reverse(entry.worst))
        {
            entry.worst = this;
        }
    }
    all.differences = models.into_values().collect();
    let gap = |d: &Difference| d.reported.0.abs_diff(d.computed.0);
    all.differences.sort_by_key(|d| std::cmp::Reverse(gap(d)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_no_difference() {
        assert!(!differs(Usd(1_000_000), Usd(1_009_000)));
        assert!(differs(Usd(1_000_000), Usd(1_020_000)));
        assert!(!differs(Usd(0), Usd(900)));
        assert!(differs(Usd(0), Usd(2_000)));
    }
}
