//! Metrics from their messages.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value as Observed;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, HistogramDataPoint, Metric, NumberDataPoint,
};

use super::labels::labels;
use super::value::time;
use crate::ingest::formats::buckets::Buckets;
use crate::ingest::formats::meaning::{Sort, meaning};
use crate::ingest::lenient::{Temporality, id_from_bytes};
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawExemplar, RawMetric, RawMetricKind, RawPoint, RawPointValue};
use crate::model::{SpanId, TraceId};

/// Delivers a metric that stood at `at`.
pub(super) fn metric(metric: &Metric, out: &mut Outlet<'_>, at: usize, resource: u32) {
    let mut points = Points {
        list: Vec::new(),
        name: &metric.name,
        at,
        out,
        buckets: Buckets::default(),
    };
    let kind = match &metric.data {
        None => RawMetricKind::Gauge,
        Some(Data::Gauge(gauge)) => {
            points.numbers(&gauge.data_points);
            RawMetricKind::Gauge
        }
        Some(Data::Sum(sum)) => {
            points.numbers(&sum.data_points);
            meaning(
                Sort::Sum,
                temporality(sum.aggregation_temporality),
                sum.is_monotonic,
            )
        }
        Some(Data::Histogram(data)) => {
            for p in &data.data_points {
                points.buckets(p);
                points.distribution(p.time_unix_nano, &p.attributes, p.flags, p.sum, p.count);
                points.exemplars(&p.exemplars);
            }
            distribution(data.aggregation_temporality)
        }
        Some(Data::ExponentialHistogram(data)) => {
            for p in &data.data_points {
                points.distribution(p.time_unix_nano, &p.attributes, p.flags, p.sum, p.count);
                points.exemplars(&p.exemplars);
            }
            distribution(data.aggregation_temporality)
        }
        Some(Data::Summary(data)) => {
            for p in &data.data_points {
                points.distribution(
                    p.time_unix_nano,
                    &p.attributes,
                    p.flags,
                    Some(p.sum),
                    p.count,
                );
            }
            meaning(Sort::Distribution, None, true)
        }
    };
    let Points { list, buckets, .. } = points;
    let mut raw = RawMetric {
        name: metric.name.as_str().into(),
        kind,
        points: list,
        place: out.place(at),
    };
    let buckets = buckets.metric(&metric.name, kind, raw.place);
    if let Some(mut buckets) = buckets {
        out.metric(&mut buckets, resource, at);
    }
    out.metric(&mut raw, resource, at);
}

fn distribution(number: i32) -> RawMetricKind {
    meaning(Sort::Distribution, temporality(number), true)
}

fn temporality(number: i32) -> Option<Temporality> {
    match number {
        1 => Some(Temporality::Delta),
        2 => Some(Temporality::Cumulative),
        _ => None,
    }
}

struct Points<'m, 'o, 's> {
    list: Vec<RawPoint<'m>>,
    name: &'m str,
    at: usize,
    out: &'o mut Outlet<'s>,
    buckets: Buckets<'m>,
}

impl<'m> Points<'m, '_, '_> {
    fn numbers(&mut self, points: &'m [NumberDataPoint]) {
        for p in points {
            let value = p.value.map(|value| match value {
                Value::AsDouble(number) => RawPointValue::Number(number),
                Value::AsInt(number) => RawPointValue::Number(number as f64),
            });
            self.push(p.time_unix_nano, &p.attributes, p.flags, value);
            self.exemplars(&p.exemplars);
        }
    }

    fn buckets(&mut self, p: &'m HistogramDataPoint) {
        if self.out.wants_buckets() && p.flags & 1 == 0 && !p.bucket_counts.is_empty() {
            let labels = labels(&p.attributes);
            let (bounds, counts) = (&p.explicit_bounds, &p.bucket_counts);
            self.buckets
                .push(time(p.time_unix_nano), &labels, bounds, counts);
        }
    }

    fn distribution(
        &mut self,
        nanos: u64,
        set: &'m [KeyValue],
        flags: u32,
        sum: Option<f64>,
        count: u64,
    ) {
        let value = RawPointValue::Distribution { sum, count };
        self.push(nanos, set, flags, Some(value));
    }

    fn exemplars(&mut self, exemplars: &[Exemplar]) {
        for exemplar in exemplars {
            let value = match exemplar.value {
                Some(Observed::AsDouble(number)) => number,
                Some(Observed::AsInt(number)) => number as f64,
                None => continue,
            };
            let raw = RawExemplar {
                time: time(exemplar.time_unix_nano),
                value,
                trace: TraceId(id_from_bytes::<16>(&exemplar.trace_id).get()),
                span: SpanId(id_from_bytes::<8>(&exemplar.span_id).get() as u64),
            };
            self.out.exemplar(self.name, &raw, self.at);
        }
    }

    fn push(&mut self, nanos: u64, set: &'m [KeyValue], flags: u32, value: Option<RawPointValue>) {
        // Flag 1: the series says that it has no value here.
        match value.filter(|_| flags & 1 == 0) {
            Some(value) => self.list.push(RawPoint {
                time: time(nanos),
                attributes: labels(set),
                value,
            }),
            None => self.out.point_without_value(flags & 1 != 0, self.at),
        }
    }
}
