//! Metrics: every point as a number, or as the sum and count of a distribution.

use super::Reader;
use crate::ingest::json::Step;
use crate::ingest::lenient::{self, Temporality};
use crate::ingest::raw::{RawMetric, RawMetricKind, RawPoint, RawPointValue};

/// What is gathered about a metric, in whatever order its keys come.
#[derive(Clone, Copy)]
struct Meaning {
    sort: Sort,
    temporality: Option<Temporality>,
    monotonic: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Gauge,
    Sum,
    Histogram,
}

impl Meaning {
    fn kind(self) -> RawMetricKind {
        match (self.sort, self.temporality) {
            (Sort::Gauge, _) => RawMetricKind::Gauge,
            (_, Some(Temporality::Delta)) => RawMetricKind::Delta,
            // A total that may go down is a level: connections open, requests in flight.
            (Sort::Sum, _) if !self.monotonic => RawMetricKind::Gauge,
            _ => RawMetricKind::Cumulative,
        }
    }
}

impl<'a> Reader<'a, '_, '_> {
    /// One metric.
    pub(super) fn metric(&mut self, resource: u32) -> Step<()> {
        let at = self.here();
        let mut metric = RawMetric {
            name: "".into(),
            kind: RawMetricKind::Gauge,
            points: Vec::new(),
            place: self.out.place(at),
        };
        let found = self.object("a metric", |r, key| {
            let sort = match key {
                b"name" => {
                    metric.name = r.name("a metric name")?;
                    return Ok(());
                }
                b"gauge" => Sort::Gauge,
                b"sum" => Sort::Sum,
                b"histogram" | b"exponentialHistogram" | b"exponential_histogram" | b"summary" => {
                    Sort::Histogram
                }
                _ => return r.json.skip(),
            };
            metric.kind = r.data(sort, &mut metric.points)?.kind();
            Ok(())
        })?;
        if found {
            self.out.metric(&metric, resource);
        }
        Ok(())
    }

    fn data(&mut self, sort: Sort, points: &mut Vec<RawPoint<'a>>) -> Step<Meaning> {
        let mut meaning = Meaning {
            sort,
            temporality: None,
            monotonic: false,
        };
        self.object("metric data", |r, key| {
            match key {
                b"dataPoints" | b"data_points" => {
                    r.list("a list of points", |r| r.point(sort, points))?;
                }
                b"aggregationTemporality" | b"aggregation_temporality" => {
                    let read = |text: &[u8]| Some(lenient::temporality(text));
                    meaning.temporality = r.choice("a temporality", read)?;
                }
                b"isMonotonic" | b"is_monotonic" => {
                    meaning.monotonic = r.truth("isMonotonic")?.unwrap_or(false);
                }
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        Ok(meaning)
    }

    fn point(&mut self, sort: Sort, into: &mut Vec<RawPoint<'a>>) -> Step<()> {
        let (mut time, mut attributes, mut number) = (None, Vec::new(), None);
        // The JSON mapping leaves out a count of zero.
        let (mut sum, mut count, mut flags) = (None, Some(0), 0);
        self.object("a metric point", |r, key| {
            match key {
                b"timeUnixNano" | b"time_unix_nano" => time = r.time("a point's time")?,
                b"attributes" => r.attributes(&mut attributes, true)?,
                b"asInt" | b"as_int" => {
                    number = r.number("asInt", lenient::integer)?.map(|n| n as f64);
                }
                b"asDouble" | b"as_double" => number = r.number("asDouble", lenient::double)?,
                b"sum" => sum = r.number("a sum", lenient::double)?,
                b"count" => count = r.number("a count", lenient::unsigned)?,
                b"flags" => flags = r.count("point flags")?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        let value = match sort {
            Sort::Histogram => count.map(|count| RawPointValue::Distribution { sum, count }),
            Sort::Gauge | Sort::Sum => number.map(RawPointValue::Number),
        };
        // Flag 1: the series says that it has no value here.
        if let Some(value) = value.filter(|_| flags & 1 == 0) {
            into.push(RawPoint {
                time,
                attributes,
                value,
            });
        }
        Ok(())
    }
}
