//! A metric family: the samples that stand under one `# TYPE` line.

use hashbrown::HashMap;

use super::sample::Sample;
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawAttr, RawExemplar, RawMetric, RawMetricKind, RawPoint, RawPointValue};
use crate::units::Nanos;

/// What `# TYPE` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    /// A running total.
    Counter,
    /// A level; also what has no type.
    Gauge,
    /// Histogram or summary: a sum and a count, and details that are not used.
    Distribution,
    /// Not said.
    Unknown,
}

impl Type {
    pub(super) fn of(word: &[u8]) -> Self {
        match word {
            b"counter" => Self::Counter,
            b"histogram" | b"summary" | b"gaugehistogram" => Self::Distribution,
            b"untyped" | b"unknown" => Self::Unknown,
            _ => Self::Gauge,
        }
    }
}

/// A sum and a count that belong together.
struct Halves<'a> {
    labels: Vec<RawAttr<'a>>,
    time: Option<Nanos>,
    sum: Option<f64>,
    count: Option<f64>,
}

/// Samples being gathered.
pub(super) struct Family<'a> {
    name: &'a [u8],
    kind: Type,
    at: usize,
    metrics: Vec<RawMetric<'a>>,
    halves: Vec<Halves<'a>>,
    known: HashMap<(&'a [u8], Option<Nanos>), usize>,
    /// Buckets and quantiles are wanted.
    details: bool,
}

impl<'a> Family<'a> {
    pub(super) fn new(name: &'a [u8], kind: Type, at: usize, details: bool) -> Self {
        Self {
            name,
            kind,
            at,
            metrics: Vec::new(),
            halves: Vec::new(),
            known: HashMap::new(),
            details,
        }
    }

    /// True for lines that are not used: the buckets of a distribution, and when a series began.
    pub(super) fn ignores(&self, line: &[u8]) -> bool {
        let Some(rest) = line
            .strip_prefix(self.name)
            .filter(|_| !self.name.is_empty())
        else {
            return false;
        };
        let created = matches!(self.kind, Type::Counter | Type::Distribution);
        (self.kind == Type::Distribution && !self.details && rest.starts_with(b"_bucket{"))
            || (created && (rest.starts_with(b"_created{") || rest.starts_with(b"_created ")))
    }

    pub(super) fn add(&mut self, sample: Sample<'a>) {
        if self.kind == Type::Distribution
            && let Some(suffix) = sample.name.strip_prefix(self.name)
        {
            match suffix {
                b"_sum" | b"_gsum" => self.half(sample, true),
                b"_count" | b"_gcount" => self.half(sample, false),
                b"_bucket" => self.number(sample, RawMetricKind::Cumulative),
                b"" if self.details => self.number(sample, RawMetricKind::Gauge),
                // A quantile of a summary, or a series that is not part of the family.
                _ => {}
            }
            return;
        }
        let kind = match self.kind {
            Type::Counter => RawMetricKind::Cumulative,
            Type::Unknown if sample.name.ends_with(b"_total") => RawMetricKind::Cumulative,
            _ => RawMetricKind::Gauge,
        };
        self.number(sample, kind);
    }

    fn number(&mut self, sample: Sample<'a>, kind: RawMetricKind) {
        let point = RawPoint {
            time: sample.time,
            attributes: sample.labels,
            value: RawPointValue::Number(sample.value),
        };
        let name = String::from_utf8_lossy(sample.name);
        match self.metrics.last_mut().filter(|m| m.name == name) {
            Some(metric) => metric.points.push(point),
            None => self.metrics.push(RawMetric {
                name,
                kind,
                points: vec![point],
                place: Default::default(),
            }),
        }
    }

    /// Hands over the exemplar of one of its samples, under the family's name.
    pub(super) fn exemplar(&self, exemplar: &RawExemplar, out: &mut Outlet<'_>, at: usize) {
        out.exemplar(&String::from_utf8_lossy(self.name), exemplar, at);
    }

    fn half(&mut self, sample: Sample<'a>, is_sum: bool) {
        let (halves, time) = (&mut self.halves, sample.time);
        let index = *self.known.entry((sample.key, time)).or_insert_with(|| {
            halves.push(Halves {
                labels: sample.labels,
                time,
                sum: None,
                count: None,
            });
            halves.len() - 1
        });
        if let Some(both) = halves.get_mut(index) {
            let half = if is_sum {
                &mut both.sum
            } else {
                &mut both.count
            };
            *half = Some(sample.value).filter(|v| v.is_finite());
        }
    }

    /// Hands all over.
    pub(super) fn deliver(self, out: &mut Outlet<'_>, resource: u32) {
        let place = out.place(self.at);
        for mut metric in self.metrics {
            metric.place = place;
            out.metric(&mut metric, resource, self.at);
        }
        let mut points = Vec::with_capacity(self.halves.len());
        for both in self.halves {
            match both.count.filter(|&count| count >= 0.0) {
                Some(count) => points.push(RawPoint {
                    time: both.time,
                    attributes: both.labels,
                    value: RawPointValue::Distribution {
                        sum: both.sum,
                        count: count as u64,
                    },
                }),
                None => out.point_without_value(false, self.at),
            }
        }
        if !points.is_empty() {
            let mut metric = RawMetric {
                name: String::from_utf8_lossy(self.name),
                kind: RawMetricKind::Cumulative,
                points,
                place,
            };
            out.metric(&mut metric, resource, self.at);
        }
    }
}
