//! From metric points to series: one name, one kind, one set of labels.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::shell;
use crate::ingest::{RawMetric, RawMetricKind, RawPoint, RawPointValue, RawValue};
use crate::model::{Dataset, IssueKind, Point, Resource, Series, SeriesKind};
use crate::units::{Interner, Sym};

/// Finds the series of each point. Labels are in the order of their symbols, which is stable
/// within one worker; [`merge_series`] puts them in the order of their texts.
#[derive(Debug, Default)]
pub(super) struct SeriesIndex {
    known: HashTable<u32>,
    labels: Vec<(Sym, Sym)>,
}

impl SeriesIndex {
    /// Takes in all points of a metric. A histogram becomes two series of its name; one with delta
    /// temporality two delta series named with `_sum` and `_count`.
    pub(super) fn metric(&mut self, data: &mut Dataset, metric: &RawMetric<'_>, resource: u32) {
        use SeriesKind as K;
        let resource = data
            .resources
            .get(resource as usize)
            .copied()
            .unwrap_or_default();
        let name = data.names.intern(&metric.name);
        let (mut sums, mut counts) = (name, name);
        if metric.kind == RawMetricKind::Delta {
            sums = data.names.intern(&format!("{}_sum", metric.name));
            counts = data.names.intern(&format!("{}_count", metric.name));
        }
        let (plain, of_sums, of_counts) = match metric.kind {
            RawMetricKind::Gauge => (K::Gauge, K::HistogramSum, K::HistogramCount),
            RawMetricKind::Cumulative => (K::Counter, K::HistogramSum, K::HistogramCount),
            RawMetricKind::Delta => (K::Delta, K::Delta, K::Delta),
        };
        for point in &metric.points {
            self.label(&mut data.names, resource, point);
            let mut push = |name, kind, value| self.push(data, metric, point, (name, kind), value);
            match point.value {
                RawPointValue::Number(value) => push(name, plain, value),
                RawPointValue::Sum(sum) => push(sums, of_sums, sum),
                RawPointValue::Distribution { sum, count } => {
                    if let Some(sum) = sum {
                        push(sums, of_sums, sum);
                    }
                    push(counts, of_counts, count as f64);
                }
            }
        }
    }

    fn push(
        &mut self,
        data: &mut Dataset,
        metric: &RawMetric<'_>,
        point: &RawPoint<'_>,
        (name, kind): (Sym, SeriesKind),
        value: f64,
    ) {
        let Some(time) = shell::plausible(&mut data.ledger, metric.place, point.time) else {
            data.ledger
                .count(IssueKind::UntimedMetrics, metric.place, || {
                    format!("metric {} has a point without a time", metric.name)
                });
            return;
        };
        if !value.is_finite() {
            data.ledger.count(IssueKind::BadNumber, metric.place, || {
                format!("metric {} has a point that is not finite", metric.name)
            });
            return;
        }
        let index = self.find(&mut data.series, name, kind);
        if let Some(series) = data.series.get_mut(index as usize) {
            series.points.push(Point { time, value });
        }
    }

    fn find(&mut self, all: &mut Vec<Series>, name: Sym, kind: SeriesKind) -> u32 {
        let hash = |labels: &[(Sym, Sym)], name: Sym, kind: SeriesKind| {
            FixedState::default().hash_one((name, kind, labels))
        };
        let labels = &self.labels;
        let sought = hash(labels, name, kind);
        let same = |&index: &u32| {
            all.get(index as usize)
                .is_some_and(|s| s.name == name && s.kind == kind && &s.labels == labels)
        };
        if let Some(&index) = self.known.find(sought, same) {
            return index;
        }
        let index = all.len() as u32;
        all.push(Series {
            name,
            kind,
            labels: labels.clone(),
            points: Vec::new(),
        });
        self.known.insert_unique(sought, index, |&i| {
            all.get(i as usize)
                .map_or(0, |s| hash(&s.labels, s.name, s.kind))
        });
        index
    }

    fn label(&mut self, names: &mut Interner, resource: Resource, point: &RawPoint<'_>) {
        self.labels.clear();
        for (key, value) in [
            ("service.name", resource.service),
            ("service.instance.id", resource.instance),
            ("k8s.pod.name", resource.pod),
            ("cloud.region", resource.region),
        ] {
            if !value.is_none() {
                self.labels.push((names.intern(key), value));
            }
        }
        for attribute in &point.attributes {
            let value = match &attribute.value {
                RawValue::Str(text) => names.intern(&text.get()),
                RawValue::Int(number) => names.intern(&number.to_string()),
                RawValue::Double(number) => names.intern(&number.to_string()),
                RawValue::Bool(truth) => names.intern(if *truth { "true" } else { "false" }),
                _ => continue,
            };
            if value.is_none() {
                continue;
            }
            let key = names.intern(&attribute.key);
            self.labels.push((key, value));
        }
        self.labels
            .sort_unstable_by_key(|(key, value)| (key.0, value.0));
        self.labels.dedup();
    }
}

/// Joins series of equal identity that different workers read. Labels come out in the order of
/// their texts, points in the order of their times with exact repeats dropped, series by name,
/// kind and labels: the result does not depend on who read what.
pub fn merge_series(data: &mut Dataset) {
    let mut all = std::mem::take(&mut data.series);
    let names = &data.names;
    let texts = |labels: &[(Sym, Sym)]| -> Vec<(String, String)> {
        let text = |sym| names.get(sym).to_owned();
        labels.iter().map(|&(k, v)| (text(k), text(v))).collect()
    };
    for series in &mut all {
        series.labels.sort_by(|a, b| {
            (names.get(a.0), names.get(a.1)).cmp(&(names.get(b.0), names.get(b.1)))
        });
    }
    all.sort_by_cached_key(|s| (names.get(s.name).to_owned(), s.kind, texts(&s.labels)));
    let mut merged: Vec<Series> = Vec::with_capacity(all.len());
    for series in all {
        match merged.last_mut() {
            Some(last)
                if (last.name, last.kind, &last.labels)
                    == (series.name, series.kind, &series.labels) =>
            {
                last.points.extend(series.points);
            }
            _ => merged.push(series),
        }
    }
    for series in &mut merged {
        series
            .points
            .sort_by(|a, b| a.time.cmp(&b.time).then(a.value.total_cmp(&b.value)));
        series.points.dedup();
    }
    data.series = merged;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{RawAttr, Text};
    use crate::model::Place;
    use crate::units::Nanos;

    fn metric(value: RawPointValue, kind: RawMetricKind, time: u64) -> RawMetric<'static> {
        RawMetric {
            name: "m".into(),
            kind,
            points: vec![RawPoint {
                time: (time > 0).then_some(Nanos(time)),
                attributes: vec![RawAttr {
                    key: "model".into(),
                    value: RawValue::Str(Text::plain(b"x")),
                }],
                value,
            }],
            place: Place::default(),
        }
    }

    fn worker(metrics: &[RawMetric<'_>]) -> Dataset {
        let (mut data, mut index) = (Dataset::default(), SeriesIndex::default());
        for metric in metrics {
            index.metric(&mut data, metric, 0);
        }
        data
    }

    #[test]
    fn workers_merge_into_one_sorted_series() {
        let point = |time| metric(RawPointValue::Number(1.0), RawMetricKind::Gauge, time);
        let mut left = worker(&[point(9), point(5)]);
        left.absorb(worker(&[point(7), point(5)]));
        merge_series(&mut left);
        let times: Vec<u64> = left.series[0].points.iter().map(|p| p.time.0).collect();
        assert_eq!((left.series.len(), times), (1, vec![5, 7, 9]));
    }

    #[test]
    fn series_are_told_apart_by_name_kind_and_every_label() {
        let mut data = Dataset::default();
        data.resources.push(Resource {
            service: data.names.intern("s"),
            region: data.names.intern("eu"),
            ..Resource::default()
        });
        let mut index = SeriesIndex::default();
        let label = |key: &'static str, value: RawValue<'static>| RawAttr {
            key: key.into(),
            value,
        };
        let labels = [
            label("a", RawValue::Str(Text::plain(b"x"))),
            label("a", RawValue::Int(4)),
            label("a", RawValue::Double(0.5)),
            label("a", RawValue::Bool(true)),
            label("a", RawValue::Bool(false)),
            label("b", RawValue::Bool(true)),
            label("a", RawValue::Str(Text::plain(b""))),
        ];
        for time in [1, 2] {
            for attribute in labels.iter().cloned() {
                let mut metric = metric(RawPointValue::Number(1.0), RawMetricKind::Gauge, time);
                metric.points[0].attributes = vec![attribute];
                index.metric(&mut data, &metric, 0);
            }
            let counter = metric(RawPointValue::Number(1.0), RawMetricKind::Cumulative, time);
            index.metric(&mut data, &counter, 0);
        }
        let text = |series: &Series| {
            let mut all: Vec<String> = series
                .labels
                .iter()
                .map(|(k, v)| format!("{}={}", data.text(*k), data.text(*v)))
                .collect();
            all.sort();
            all.join(" ")
        };
        let found: Vec<String> = data.series.iter().map(text).collect();
        let of = |own: &str| format!("{own}cloud.region=eu service.name=s");
        let expected = [
            "a=x ", "a=4 ", "a=0.5 ", "a=true ", "a=false ", "b=true ", "",
        ]
        .map(of);
        assert_eq!(found[..7], expected);
        assert_eq!((found.len(), data.series[7].kind), (8, SeriesKind::Counter));
        assert!(data.series.iter().all(|s| s.points.len() == 2));
        merge_series(&mut data);
        assert_eq!(data.series.len(), 8, "in order they are as many");
    }

    #[test]
    fn histograms_become_sum_and_count() {
        let value = RawPointValue::Distribution {
            sum: Some(2.5),
            count: 3,
        };
        let data = worker(&[metric(value, RawMetricKind::Cumulative, 1)]);
        let kinds: Vec<_> = data
            .series
            .iter()
            .map(|s| (s.kind, s.points[0].value))
            .collect();
        assert_eq!(
            kinds,
            [
                (SeriesKind::HistogramSum, 2.5),
                (SeriesKind::HistogramCount, 3.0)
            ]
        );
        let data = worker(&[metric(value, RawMetricKind::Delta, 1)]);
        assert_eq!(data.text(data.series[1].name), "m_count");
    }

    #[test]
    fn points_without_time_or_value_are_counted() {
        let data = worker(&[
            metric(RawPointValue::Number(1.0), RawMetricKind::Gauge, 0),
            metric(RawPointValue::Number(f64::NAN), RawMetricKind::Gauge, 1),
        ]);
        assert_eq!(data.ledger.total(IssueKind::UntimedMetrics), 1);
        assert_eq!(data.ledger.total(IssueKind::BadNumber), 1);
        assert!(data.series.iter().all(|s| s.points.is_empty()));
    }
}
