//! A metric family: the samples that stand under one `# TYPE` line.

use super::sample::Sample;
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawExemplar, RawMetric, RawMetricKind, RawPoint, RawPointValue};

const CUMULATIVE: RawMetricKind = RawMetricKind::Cumulative;

/// A sample may belong to any of the last so many metrics.
const RECENT: usize = 4;

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

/// Samples being gathered.
pub(super) struct Family<'a> {
    name: &'a [u8],
    kind: Type,
    at: usize,
    metrics: Vec<RawMetric<'a>>,
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

    /// Takes in a sample; false for a count that is none. The sum and the count of a distribution go their own
    /// ways: they are series of their own in the end, and the lines of one may stand far from each other.
    pub(super) fn add(&mut self, sample: Sample<'a>) -> bool {
        let value = RawPointValue::Number(sample.value);
        if self.kind == Type::Distribution
            && let Some(suffix) = sample.name.strip_prefix(self.name)
        {
            let counted = sample.value;
            match suffix {
                b"_sum" | b"_gsum" => {
                    self.point(self.name, CUMULATIVE, RawPointValue::Sum(counted), sample);
                }
                b"_count" | b"_gcount" if counted >= 0.0 && counted.is_finite() => {
                    let (sum, count) = (None, counted as u64);
                    let value = RawPointValue::Distribution { sum, count };
                    self.point(self.name, CUMULATIVE, value, sample);
                }
                b"_count" | b"_gcount" => return false,
                b"_bucket" => self.point(sample.name, CUMULATIVE, value, sample),
                b"" if self.details => {
                    self.point(sample.name, RawMetricKind::Gauge, value, sample);
                }
                // A quantile of a summary, or a series that is not part of the family.
                _ => {}
            }
            return true;
        }
        let kind = match self.kind {
            Type::Counter => CUMULATIVE,
            Type::Unknown if sample.name.ends_with(b"_total") => CUMULATIVE,
            _ => RawMetricKind::Gauge,
        };
        self.point(sample.name, kind, value, sample);
        true
    }

    fn point(
        &mut self,
        name: &'a [u8],
        kind: RawMetricKind,
        value: RawPointValue,
        sample: Sample<'a>,
    ) {
        let point = RawPoint {
            time: sample.time,
            attributes: sample.labels,
            value,
        };
        // The names of one family are few; where there is no type they come one after another.
        let mut recent = self.metrics.iter_mut().rev().take(RECENT);
        match recent.find(|m| m.name.as_bytes() == name) {
            Some(metric) => metric.points.push(point),
            None => self.metrics.push(RawMetric {
                name: String::from_utf8_lossy(name),
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

    /// Hands all over.
    pub(super) fn deliver(self, out: &mut Outlet<'_>, resource: u32) {
        let place = out.place(self.at);
        for mut metric in self.metrics {
            metric.place = place;
            out.metric(&mut metric, resource, self.at);
        }
    }
}
