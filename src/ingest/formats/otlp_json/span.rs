//! Spans, their events and links.

use super::reader::Reader;
use crate::ingest::fields::Fields;
use crate::ingest::json::Step;
use crate::ingest::lenient;
use crate::ingest::raw::{RawEvent, RawLink, RawSpan};
use crate::model::{SpanId, TraceId};

impl<'a> Reader<'a, '_, '_> {
    /// One span.
    #[inline]
    pub(super) fn span(&mut self, resource: u32, scope: u32) -> Step<()> {
        let at = self.here();
        let mut span = self.span.take().unwrap_or_default();
        let outcome = self.span_fields(&mut span);
        if matches!(outcome, Ok(true)) {
            span.place = self.out.place(at);
            self.out.span(&span, resource, scope, at);
        }
        span.clear();
        self.span = Some(span);
        outcome.map(drop)
    }

    fn span_fields(&mut self, span: &mut RawSpan<'a>) -> Step<bool> {
        if self.json.peek() != b'{' {
            return self.not_a("a span").map(|()| false);
        }
        self.fields.begin();
        let mut more = self.json.enter_object()?;
        while more {
            let field = self.field()?;
            self.span_field(span, field)?;
            more = self.json.more_keys()?;
        }
        Ok(true)
    }

    /// The next key of a span, its colon consumed.
    #[inline]
    fn field(&mut self) -> Step<SpanField> {
        if let Some((text, field)) = self.fields.expected(self.json.rest()) {
            self.json.pass(text.len());
            return Ok(field);
        }
        self.json.peek();
        let start = self.json.at();
        let field = SpanField::of(self.json.key()?);
        self.fields.learn(self.json.since(start), field);
        Ok(field)
    }

    #[inline]
    fn span_field(&mut self, span: &mut RawSpan<'a>, field: SpanField) -> Step<()> {
        match field {
            SpanField::Trace => span.trace = self.trace_id()?,
            SpanField::Id => span.id = self.span_id()?,
            SpanField::Parent => span.parent = self.span_id()?,
            SpanField::Name => span.name = self.name("a span name")?,
            SpanField::Kind => span.kind = self.choice("a span kind", lenient::span_kind)?,
            SpanField::Start => span.start = self.time("a start time")?,
            SpanField::End => span.end = self.time("an end time")?,
            SpanField::Attributes => self.span_attributes(span)?,
            SpanField::Events => self.list("a list of events", |r| r.event(&mut span.events))?,
            SpanField::Links => self.list("a list of links", |r| r.link(&mut span.links))?,
            SpanField::Status => self.status(span)?,
            SpanField::Flags => span.flags = self.count("span flags")?,
            SpanField::Dropped => {
                let count = self.count("a count of dropped items")?;
                span.dropped = span.dropped.saturating_add(count);
            }
            SpanField::Other => self.json.skip()?,
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

/// What a key of a span means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum SpanField {
    Trace,
    Id,
    Parent,
    Name,
    Kind,
    Start,
    End,
    Attributes,
    Events,
    Links,
    Status,
    Flags,
    Dropped,
    /// Nothing that is read.
    #[default]
    Other,
}

impl SpanField {
    fn of(key: &[u8]) -> Self {
        match key {
            b"traceId" | b"trace_id" => Self::Trace,
            b"spanId" | b"span_id" => Self::Id,
            b"parentSpanId" | b"parent_span_id" => Self::Parent,
            b"name" => Self::Name,
            b"kind" => Self::Kind,
            b"startTimeUnixNano" | b"start_time_unix_nano" => Self::Start,
            b"endTimeUnixNano" | b"end_time_unix_nano" => Self::End,
            b"attributes" => Self::Attributes,
            b"events" => Self::Events,
            b"links" => Self::Links,
            b"status" => Self::Status,
            b"flags" => Self::Flags,
            b"droppedAttributesCount"
            | b"dropped_attributes_count"
            | b"droppedEventsCount"
            | b"dropped_events_count"
            | b"droppedLinksCount"
            | b"dropped_links_count" => Self::Dropped,
            _ => Self::Other,
        }
    }
}
