//! What the points of an OTLP metric mean, from what its two encodings say about it.

use crate::ingest::lenient::Temporality;
use crate::ingest::raw::RawMetricKind;

/// The metric's data type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// `gauge`
    Gauge,
    /// `sum`
    Sum,
    /// `histogram`, `exponentialHistogram` or `summary`
    Distribution,
}

/// The meaning of a metric's points.
pub(super) fn meaning(
    sort: Sort,
    temporality: Option<Temporality>,
    monotonic: bool,
) -> RawMetricKind {
    match (sort, temporality) {
        (Sort::Gauge, _) => RawMetricKind::Gauge,
        (_, Some(Temporality::Delta)) => RawMetricKind::Delta,
        // A total that may go down is a level: connections open, requests in flight.
        (Sort::Sum, _) if !monotonic => RawMetricKind::Gauge,
        _ => RawMetricKind::Cumulative,
    }
}
