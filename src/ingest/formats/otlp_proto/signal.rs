//! Traces, metrics and logs share their outer fields: which of them a message is shows only in its
//! innermost records.

use super::wire::{Field, Value, fields};

/// Kind of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signal {
    /// Spans.
    Traces,
    /// Metrics.
    Metrics,
    /// Log records.
    Logs,
}

/// The signal of a `ResourceSpans`, `ResourceMetrics` or `ResourceLogs`; `None` when it holds no
/// record.
pub(super) fn of_block(block: &[u8]) -> Option<Signal> {
    fields(block)
        .filter_map(|field| field.bytes(2))
        .flat_map(fields)
        .filter_map(|field| field.bytes(2))
        .find_map(of_record)
}

fn of_record(record: &[u8]) -> Option<Signal> {
    fields(record).find_map(decisive).or_else(|| {
        let id = |number, length: usize| {
            let mut fields = fields(record).filter_map(move |f| f.bytes(number));
            fields.find(|bytes| bytes.len() == length)
        };
        match (id(1, 16), id(2, 8)) {
            // A name of 16 and a description of 8 letters would be as long; ids are not text.
            (Some(trace), Some(span)) if !is_text(trace) || !is_text(span) => Some(Signal::Traces),
            // A body and a gauge share a number; a metric has a name.
            _ if fields(record).any(|f| matches!(f.number, 5 | 9 | 11)) => {
                let named = fields(record).any(|f| f.bytes(1).is_some());
                Some(if named { Signal::Metrics } else { Signal::Logs })
            }
            _ => None,
        }
    })
}

/// The signal that one field alone proves.
fn decisive(field: Field<'_>) -> Option<Signal> {
    match (field.number, field.value) {
        (7 | 8, Value::Fixed64(_)) => Some(Signal::Traces),
        (1 | 11, Value::Fixed64(_)) | (2, Value::Varint(_)) | (8, Value::Fixed32(_)) => {
            Some(Signal::Logs)
        }
        (6, Value::Bytes(_) | Value::Cut(_)) => Some(Signal::Logs),
        (7 | 10, Value::Bytes(_) | Value::Cut(_)) => Some(Signal::Metrics),
        _ => None,
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| matches!(b, b' '..=b'~'))
}

/// True when `bytes`, the start of a message or all of it, can be a request: a list of blocks.
pub(super) fn is_request(bytes: &[u8]) -> bool {
    let mut fields = fields(bytes);
    matches!(fields.next().and_then(|f| f.bytes(1)), Some(block) if is_block(block))
}

/// True when `bytes`, the start of a message or all of it, can be an element of a request.
pub(super) fn is_block(bytes: &[u8]) -> bool {
    let known = |f: Field<'_>| match (f.number, f.value) {
        (1, Value::Bytes(resource) | Value::Cut(resource)) => is_resource(resource),
        (2, Value::Bytes(_) | Value::Cut(_)) | (1000, _) => true,
        (3, Value::Bytes(url) | Value::Cut(url)) => std::str::from_utf8(url).is_ok(),
        // The bytes at hand may end inside a field's number or length.
        (0, Value::Broken) => f.at > 0 && f.at + 12 > bytes.len(),
        _ => false,
    };
    !bytes.is_empty() && fields(bytes).all(known)
}

/// A resource holds attributes, a count, and entity references.
fn is_resource(bytes: &[u8]) -> bool {
    fields(bytes).all(|f| match (f.number, f.value) {
        (1, Value::Bytes(pair)) => fields(pair).all(|f| matches!(f.number, 1..=3)),
        (1 | 3, Value::Bytes(_) | Value::Cut(_)) | (2, Value::Varint(_)) => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue as Text;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
    use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
    use opentelemetry_proto::tonic::metrics::v1::{
        Gauge, Metric, ResourceMetrics, ScopeMetrics, metric::Data,
    };
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use prost::Message;

    use super::*;

    #[test]
    fn the_smallest_records_tell_their_signal() {
        let span = Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            ..Span::default()
        };
        let spans = ScopeSpans {
            spans: vec![span],
            ..ScopeSpans::default()
        };
        let block = ResourceSpans {
            scope_spans: vec![spans],
            ..ResourceSpans::default()
        };
        assert_eq!(of_block(&block.encode_to_vec()), Some(Signal::Traces));
        let metric = Metric {
            name: "sixteen letters.".into(),
            data: Some(Data::Gauge(Gauge::default())),
            ..Metric::default()
        };
        let metrics = ScopeMetrics {
            metrics: vec![metric],
            ..ScopeMetrics::default()
        };
        let block = ResourceMetrics {
            scope_metrics: vec![metrics],
            ..ResourceMetrics::default()
        };
        assert_eq!(of_block(&block.encode_to_vec()), Some(Signal::Metrics));
        let log = LogRecord {
            observed_time_unix_nano: 5,
            ..LogRecord::default()
        };
        let logs = ScopeLogs {
            log_records: vec![log],
            ..ScopeLogs::default()
        };
        let block = ResourceLogs {
            scope_logs: vec![logs],
            ..ResourceLogs::default()
        };
        assert_eq!(of_block(&block.encode_to_vec()), Some(Signal::Logs));
        let text = AnyValue {
            value: Some(Text("said".into())),
        };
        let unsaid = LogRecord {
            body: Some(text.clone()),
            ..LogRecord::default()
        };
        assert_eq!(of_record(&unsaid.encode_to_vec()), Some(Signal::Logs));
        let pair = KeyValue {
            value: Some(text),
            ..KeyValue::default()
        };
        let attributes = LogRecord {
            body: unsaid.body.clone(),
            attributes: vec![pair],
            ..LogRecord::default()
        };
        assert_eq!(of_record(&attributes.encode_to_vec()), Some(Signal::Logs));
        assert_eq!(of_block(&ResourceLogs::default().encode_to_vec()), None);
        assert!(is_block(&block.encode_to_vec()));
        assert!(!is_block(b"{\"a\":1}") && !is_block(b"") && !is_request(b"\n\n\n\n# HELP"));
    }
}
