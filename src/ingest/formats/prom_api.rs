//! Answers of the Prometheus HTTP API: `query_range` (a matrix) and `query` (a vector). The answer
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
use crate::ingest::raw::{RawAttr, RawMetric, RawMetricKind, RawPoint, RawPointValue, RawValue};
use crate::model::IssueKind;
use crate::units::Nanos;

/// Prometheus API answers.
pub(super) const FORMAT: Format = Format {
    name: "prometheus-api",
    about: "Prometheus HTTP API answers: /api/v1/query and /api/v1/query_range",
    recognise,
    decode,
    ..Format::USUAL
};

/// A sample: seconds, and the value as text.
type Sample = (Option<Nanos>, Option<f64>);

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let values = ["data.result.values", "data.result.value"];
    (shape.has("data.result.metric") && head.has_any(&values)).then_some(Layout::Json(role))
}

/// What a key of an answer holds; Loki's are built alike.
pub(super) fn role(key: &[u8]) -> Kind {
    match key {
        b"data" => Kind::Wrapper,
        b"result" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, _| reader.prom_series());
}

impl<'a> Reader<'a, '_, '_> {
    fn prom_series(&mut self) -> Step<()> {
        let at = self.here();
        let (mut name, mut labels) = (Cow::Borrowed(""), Vec::new());
        let mut samples: Vec<Sample> = Vec::new();
        let found = self.object("a series", |r, key| {
            match key {
                b"metric" => name = r.prom_labels(&mut labels)?,
                b"values" => r.list("a list of samples", |r| {
                    samples.extend(r.prom_sample()?);
                    Ok(())
                })?,
                b"value" => samples.extend(r.prom_sample()?),
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
        let points = samples
            .into_iter()
            .filter_map(|(time, value)| {
                Some(RawPoint {
                    time,
                    attributes: labels.clone(),
                    value: RawPointValue::Number(value?),
                })
            })
            .collect();
        let mut metric = RawMetric {
            kind: kind_of(&name),
            name,
            points,
            place: self.out.place(at),
        };
        let resource = self.out.resource(&[]);
        self.out.metric(&mut metric, resource, at);
        Ok(())
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
