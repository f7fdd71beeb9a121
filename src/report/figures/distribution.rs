//! Requests by duration, in bins that widen with it.

use std::collections::BTreeMap;

use crate::report::Report;
use crate::units::Nanos;

/// Bins per doubling of the duration.
const PER_DOUBLING: i32 = 4;

/// Requests of about the same duration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DurationBin {
    /// Shortest duration in it.
    pub from: Nanos,
    /// First duration beyond it.
    pub to: Nanos,
    /// Requests that were not slow.
    pub normal: u64,
    /// Slow requests.
    pub slow: u64,
}

/// Requests by duration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Distribution {
    /// From the shortest to the longest, without holes.
    pub bins: Vec<DurationBin>,
    /// Median duration of complete requests.
    pub p50: Option<Nanos>,
    /// 95th percentile of complete requests.
    pub p95: Option<Nanos>,
    /// Duration from which on a request is slow, where the rule is the same for all.
    pub limit: Option<Nanos>,
    /// What budgets allow the duration of all requests to be: of which statistic (`p95`), and how long.
    pub budgets: Vec<(String, Nanos)>,
}

impl Distribution {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let mut counts: BTreeMap<i32, (u64, u64)> = BTreeMap::new();
        for row in report.rows() {
            let (normal, slow) = counts.entry(bin(row.request.duration())).or_default();
            match row.slow() {
                true => *slow += 1,
                false => *normal += 1,
            }
        }
        let first = counts.keys().next().copied().unwrap_or(0);
        let last = counts.keys().next_back().copied().unwrap_or(-1);
        let requests = report.sums().latency.requests;
        let bins = (first..=last).map(|index| {
            let (normal, slow) = counts.get(&index).copied().unwrap_or_default();
            DurationBin {
                from: edge(index),
                to: edge(index + 1),
                normal,
                slow,
            }
        });
        Self {
            bins: bins.collect(),
            p50: requests.map(|spread| spread.p50.value),
            p95: requests.map(|spread| spread.p95.value),
            limit: report.rule().slow_over,
            budgets: Vec::new(),
        }
    }
}

/// Everything below a millisecond shares the first bin.
fn bin(duration: Nanos) -> i32 {
    (duration.as_millis().max(1.0).log2() * f64::from(PER_DOUBLING)).floor() as i32
}

fn edge(index: i32) -> Nanos {
    let millis = (f64::from(index) / f64::from(PER_DOUBLING)).exp2();
    Nanos::from_millis(millis).unwrap_or(Nanos(u64::MAX))
}
