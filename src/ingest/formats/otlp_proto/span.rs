//! Spans, their events and links.

use super::reader::Reader;
use super::value::{count, time};
use super::wire::{Value, fields};
use crate::ingest::lenient;
use crate::ingest::raw::{RawEvent, RawLink, RawSpan};
use crate::model::{SpanId, TraceId};

impl<'a> Reader<'a, '_, '_> {
    /// A `Span` that stands at `at`. A damaged one goes no further.
    pub(super) fn span(&mut self, message: &'a [u8], at: usize, resource: u32, scope: u32) {
        let mut span = self.span.take().unwrap_or_default();
        if self.span_fields(&mut span, message, at) {
            span.place = self.out.place(at);
            self.out.span(&span, resource, scope, at);
        }
        span.clear();
        self.span = Some(span);
    }

    fn span_fields(&mut self, span: &mut RawSpan<'a>, message: &'a [u8], at: usize) -> bool {
        self.keys.begin();
        for field in fields(message) {
            let at = at + field.at;
            match (field.number, field.value) {
                (9, Value::Bytes(pair)) => {
                    let hint = self.attribute(&mut span.attributes, pair, at, false);
                    span.hints.resize(span.attributes.len(), hint);
                }
                (1, Value::Bytes(id)) => span.trace = self.trace_id(id, at),
                (2, Value::Bytes(id)) => span.id = self.span_id(id, at),
                (4, Value::Bytes(id)) => span.parent = self.span_id(id, at),
                (5, Value::Bytes(name)) => span.name = self.text(name, at).get(),
                (6, Value::Varint(kind)) => {
                    span.kind = self.choice(kind, lenient::span_kind, at);
                }
                (7, Value::Fixed64(nanos)) => span.start = time(nanos),
                (8, Value::Fixed64(nanos)) => span.end = time(nanos),
                (10 | 12 | 14, Value::Varint(number)) => {
                    span.dropped = span.dropped.saturating_add(count(number));
                }
                (11, Value::Bytes(event)) => self.event(&mut span.events, event, at),
                (13, Value::Bytes(link)) => self.link(&mut span.links, link, at),
                (15, Value::Bytes(status)) => self.status(span, status, at),
                (16, Value::Fixed32(flags)) => span.flags = flags,
                _ if field.is_damage() => {
                    self.damaged(at);
                    return false;
                }
                (1 | 2 | 4..=16, _) => self.mistyped("a span", at),
                _ => {}
            }
        }
        true
    }

    fn status(&mut self, span: &mut RawSpan<'a>, message: &'a [u8], at: usize) {
        for field in fields(message) {
            let at = at + field.at;
            match (field.number, field.value) {
                (2, Value::Bytes(text)) => span.status_message = self.text(text, at),
                (3, Value::Varint(code)) => {
                    span.status = self.choice(code, lenient::status_code, at);
                }
                _ if field.is_damage() => self.damaged(at),
                (2 | 3, _) => self.mistyped("a status", at),
                _ => {}
            }
        }
    }

    fn event(&mut self, into: &mut Vec<RawEvent<'a>>, message: &'a [u8], at: usize) {
        let mut event = RawEvent::default();
        self.keys.begin();
        for field in fields(message) {
            let at = at + field.at;
            match (field.number, field.value) {
                (1, Value::Fixed64(nanos)) => event.time = time(nanos),
                (2, Value::Bytes(name)) => event.name = self.text(name, at).get(),
                (3, Value::Bytes(pair)) => {
                    self.attribute(&mut event.attributes, pair, at, false);
                }
                _ if field.is_damage() => self.damaged(at),
                (1..=3, _) => self.mistyped("an event", at),
                _ => {}
            }
        }
        event.restore_name();
        into.push(event);
    }

    /// A link; one that points nowhere is dropped.
    fn link(&mut self, into: &mut Vec<RawLink>, message: &'a [u8], at: usize) {
        let (mut trace, mut span) = (TraceId::default(), SpanId::NONE);
        for field in fields(message) {
            let at = at + field.at;
            match (field.number, field.value) {
                (1, Value::Bytes(id)) => trace = self.trace_id(id, at),
                (2, Value::Bytes(id)) => span = self.span_id(id, at),
                _ if field.is_damage() => self.damaged(at),
                (1 | 2, _) => self.mistyped("a link", at),
                _ => {}
            }
        }
        if trace.0 != 0 {
            into.push(RawLink { trace, span });
        }
    }
}
