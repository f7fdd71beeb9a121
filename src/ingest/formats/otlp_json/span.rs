//! Spans, their events and links.

use std::mem;

use super::reader::Reader;
use crate::ingest::fields::Fields;
use crate::ingest::json::Step;
use crate::ingest::lenient;
use crate::ingest::raw::{RawEvent, RawLink, RawSpan, Text};
use crate::model::{SpanId, SpanKind, Status, TraceId};

impl<'a> Reader<'a, '_, '_> {
    /// One span.
    #[inline]
    pub(super) fn span(&mut self, resource: u32, scope: u32) -> Step<()> {
        let at = self.here();
        let mut span = mem::take(&mut self.span);
        let outcome = self.object("a span", |r, key| r.span_field(&mut span, key));
        if matches!(outcome, Ok(true)) {
            span.place = self.out.place(at);
            self.out.span(&span, resource, scope, at);
        }
        self.span = emptied(span);
        outcome.map(drop)
    }

    #[inline]
    fn span_field(&mut self, span: &mut RawSpan<'a>, key: &[u8]) -> Step<()> {
        match key {
            b"traceId" | b"trace_id" => span.trace = self.trace_id()?,
            b"spanId" | b"span_id" => span.id = self.span_id()?,
            b"parentSpanId" | b"parent_span_id" => span.parent = self.span_id()?,
            b"name" => span.name = self.name("a span name")?,
            b"kind" => span.kind = self.choice("a span kind", lenient::span_kind)?,
            b"startTimeUnixNano" | b"start_time_unix_nano" => {
                span.start = self.time("a start time")?;
            }
            b"endTimeUnixNano" | b"end_time_unix_nano" => span.end = self.time("an end time")?,
            b"attributes" => self.attributes(&mut span.attributes, false)?,
            b"events" => self.list("a list of events", |r| r.event(&mut span.events))?,
            b"links" => self.list("a list of links", |r| r.link(&mut span.links))?,
            b"status" => self.status(span)?,
            b"flags" => span.flags = self.count("span flags")?,
            b"droppedAttributesCount"
            | b"dropped_attributes_count"
            | b"droppedEventsCount"
            | b"dropped_events_count"
            | b"droppedLinksCount"
            | b"dropped_links_count" => {
                let count = self.count("a count of dropped items")?;
                span.dropped = span.dropped.saturating_add(count);
            }
            _ => self.json.skip()?,
        }
        Ok(())
    }

    fn status(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        self.object("a status", |r, key| {
            match key {
                b"code" => span.status = r.choice("a status code", lenient::status_code)?,
                b"message" => {
                    span.status_message = r.text("a status message")?.unwrap_or_default();
                }
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    fn event(&mut self, into: &mut Vec<RawEvent<'a>>) -> Step<()> {
        let mut event = RawEvent::default();
        let found = self.object("an event", |r, key| {
            match key {
                b"name" => event.name = r.name("an event name")?,
                b"timeUnixNano" | b"time_unix_nano" => event.time = r.time("an event time")?,
                b"attributes" => r.attributes(&mut event.attributes, false)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if found {
            event.restore_name();
            into.push(event);
        }
        Ok(())
    }

    /// A link; one that points nowhere is dropped (Grafana's download writes empty ones).
    fn link(&mut self, into: &mut Vec<RawLink>) -> Step<()> {
        let (mut trace, mut span) = (TraceId::default(), SpanId::NONE);
        self.object("a link", |r, key| {
            match key {
                b"traceId" | b"trace_id" => trace = r.trace_id()?,
                b"spanId" | b"span_id" => span = r.span_id()?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if trace.0 != 0 {
            into.push(RawLink { trace, span });
        }
        Ok(())
    }
}

/// `span` with nothing in it, its lists' memory kept for the next one.
fn emptied(mut span: RawSpan<'_>) -> RawSpan<'_> {
    span.attributes.clear();
    span.events.clear();
    span.links.clear();
    RawSpan {
        trace: TraceId::default(),
        id: SpanId::NONE,
        parent: SpanId::NONE,
        name: "".into(),
        kind: SpanKind::default(),
        start: None,
        end: None,
        status: Status::default(),
        status_message: Text::default(),
        flags: 0,
        dropped: 0,
        ..span
    }
}
