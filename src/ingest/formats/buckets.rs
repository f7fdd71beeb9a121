//! The buckets of OTLP histograms as counters of their own, as Prometheus stores them.
//!
//! Source: OpenTelemetry, "Prometheus and OpenMetrics Compatibility", histograms.

use crate::ingest::raw::{
    RawAttr, RawMetric, RawMetricKind, RawPoint, RawPointValue, RawValue, Text,
};
use crate::model::Place;
use crate::units::Nanos;

/// Points of the buckets of one metric.
#[derive(Default)]
pub(super) struct Buckets<'a> {
    points: Vec<RawPoint<'a>>,
}

impl<'a> Buckets<'a> {
    /// The buckets of one point: counts per bucket become running counts up to each bound. A list
    /// that does not fit its bounds says nothing.
    pub(super) fn push(
        &mut self,
        time: Option<Nanos>,
        labels: &[RawAttr<'a>],
        bounds: &[f64],
        counts: &[u64],
    ) {
        if counts.len() != bounds.len() + 1 {
            return;
        }
        let bounds = bounds.iter().map(|&bound| RawValue::Double(bound));
        let last = RawValue::Str(Text::plain(b"+Inf"));
        let mut total = 0u64;
        for (bound, count) in bounds.chain([last]).zip(counts) {
            total = total.saturating_add(*count);
            let le = RawAttr {
                key: "le".into(),
                value: bound,
            };
            self.points.push(RawPoint {
                time,
                attributes: labels.iter().cloned().chain([le]).collect(),
                value: RawPointValue::Number(total as f64),
            });
        }
    }

    /// All of them as a metric; `None` where there are none.
    pub(super) fn metric(
        self,
        name: &str,
        kind: RawMetricKind,
        place: Place,
    ) -> Option<RawMetric<'a>> {
        (!self.points.is_empty()).then(|| RawMetric {
            name: format!("{name}_bucket").into(),
            kind,
            points: self.points,
            place,
        })
    }
}
