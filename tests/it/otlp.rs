//! Spans as OTLP/JSON lines, for dumps made by tests.

use agentdiag::ingest::Source;
use serde_json::{Value, json};

/// One span to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    pub(crate) trace: u128,
    pub(crate) id: u64,
    /// Zero for a root.
    pub(crate) parent: u64,
    pub(crate) name: String,
    /// OTLP number.
    pub(crate) kind: u8,
    pub(crate) start: u64,
    /// Zero for a span that never ended.
    pub(crate) end: u64,
    pub(crate) failed: bool,
    pub(crate) service: String,
    /// Of the client; empty where it is not told.
    pub(crate) region: String,
    pub(crate) scope: String,
    pub(crate) attributes: Vec<(&'static str, Value)>,
}

impl Span {
    /// The export request that holds this span alone, as one line.
    pub(crate) fn line(&self) -> String {
        let attributes: Vec<Value> = self
            .attributes
            .iter()
            .map(|(key, value)| json!({"key": key, "value": any(value)}))
            .collect();
        let mut span = json!({
            "traceId": format!("{:032x}", self.trace),
            "spanId": format!("{:016x}", self.id),
            "name": self.name,
            "kind": self.kind,
            "startTimeUnixNano": self.start.to_string(),
            "attributes": attributes,
            "status": {"code": if self.failed { 2 } else { 0 }},
        });
        if self.parent != 0 {
            span["parentSpanId"] = format!("{:016x}", self.parent).into();
        }
        if self.end != 0 {
            span["endTimeUnixNano"] = self.end.to_string().into();
        }
        let service = json!({"key": "service.name", "value": {"stringValue": self.service}});
        let region = json!({"key": "cloud.region", "value": {"stringValue": self.region}});
        let resource = match self.region.is_empty() {
            true => json!([service]),
            false => json!([service, region]),
        };
        let scopes = json!([{"scope": {"name": self.scope}, "spans": [span]}]);
        let block = json!({"resource": {"attributes": resource}, "scopeSpans": scopes});
        json!({"resourceSpans": [block]}).to_string()
    }
}

fn any(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(yes) => json!({"boolValue": yes}),
        Value::Number(n) if n.is_f64() => json!({"doubleValue": n}),
        other => json!({"intValue": other.to_string()}),
    }
}

/// A dump of these spans.
pub(crate) fn dump(spans: &[Span]) -> Vec<Source> {
    let lines: Vec<String> = spans.iter().map(Span::line).collect();
    vec![Source::from_bytes(
        "dump.jsonl",
        lines.join("\n").into_bytes(),
    )]
}
