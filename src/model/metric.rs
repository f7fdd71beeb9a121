//! Time series: one name, one set of labels, points in time order.

use super::{SpanId, TraceId};
use crate::units::{Nanos, Sym};

/// What the points mean.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum SeriesKind {
    /// A value at an instant.
    Gauge,
    /// A running total; resets go down.
    Counter,
    /// A total since the previous point.
    Delta,
    /// Running sum of a histogram.
    HistogramSum,
    /// Running count of a histogram.
    HistogramCount,
}

/// One sample.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// When it was taken.
    pub time: Nanos,
    /// Its value, finite.
    pub value: f64,
}

/// One series. Histograms appear as two: their sum and their count; where buckets are asked for, also as
/// counters `<name>_bucket` with a label `le`.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Series {
    /// Metric name as exported.
    pub name: Sym,
    /// What the points mean.
    pub kind: SeriesKind,
    /// Resource attributes and labels, sorted by text.
    pub labels: Vec<(Sym, Sym)>,
    /// Samples, sorted by time once the dataset is complete.
    pub points: Vec<Point>,
}

/// One observation of a metric that names the trace it was made in.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Exemplar {
    /// Metric name as exported; a bucket's is its histogram's.
    pub metric: Sym,
    /// When, if said.
    pub time: Option<Nanos>,
    /// What was observed.
    pub value: f64,
    /// Its trace.
    pub trace: TraceId,
    /// Its span; none where only the trace is named.
    pub span: SpanId,
}
