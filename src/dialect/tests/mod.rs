//! What spans of each vocabulary mean, read as a whole.

mod figures;
mod logs;
mod roles;
mod values;

use super::{DIALECTS, Dialect, Normalizer};
use crate::ingest::{RawAttr, RawSpan, RawValue, Sink, Text};
use crate::model::{Dataset, LlmCall, Op, SpanId, SpanKind, TraceId};
use crate::units::Nanos;

/// The vocabulary of this name, as it is listed.
fn dialect(name: &str) -> &'static Dialect {
    DIALECTS.iter().find(|d| d.name == name).unwrap()
}

fn attr(key: &'static str, value: RawValue<'static>) -> RawAttr<'static> {
    let key = key.into();
    RawAttr { key, value }
}

pub(in crate::dialect) fn text(key: &'static str, value: &'static str) -> RawAttr<'static> {
    attr(key, RawValue::Str(Text::plain(value.as_bytes())))
}

pub(in crate::dialect) fn int(key: &'static str, value: i64) -> RawAttr<'static> {
    attr(key, RawValue::Int(value))
}

pub(in crate::dialect) fn double(key: &'static str, value: f64) -> RawAttr<'static> {
    attr(key, RawValue::Double(value))
}

/// A span of two seconds with a parent.
pub(in crate::dialect) fn span(
    name: &'static str,
    attributes: Vec<RawAttr<'static>>,
) -> RawSpan<'static> {
    RawSpan {
        trace: TraceId(7),
        id: SpanId(9),
        parent: SpanId(8),
        name: name.into(),
        kind: SpanKind::Internal,
        start: Some(Nanos(1_000_000_000)),
        end: Some(Nanos(3_000_000_000)),
        attributes,
        ..RawSpan::default()
    }
}

fn read(scope: &str, raw: &RawSpan<'_>) -> Dataset {
    let mut reader = Normalizer::default();
    let resource = reader.resource(&[text("service.name", "s")]);
    let scope = reader.scope(scope, "");
    reader.span(raw, resource, scope);
    let data = reader.finish();
    data.check_valid().unwrap();
    data
}

fn op(scope: &str, name: &'static str, attributes: Vec<RawAttr<'static>>) -> Op {
    read(scope, &span(name, attributes)).records[0].op
}

/// A model call that says so by the conventions' own key, and more.
fn call(scope: &str, attributes: Vec<RawAttr<'static>>) -> LlmCall {
    let mut all = vec![text("gen_ai.operation.name", "chat")];
    all.extend(attributes);
    let data = read(scope, &span("chat", all));
    data.llm_of(&data.records[0]).unwrap()
}

/// Input, output, cached, written to a cache, reasoning.
fn tokens(call: &LlmCall) -> [Option<u32>; 5] {
    let all = [
        call.input,
        call.output,
        call.cached,
        call.cache_write,
        call.reasoning,
    ];
    all.map(|known| known.map(|k| k.value))
}
