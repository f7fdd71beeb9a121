//! Metrics: every point as a number, or as the sum and count of a distribution.

use super::reader::Reader;
use crate::ingest::fields::Fields;
use crate::ingest::formats::buckets::Buckets;
use crate::ingest::formats::meaning::{Sort, meaning};
use crate::ingest::json::Step;
use crate::ingest::lenient;
use crate::ingest::raw::{RawExemplar, RawMetric, RawMetricKind, RawPoint, RawPointValue};

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
        let mut exemplars = Vec::new();
        let mut buckets = Buckets::default();
        let found = self.object("a metric", |r, key| {
            let sort = match key {
                b"name" => {
                    metric.name = r.name("a metric name")?;
                    return Ok(());
                }
                b"gauge" => Sort::Gauge,
                b"sum" => Sort::Sum,
                b"histogram" | b"exponentialHistogram" | b"exponential_histogram" | b"summary" => {
                    Sort::Distribution
                }
                _ => return r.json.skip(),
            };
            metric.kind = r.data(sort, &mut metric.points, &mut exemplars, &mut buckets)?;
            Ok(())
        })?;
        for exemplar in &exemplars {
            self.out.exemplar(&metric.name, exemplar, at);
        }
        if found {
            if let Some(mut buckets) = buckets.metric(&metric.name, metric.kind, metric.place) {
                self.out.metric(&mut buckets, resource, at);
            }
            self.out.metric(&mut metric, resource, at);
        }
        Ok(())
    }

    fn data(
        &mut self,
        sort: Sort,
        points: &mut Vec<RawPoint<'a>>,
        exemplars: &mut Vec<RawExemplar>,
        buckets: &mut Buckets<'a>,
    ) -> Step<RawMetricKind> {
        let (mut temporality, mut monotonic) = (None, false);
        self.object("metric data", |r, key| {
            match key {
                b"dataPoints" | b"data_points" => {
                    r.list("a list of points", |r| {
                        r.point(sort, points, exemplars, buckets)
                    })?;
                }
                b"aggregationTemporality" | b"aggregation_temporality" => {
                    let read = |text: &[u8]| Some(lenient::temporality(text));
                    temporality = r.choice("a temporality", read)?;
                }
                b"isMonotonic" | b"is_monotonic" => {
                    monotonic = r.truth("isMonotonic")?.unwrap_or(false);
                }
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        Ok(meaning(sort, temporality, monotonic))
    }

    fn point(
        &mut self,
        sort: Sort,
        into: &mut Vec<RawPoint<'a>>,
        exemplars: &mut Vec<RawExemplar>,
        buckets: &mut Buckets<'a>,
    ) -> Step<()> {
        let at = self.here();
        let (mut time, mut attributes, mut number) = (None, Vec::new(), None);
        // The JSON mapping leaves out a count of zero.
        let (mut sum, mut count, mut flags) = (None, Some(0), 0);
        let details = self.out.wants_buckets();
        let (mut bounds, mut counts) = (Vec::new(), Vec::new());
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
                b"exemplars" => r.list("a list of exemplars", |r| {
                    exemplars.extend(r.exemplar()?);
                    Ok(())
                })?,
                b"bucketCounts" | b"bucket_counts" if details => {
                    r.list("a list of counts", |r| {
                        counts.extend(r.number("a bucket's count", lenient::unsigned)?);
                        Ok(())
                    })?;
                }
                b"explicitBounds" | b"explicit_bounds" if details => {
                    r.list("a list of bounds", |r| {
                        bounds.extend(r.number("a bucket's bound", lenient::double)?);
                        Ok(())
                    })?;
                }
                b"flags" => flags = r.count("point flags")?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        let value = match sort {
            Sort::Distribution => count.map(|count| RawPointValue::Distribution { sum, count }),
            Sort::Gauge | Sort::Sum => number.map(RawPointValue::Number),
        };
        // Flag 1: the series says that it has no value here.
        match value.filter(|_| flags & 1 == 0) {
            Some(value) => {
                buckets.push(time, &attributes, &bounds, &counts);
                into.push(RawPoint {
                    time,
                    attributes,
                    value,
                });
            }
            None => self.out.point_without_value(flags & 1 != 0, at),
        }
        Ok(())
    }

    fn exemplar(&mut self) -> Step<Option<RawExemplar>> {
        let (mut time, mut value) = (None, None);
        let (mut trace, mut span) = Default::default();
        self.object("an exemplar", |r, key| {
            match key {
                b"timeUnixNano" | b"time_unix_nano" => time = r.time("an exemplar's time")?,
                b"asInt" | b"as_int" => {
                    value = r.number("asInt", lenient::integer)?.map(|n| n as f64);
                }
                b"asDouble" | b"as_double" => value = r.number("asDouble", lenient::double)?,
                b"traceId" | b"trace_id" => trace = r.trace_id()?,
                b"spanId" | b"span_id" => span = r.span_id()?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        Ok(value.map(|value| RawExemplar {
            time,
            value,
            trace,
            span,
        }))
    }
}
