//! One round as one OTLP/JSON request (metrics), on one line.

use serde_json::{Map, Value, json};

use super::measure::{Label, Measured, Number};
use super::metric::{ALL, Metric, Shape};
use super::recorder::{Frame, State, called};

/// Aggregation temporality CUMULATIVE (OTLP metrics data model).
const CUMULATIVE: u8 = 2;

/// Where it was recorded: attributes of the resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin(pub Vec<(String, String)>);

/// A round as one request; `None` when it holds no device.
#[must_use]
pub fn line(frame: &Frame, origin: &Origin) -> Option<Value> {
    let metrics: Vec<Value> = ALL.iter().filter_map(|metric| one(frame, metric)).collect();
    let resource: Vec<Value> = origin
        .0
        .iter()
        .map(|(key, value)| text(key, value))
        .collect();
    (!metrics.is_empty()).then(|| {
        json!({"resourceMetrics": [{
            "resource": {"attributes": resource},
            "scopeMetrics": [{
                "scope": {"name": "agentdiag.gpu", "version": env!("CARGO_PKG_VERSION")},
                "metrics": metrics,
            }],
        }]})
    })
}

fn one(frame: &Frame, metric: &'static Metric) -> Option<Value> {
    let points: Vec<Value> = frame
        .devices
        .iter()
        .flat_map(|state| {
            let values = state.values.iter().filter(|m| m.metric == metric);
            values.map(|value| point(frame, state, value))
        })
        .collect();
    if points.is_empty() {
        return None;
    }
    let mut value = json!({
        "name": metric.name,
        "unit": metric.unit,
        "description": metric.description,
    });
    match metric.shape {
        Shape::Gauge => value["gauge"] = json!({"dataPoints": points}),
        Shape::Level | Shape::Counter => {
            value["sum"] = json!({
                "aggregationTemporality": CUMULATIVE,
                "isMonotonic": metric.shape == Shape::Counter,
                "dataPoints": points,
            });
        }
    }
    Some(value)
}

fn point(frame: &Frame, state: &State, measured: &Measured) -> Value {
    let device = &state.answers;
    let mut attributes = vec![
        text("hw.id", &device.uuid),
        text("hw.type", "gpu"),
        text("hw.name", &called(device)),
    ];
    attributes.extend(device.parent.iter().map(|parent| text("hw.parent", parent)));
    for (key, label) in &measured.labels {
        attributes.push(match label {
            Label::Text(value) => text(key, value),
            Label::Integer(value) => json!({"key": key, "value": {"intValue": value.to_string()}}),
        });
    }
    let mut point = Map::new();
    point.insert("attributes".to_owned(), attributes.into());
    if let Some(since) = measured.since {
        let since = since.0.to_string();
        point.insert("startTimeUnixNano".to_owned(), since.into());
    }
    let time = frame.time.0.to_string();
    point.insert("timeUnixNano".to_owned(), time.into());
    match measured.value {
        Number::Integer(value) => point.insert("asInt".to_owned(), value.to_string().into()),
        Number::Double(value) => point.insert("asDouble".to_owned(), value.into()),
    };
    point.into()
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}
