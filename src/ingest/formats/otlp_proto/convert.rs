//! Spans and log records from their messages.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::ingest::lenient::{self, Id, id_from_bytes};
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawAttr, RawEvent, RawLink, RawLog, RawSpan, RawValue, Text};
use crate::model::{IssueKind, SpanId, TraceId};
use crate::units::Nanos;

/// Delivers a span that stood at `at`.
pub(super) fn span(span: &Span, out: &mut Outlet<'_>, at: usize, resource: u32, scope: u32) {
    let status = span.status.as_ref();
    let dropped = [
        span.dropped_attributes_count,
        span.dropped_events_count,
        span.dropped_links_count,
    ];
    let raw = RawSpan {
        trace: trace_id(&span.trace_id, out, at),
        id: span_id(&span.span_id, out, at),
        parent: span_id(&span.parent_span_id, out, at),
        name: span.name.as_str().into(),
        kind: choice(span.kind, lenient::span_kind, out, at),
        start: time(span.start_time_unix_nano),
        end: time(span.end_time_unix_nano),
        status: choice(status.map_or(0, |s| s.code), lenient::status_code, out, at),
        status_message: status.map_or(Text::default(), |s| Text::plain(s.message.as_bytes())),
        flags: span.flags,
        attributes: attributes(&span.attributes, |key| out.wants(key)),
        hints: Vec::new(),
        events: events(span, out),
        links: links(span, out, at),
        dropped: dropped.into_iter().fold(0, u32::saturating_add),
        place: out.place(at),
        ..RawSpan::default()
    };
    out.span(&raw, resource, scope, at);
}

fn events<'a>(span: &'a Span, out: &Outlet<'_>) -> Vec<RawEvent<'a>> {
    span.events
        .iter()
        .map(|event| RawEvent {
            name: event.name.as_str().into(),
            time: time(event.time_unix_nano),
            attributes: attributes(&event.attributes, |key| out.wants(key)),
        })
        .collect()
}

fn links(span: &Span, out: &mut Outlet<'_>, at: usize) -> Vec<RawLink> {
    span.links
        .iter()
        .map(|link| RawLink {
            trace: trace_id(&link.trace_id, out, at),
            span: span_id(&link.span_id, out, at),
        })
        .filter(|link| link.trace.0 != 0)
        .collect()
}

/// Delivers a log record that stood at `at`.
pub(super) fn log(log: &LogRecord, out: &mut Outlet<'_>, at: usize, resource: u32) {
    let severity = match u8::try_from(log.severity_number) {
        Ok(number @ 1..=24) => number,
        _ => lenient::severity(log.severity_text.as_bytes()).unwrap_or(0),
    };
    let mut raw = RawLog {
        time: time(log.time_unix_nano).or(time(log.observed_time_unix_nano)),
        trace: trace_id(&log.trace_id, out, at),
        span: span_id(&log.span_id, out, at),
        severity,
        event: log.event_name.as_str().into(),
        body: value(log.body.as_ref()),
        attributes: attributes(&log.attributes, |key| out.wants(key)),
        place: out.place(at),
    };
    out.log(&mut raw, resource, at);
}

/// The attributes whose keys are `wanted`.
pub(super) fn attributes(list: &[KeyValue], wanted: impl Fn(&[u8]) -> bool) -> Vec<RawAttr<'_>> {
    list.iter()
        .filter(|pair| wanted(pair.key.as_bytes()))
        .map(|pair| RawAttr {
            key: pair.key.as_str().into(),
            value: value(pair.value.as_ref()),
        })
        .collect()
}

/// A value. Recursion is bounded: decoding refused deeper messages.
fn value(any: Option<&AnyValue>) -> RawValue<'_> {
    match any.and_then(|any| any.value.as_ref()) {
        Some(Value::StringValue(text)) => RawValue::Str(Text::plain(text.as_bytes())),
        Some(Value::BoolValue(truth)) => RawValue::Bool(*truth),
        Some(Value::IntValue(number)) => RawValue::Int(*number),
        Some(Value::DoubleValue(number)) => RawValue::Double(*number),
        Some(Value::BytesValue(bytes)) => RawValue::Bytes(bytes),
        Some(Value::ArrayValue(list)) => {
            RawValue::List(list.values.iter().map(|v| value(Some(v))).collect())
        }
        Some(Value::KvlistValue(list)) => RawValue::Map(attributes(&list.values, |_| true)),
        // An index into a table that only profiles have.
        Some(Value::StringValueStrindex(_)) | None => RawValue::Null,
    }
}

/// An instant; zero means not set.
pub(super) fn time(nanos: u64) -> Option<Nanos> {
    (nanos > 0).then_some(Nanos(nanos))
}

fn trace_id(bytes: &[u8], out: &mut Outlet<'_>, at: usize) -> TraceId {
    TraceId(id(id_from_bytes::<16>(bytes), "a trace id", out, at))
}

fn span_id(bytes: &[u8], out: &mut Outlet<'_>, at: usize) -> SpanId {
    let id = id(id_from_bytes::<8>(bytes), "a span id", out, at);
    SpanId((id ^ (id >> 64)) as u64)
}

fn id(id: Id<u128>, what: &str, out: &mut Outlet<'_>, at: usize) -> u128 {
    if let Id::Odd(_, how) = id {
        out.count(IssueKind::OddId, at, || format!("{what}: {how}"));
    }
    id.get()
}

/// An enumeration by its number, read as in JSON.
fn choice<T: Default>(
    number: i32,
    read: impl FnOnce(&[u8]) -> Option<T>,
    out: &mut Outlet<'_>,
    at: usize,
) -> T {
    read(number.to_string().as_bytes()).unwrap_or_else(|| {
        let detail = || "an enumeration has a value that is not known".into();
        out.count(IssueKind::WrongType, at, detail);
        T::default()
    })
}
