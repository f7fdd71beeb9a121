//! Metrics and logs as OTLP/JSON lines. Labels of a series hold its resource already.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::attributes::Attributes;
use super::resource_attributes;
use crate::model::{Dataset, LogRecord, Series, SeriesKind};
use crate::report::Report;

/// Log records of one line.
const LOGS: usize = 1_000;
/// Aggregation temporality (OTLP metrics data model): since the previous point, or since the start.
const DELTA: u8 = 1;
const CUMULATIVE: u8 = 2;

pub(super) fn metrics<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Value> + use<'a> {
    let dataset = report.dataset();
    let sums = Sums::of(dataset);
    let mut series: Vec<&Series> = dataset.series.iter().collect();
    series.sort_by(|a, b| order(dataset, a).cmp(&order(dataset, b)));
    series.into_iter().filter_map(move |series| {
        let metric = metric(dataset, series, &sums)?;
        Some(json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}))
    })
}

type Labels<'a> = Vec<(&'a str, &'a str)>;

fn labels<'a>(dataset: &'a Dataset, series: &Series) -> Labels<'a> {
    let labels = series.labels.iter();
    let texts = labels.map(|&(key, value)| (dataset.text(key), dataset.text(value)));
    texts.collect()
}

fn order<'a>(dataset: &'a Dataset, series: &Series) -> (&'a str, SeriesKind, Labels<'a>) {
    (
        dataset.text(series.name),
        series.kind,
        labels(dataset, series),
    )
}

/// Sums of histograms, by what their counts are called.
struct Sums<'a>(BTreeMap<(&'a str, Labels<'a>), &'a Series>);

impl<'a> Sums<'a> {
    fn of(dataset: &'a Dataset) -> Self {
        let sums = dataset.series.iter();
        let sums = sums.filter(|s| s.kind == SeriesKind::HistogramSum);
        let named = sums.map(|s| ((dataset.text(s.name), labels(dataset, s)), s));
        Self(named.collect())
    }
}

/// A histogram's sum stands with its count.
fn metric(dataset: &Dataset, series: &Series, sums: &Sums<'_>) -> Option<Value> {
    let name = dataset.text(series.name);
    let mut attributes = Attributes::default();
    for (key, value) in labels(dataset, series) {
        attributes.text(key, value);
    }
    let attributes = attributes.into_value();
    let numbers = |points: &Series| {
        let points = points.points.iter().map(|point| {
            json!({
                "attributes": attributes,
                "timeUnixNano": point.time.0.to_string(),
                "asDouble": point.value,
            })
        });
        Value::Array(points.collect())
    };
    let data = match series.kind {
        SeriesKind::Gauge => json!({"name": name, "gauge": {"dataPoints": numbers(series)}}),
        SeriesKind::Counter | SeriesKind::Delta => {
            let temporality = match series.kind {
                SeriesKind::Delta => DELTA,
                _ => CUMULATIVE,
            };
            json!({"name": name, "sum": {
                "aggregationTemporality": temporality,
                "isMonotonic": true,
                "dataPoints": numbers(series),
            }})
        }
        SeriesKind::HistogramSum => return None,
        SeriesKind::HistogramCount => {
            let sum = sums.0.get(&(name, labels(dataset, series))).copied();
            let points = histogram(series, sum, &attributes);
            json!({"name": name, "histogram": {
                "aggregationTemporality": CUMULATIVE,
                "dataPoints": points,
            }})
        }
    };
    Some(data)
}

fn histogram(counts: &Series, sums: Option<&Series>, attributes: &Value) -> Value {
    let sum_at = |time| {
        let points = &sums?.points;
        let at = points.binary_search_by_key(&time, |p| p.time).ok()?;
        points.get(at).map(|p| p.value)
    };
    let points = counts.points.iter().map(|point| {
        let mut value = json!({
            "attributes": attributes,
            "timeUnixNano": point.time.0.to_string(),
            "count": format!("{:.0}", point.value),
        });
        if let Some(sum) = sum_at(point.time) {
            value["sum"] = sum.into();
        }
        value
    });
    Value::Array(points.collect())
}

pub(super) fn logs<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Value> + use<'a> {
    let dataset = report.dataset();
    let mut logs: Vec<&LogRecord> = dataset.logs.iter().collect();
    logs.sort_by_key(|log| {
        let service = dataset.resources.get(log.resource as usize);
        let service = service.map_or("", |r| dataset.text(r.service));
        (
            log.time,
            log.trace,
            log.span,
            service,
            log.severity,
            log.body_bytes,
        )
    });
    let lines: Vec<Vec<&LogRecord>> = logs.chunks(LOGS).map(<[_]>::to_vec).collect();
    lines.into_iter().map(move |chunk| {
        let each = chunk.into_iter().map(|log| one_log(report, log));
        json!({"resourceLogs": each.collect::<Vec<_>>()})
    })
}

/// One record under its resource; its text is not kept.
fn one_log(report: &Report<'_>, log: &LogRecord) -> Value {
    let dataset = report.dataset();
    let resource = dataset.resources.get(log.resource as usize).copied();
    let mut attributes = Attributes::default();
    attributes.integer("http.response.status_code", log.http_status);
    let mut record = json!({
        "timeUnixNano": log.time.0.to_string(),
        "severityNumber": log.severity,
        "attributes": attributes.into_value(),
    });
    let event = dataset.text(log.event);
    if !event.is_empty() {
        record["eventName"] = event.into();
    }
    if log.trace.0 != 0 {
        record["traceId"] = log.trace.to_string().into();
    }
    if !log.span.is_none() {
        record["spanId"] = log.span.to_string().into();
    }
    json!({
        "resource": {"attributes": resource_attributes(report, resource.unwrap_or_default())},
        "scopeLogs": [{"logRecords": [record]}],
    })
}
