//! One span, whatever its keys are called.

use std::borrow::Cow;

use crate::ingest::fields::Fields;
use crate::ingest::formats::plain::attr;
use crate::ingest::formats::record::Reader;
use crate::ingest::json::{Step, Token};
use crate::ingest::lenient;
use crate::ingest::raw::{RawSpan, RawValue, Text};
use crate::model::{SpanId, SpanKind, TraceId};
use crate::units::Nanos;

/// What the span around says.
#[derive(Clone, Copy, Default)]
pub(super) struct Around {
    /// Its trace, or the one that a wrapper names.
    pub(super) trace: TraceId,
    parent: SpanId,
    resource: Option<u32>,
    depth: usize,
}

/// What a span says beside what goes into [`RawSpan`] as it stands.
#[derive(Default)]
struct Aside<'a> {
    context: (TraceId, SpanId),
    duration: Option<Nanos>,
    resource: Option<u32>,
    scope: (Cow<'a, str>, Cow<'a, str>),
    service: Text<'a>,
    children: Option<usize>,
    /// It is an event or a link of a span, as Honeycomb keeps them beside it.
    annotation: bool,
}

impl<'a> Reader<'a, '_, '_> {
    /// One span, and those nested below it.
    pub(super) fn flat_span(&mut self, around: Around) -> Step<()> {
        let at = self.here();
        let (mut span, mut aside) = (RawSpan::default(), Aside::default());
        let found = self.object("a span", |r, key| {
            match key {
                b"child_spans" | b"children" => aside.children = Some(r.later()?),
                _ => r.flat_field(&mut span, &mut aside, key)?,
            }
            Ok(())
        })?;
        if !found || aside.annotation {
            return Ok(());
        }
        if span.trace.0 == 0 {
            span.trace = match aside.context.0.0 {
                0 => around.trace,
                _ => aside.context.0,
            };
        }
        if span.id.is_none() {
            span.id = aside.context.1;
        }
        if span.parent.is_none() {
            span.parent = around.parent;
        }
        if let (None, Some(start), Some(length)) = (span.end, span.start, aside.duration) {
            span.end = start.0.checked_add(length.0).map(Nanos);
        }
        let resource = match aside.resource.or(around.resource) {
            Some(resource) => resource,
            None if aside.service.is_empty() => self.out.resource(&[]),
            None => {
                let service = attr("service.name", RawValue::Str(aside.service));
                self.out.resource(&[service])
            }
        };
        let scope = self.out.scope(&aside.scope.0, &aside.scope.1);
        span.place = self.out.place(at);
        self.out.span(&span, resource, scope, at);
        match aside.children {
            Some(_) if around.depth >= self.levels() => {
                self.out.too_deep("spans", at);
                Ok(())
            }
            Some(place) => {
                let inner = Around {
                    trace: span.trace,
                    parent: span.id,
                    resource: Some(resource),
                    depth: around.depth + 1,
                };
                self.back(place, |r| r.list("a list of spans", |r| r.flat_span(inner)))
            }
            None => Ok(()),
        }
    }

    fn flat_field(
        &mut self,
        span: &mut RawSpan<'a>,
        aside: &mut Aside<'a>,
        key: &'a [u8],
    ) -> Step<()> {
        match key {
            b"trace_id" | b"traceId" | b"trace.trace_id" => span.trace = self.trace_id()?,
            b"span_id" | b"spanId" | b"trace.span_id" => span.id = self.span_id()?,
            b"context" | b"spanContext" | b"span_context" => self.context(&mut aside.context)?,
            b"context.trace_id" => aside.context.0 = self.trace_id()?,
            b"context.span_id" => aside.context.1 = self.span_id()?,
            b"parent_span_id" | b"parentSpanId" | b"parent_id" | b"parentId"
            | b"trace.parent_id" => {
                span.parent = self.parent_id()?;
            }
            b"parent" | b"parentSpanContext" | b"parent_span_context" => {
                let mut ids = (TraceId::default(), SpanId::NONE);
                self.context(&mut ids)?;
                span.parent = ids.1;
            }
            b"name" | b"span_name" => span.name = self.name("a span name")?,
            b"kind" | b"span_kind" | b"spanKind" | b"kind_string" => self.flat_kind(span)?,
            b"start_time"
            | b"startTime"
            | b"start_time_unix_nano"
            | b"startTimeUnixNano"
            | b"start_timestamp"
            | b"timestamp"
            | b"Timestamp" => {
                span.start = self.moment("a start time")?.or(span.start);
            }
            b"end_time"
            | b"endTime"
            | b"end_time_unix_nano"
            | b"endTimeUnixNano"
            | b"end_timestamp" => span.end = self.moment("an end time")?,
            b"duration" => aside.duration = self.length()?,
            b"duration_nano" | b"durationNano" => {
                aside.duration = self.scaled("a duration", 0)?;
            }
            b"duration_ms" => aside.duration = self.scaled("a duration", 6)?,
            b"status" => self.status(span)?,
            b"status_code" | b"status_code_string" | b"statusCode" => self.status_code(span)?,
            b"status_message" | b"statusMessage" => {
                span.status_message = self.text("a status message")?.unwrap_or_default();
            }
            b"attributes" | b"span_attributes" | b"attributes_string" | b"attributes_number"
            | b"attributes_bool" => self.attributes(&mut span.attributes, "")?,
            b"events" | b"span_events" => self.events(&mut span.events)?,
            b"links" => self.links(&mut span.links)?,
            b"resource" | b"resources" | b"resource_attributes" | b"resources_string" => {
                aside.resource = self.flat_resource()?;
            }
            b"scope"
            | b"instrumentation_scope"
            | b"instrumentationScope"
            | b"instrumentationLibrary" => aside.scope = self.flat_scope()?,
            b"scope_name" => aside.scope.0 = self.name("a scope name")?,
            b"meta.annotation_type" => {
                let kind = self.text("an annotation type")?;
                aside.annotation = kind.is_some_and(|kind| !kind.is_empty());
            }
            b"service_name" | b"serviceName" | b"service.name" => {
                aside.service = self.text("a service name")?.unwrap_or_default();
            }
            _ => match key.strip_prefix(b"attributes.") {
                Some(name) => self.attribute(&mut span.attributes, name)?,
                // No field of a record has a dot in its name; attributes do.
                None if key.contains(&b'.') => self.attribute(&mut span.attributes, key)?,
                None => self.json.skip()?,
            },
        }
        Ok(())
    }

    /// A parent's id; some write a word for none.
    fn parent_id(&mut self) -> Step<SpanId> {
        self.id("a parent id", |text| match text {
            b"root" | b"None" | b"null" | b"undefined" => lenient::Id::Absent,
            _ => lenient::span_id(text),
        })
    }

    /// OTLP's kind, or OpenInference's under the same name.
    fn flat_kind(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        let at = self.here();
        let word = match self.json.token()? {
            Token::Str(text) => text,
            Token::Number(digits) => Text::plain(digits),
            token => return self.wrong(token, "a span kind", at),
        };
        match lenient::span_kind(word.raw()) {
            Some(SpanKind::Unspecified) => {}
            Some(kind) => span.kind = kind,
            None => span
                .attributes
                .push(attr("openinference.span.kind", RawValue::Str(word))),
        }
        Ok(())
    }

    /// Attributes of a resource, bare or under `attributes`.
    fn flat_resource(&mut self) -> Step<Option<u32>> {
        let (mut attributes, mut inner) = (Vec::new(), None);
        let place = self.json.at();
        let found = self.object("a resource", |r, key| {
            match (key, r.json.peek()) {
                (b"attributes" | b"_attributes", b'{') => inner = Some(r.later()?),
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if !found {
            return Ok(None);
        }
        self.back(inner.unwrap_or(place), |r| {
            r.resource_attributes(&mut attributes)
        })?;
        Ok(Some(self.out.resource(&attributes)))
    }

    fn flat_scope(&mut self) -> Step<(Cow<'a, str>, Cow<'a, str>)> {
        let (mut name, mut version) = Default::default();
        if self.json.peek() == b'"' {
            return Ok((self.name("a scope name")?, version));
        }
        self.object("a scope", |r, key| {
            match key {
                b"name" => name = r.name("a scope name")?,
                b"version" => version = r.name("a scope version")?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        Ok((name, version))
    }

    /// A duration: ISO 8601, a pair of seconds and nanoseconds, or a number of nanoseconds.
    fn length(&mut self) -> Step<Option<Nanos>> {
        match self.json.peek() {
            b'[' => self.pair("a duration"),
            b'"' => {
                let text = self.text("a duration")?.unwrap_or_default();
                Ok(lenient::duration(&text.get()))
            }
            _ => self.scaled("a duration", 0),
        }
    }
}
