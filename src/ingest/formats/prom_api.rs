//! Answers of the Prometheus HTTP API: `query_range` (a matrix), `query` (a vector) and
//! `query_exemplars`. The answer
//! does not say what a metric is, so a name that ends as totals do is taken for one.
//!
//! Source: prometheus/prometheus, docs/querying/api.md.

use std::borrow::Cow;

use super::plain::key_text;
use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::lenient;
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{
    RawAttr, RawExemplar, RawMetric, RawMetricKind, RawPoint, RawPointValue, RawValue,
};
use crate::model::IssueKind;
use crate::units::Nanos;

/// Prometheus API answers.
pub(super) const FORMAT: Format = Format {
    name: "prometheus-api",
    about: "Prometheus HTTP API answers: query, query_range, query_exemplars",
    gives: "series with their times, exemplars",
    loses: "metric types; series that a function renamed",
    recognise,
    decode,
    ..Format::USUAL
};

/// A sample: seconds, and the value as text.
type Sample = (Option<Nanos>, Option<f64>);
/// When, the sum if given, and the count.
type Histogram = (Option<Nanos>, Option<f64>, u64);

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let values = ["data.result.values", "data.result.value"];
    match () {
        () if shape.has("data.result.metric") && head.has_any(&values) => Some(Layout::Json(role)),
        () if shape.has_all(&["data.seriesLabels", "data.exemplars"]) => {
            Some(Layout::Json(exemplar_role))
        }
        () => None,
    }
}

fn exemplar_role(key: &[u8]) -> Kind {
    match key {
        b"data" => Kind::Elements(EXEMPLARS),
        _ => Kind::Other,
    }
}

/// The kind of piece that holds exemplars.
const EXEMPLARS: u8 = 1;

/// What a key of an answer holds; Loki's are built alike.
pub(super) fn role(key: &[u8]) -> Kind {
    match key {
        b"data" => Kind::Wrapper,
        b"result" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, kind| match kind {
        EXEMPLARS => reader.prom_exemplars(),
        _ => reader.prom_series(),
    });
}

impl<'a> Reader<'a, '_, '_> {
    fn prom_series(&mut self) -> Step<()> {
        let at = self.here();
        let (mut name, mut labels) = (Cow::Borrowed(""), Vec::new());
        let (mut samples, mut histograms): (Vec<Sample>, Vec<Histogram>) = Default::default();
        let found = self.object("a series", |r, key| {
            match key {
                b"metric" => name = r.prom_labels(&mut labels)?,
                b"values" => r.list("a list of samples", |r| {
                    samples.extend(r.prom_sample()?);
                    Ok(())
                })?,
                b"value" => samples.extend(r.prom_sample()?),
                b"histograms" => r.list("a list of histograms", |r| {
                    histograms.extend(r.prom_histogram()?);
                    Ok(())
                })?,
                b"histogram" => histograms.extend(r.prom_histogram()?),
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if !found {
            return Ok(());
        }
        if name.is_empty() {
            self.out.count(IssueKind::UnusedRecords, at, || {
                "a series without a metric name: a function took it away".into()
            });
            return Ok(());
        }
        let point = |time, value| RawPoint {
            time,
            attributes: labels.clone(),
            value,
        };
        let samples = samples.into_iter();
        let numbers =
            samples.filter_map(|(time, value)| Some(point(time, RawPointValue::Number(value?))));
        let numbers = (kind_of(&name), numbers.collect());
        let histograms = histograms.into_iter();
        let distributions = histograms
            .map(|(time, sum, count)| point(time, RawPointValue::Distribution { sum, count }));
        let distributions = (RawMetricKind::Cumulative, distributions.collect());
        for (kind, points) in [numbers, distributions] {
            let points: Vec<RawPoint<'_>> = points;
            if !points.is_empty() {
                let mut metric = RawMetric {
                    kind,
                    name: name.clone(),
                    points,
                    place: self.out.place(at),
                };
                let resource = self.out.resource(&[]);
                self.out.metric(&mut metric, resource, at);
            }
        }
        Ok(())
    }

    /// `[1760000000.5, {"count": "3", "sum": "4.5", "buckets": […]}]`: a native histogram, of which sum and count are
    /// taken.
    fn prom_histogram(&mut self) -> Step<Option<Histogram>> {
        let (mut time, mut sum, mut count, mut index) = (None, None, None, 0);
        let at = self.here();
        self.list("a sample", |r| {
            match index {
                0 => time = r.scaled("a sample's time", 9)?,
                1 => drop(r.object("a histogram", |r, key| {
                    match key {
                        b"count" => count = r.number("a count", lenient::double)?,
                        b"sum" => sum = r.number("a sum", lenient::double)?,
                        _ => r.json.skip()?,
                    }
                    Ok(())
                })?),
                _ => r.json.skip()?,
            }
            index += 1;
            Ok(())
        })?;
        let count = count.filter(|count| *count >= 0.0 && count.is_finite());
        if count.is_none() {
            self.out.point_without_value(false, at);
        }
        Ok(count.map(|count| (time, sum, count as u64)))
    }

    /// The exemplars of one series.
    fn prom_exemplars(&mut self) -> Step<()> {
        let at = self.here();
        let (mut name, mut labels, mut found) = (Cow::Borrowed(""), Vec::new(), Vec::new());
        self.object("a series", |r, key| {
            match key {
                b"seriesLabels" => name = r.prom_labels(&mut labels)?,
                b"exemplars" => r.list("a list of exemplars", |r| {
                    found.push(r.prom_exemplar()?);
                    Ok(())
                })?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        let name = name.strip_suffix("_bucket").unwrap_or(&name);
        for exemplar in found.iter().flatten() {
            self.out.exemplar(name, exemplar, at);
        }
        Ok(())
    }

    fn prom_exemplar(&mut self) -> Step<Option<RawExemplar>> {
        let (mut labels, mut value, mut time) = (Vec::new(), None, None);
        self.object("an exemplar", |r, key| {
            match key {
                b"labels" => drop(r.prom_labels(&mut labels)?),
                b"value" => value = r.number("an exemplar's value", lenient::double)?,
                b"timestamp" => time = r.scaled("an exemplar's time", 9)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        Ok(value.map(|value| RawExemplar {
            time,
            value,
            ..RawExemplar::of_labels(&labels)
        }))
    }

    fn prom_labels(&mut self, into: &mut Vec<RawAttr<'a>>) -> Step<Cow<'a, str>> {
        let mut name = Cow::Borrowed("");
        self.object("labels", |r, key| {
            let text = r.text("a label")?.unwrap_or_default();
            match key {
                b"__name__" => name = text.get(),
                _ => into.push(RawAttr {
                    key: key_text(key),
                    value: RawValue::Str(text),
                }),
            }
            Ok(())
        })?;
        Ok(name)
    }

    /// `[1760000000.5, "3"]`
    fn prom_sample(&mut self) -> Step<Option<Sample>> {
        let (mut sample, mut index) = ((None, None), 0);
        self.list("a sample", |r| {
            match index {
                0 => sample.0 = r.scaled("a sample's time", 9)?,
                1 => sample.1 = r.number("a sample's value", lenient::double)?,
                _ => r.json.skip()?,
            }
            index += 1;
            Ok(())
        })?;
        Ok((index > 0).then_some(sample))
    }
}

fn kind_of(name: &str) -> RawMetricKind {
    let totals = ["_total", "_count", "_sum", "_bucket"];
    match totals.iter().any(|end| name.ends_with(end)) {
        true => RawMetricKind::Cumulative,
        false => RawMetricKind::Gauge,
    }
}
