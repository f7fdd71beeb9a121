//! Rows of the Collector's ClickHouse exporter, `otel_traces` and `otel_logs`, as `FORMAT
//! JSONEachRow` or `FORMAT JSON` print them. Every attribute value is a text there.
//!
//! Source: open-telemetry/opentelemetry-collector-contrib, exporter/clickhouseexporter/internal/
//! sqltemplates.

use std::borrow::Cow;

use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::lenient;
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawAttr, RawEvent, RawLink, RawLog, RawSpan, RawValue, Text};
use crate::model::{SpanId, TraceId};
use crate::units::Nanos;

/// ClickHouse rows.
pub(super) const FORMAT: Format = Format {
    name: "clickhouse",
    about: "ClickHouse rows of otel_traces and otel_logs: FORMAT JSONEachRow or JSON",
    gives: "spans, logs, events, links, resources",
    loses: "types of attributes: all are text",
    recognise,
    decode,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let fits = |place: &str| {
        let has = |key: &str| shape.has(&format!("{place}{key}"));
        let kind = has("SpanName") || has("Body") || has("SeverityText") || has("SpanAttributes");
        has("TraceId") && has("SpanId") && has("Timestamp") && kind
    };
    match () {
        () if fits("data.") => Some(Layout::Json(role)),
        () if fits("") => Some(record::layout(head)),
        () => None,
    }
}

fn role(key: &[u8]) -> Kind {
    match key {
        b"data" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, _| reader.row());
}

/// One row, of either table.
#[derive(Default)]
struct Row<'a> {
    span: RawSpan<'a>,
    duration: Option<Nanos>,
    service: Option<Text<'a>>,
    resource: Vec<RawAttr<'a>>,
    scope: (Cow<'a, str>, Cow<'a, str>),
    /// Names, times and attributes of events, side by side.
    names: Vec<Cow<'a, str>>,
    times: Vec<Option<Nanos>>,
    attributes: Vec<Vec<RawAttr<'a>>>,
    traces: Vec<TraceId>,
    spans: Vec<SpanId>,
    log: Option<RawLog<'a>>,
}

impl<'a> Reader<'a, '_, '_> {
    fn row(&mut self) -> Step<()> {
        let at = self.here();
        let mut row = Row::default();
        let found = self.object("a row", |r, key| r.column(&mut row, key))?;
        if !found {
            return Ok(());
        }
        if let Some(service) = row.service.filter(|_| !has_service(&row.resource)) {
            row.resource
                .push(super::plain::attr("service.name", RawValue::Str(service)));
        }
        let resource = self.out.resource(&row.resource);
        let mut span = row.span;
        if let Some(mut log) = row.log {
            (log.time, log.trace, log.span) = (span.start, span.trace, span.id);
            log.place = self.out.place(at);
            self.out.log(&mut log, resource, at);
            return Ok(());
        }
        span.end = match (span.start, row.duration) {
            (Some(start), Some(length)) => start.0.checked_add(length.0).map(Nanos),
            _ => None,
        };
        let mut attributes = row.attributes.into_iter();
        let mut times = row.times.into_iter();
        span.events
            .extend(row.names.into_iter().map(|name| RawEvent {
                name,
                time: times.next().flatten(),
                attributes: attributes.next().unwrap_or_default(),
            }));
        let links = row.traces.iter().zip(&row.spans);
        span.links
            .extend(links.map(|(&trace, &span)| RawLink { trace, span }));
        let scope = self.out.scope(&row.scope.0, &row.scope.1);
        span.place = self.out.place(at);
        self.out.span(&span, resource, scope, at);
        Ok(())
    }

    fn column(&mut self, row: &mut Row<'a>, key: &[u8]) -> Step<()> {
        let span = &mut row.span;
        match key {
            b"Timestamp" => span.start = self.moment("a timestamp")?,
            b"TimestampTime" if span.start.is_none() => span.start = self.moment("a timestamp")?,
            b"TraceId" => span.trace = self.trace_id()?,
            b"SpanId" => span.id = self.span_id()?,
            b"ParentSpanId" => span.parent = self.span_id()?,
            b"SpanName" => span.name = self.name("a span name")?,
            b"SpanKind" => span.kind = self.choice("a span kind", lenient::span_kind)?,
            b"ServiceName" => row.service = self.text("a service name")?,
            b"ResourceAttributes" => self.resource_attributes(&mut row.resource)?,
            b"ScopeName" => row.scope.0 = self.name("a scope name")?,
            b"ScopeVersion" => row.scope.1 = self.name("a scope version")?,
            b"SpanAttributes" => self.attributes(&mut span.attributes, "")?,
            b"Duration" => row.duration = self.scaled("a duration", 0)?,
            b"StatusCode" => self.status_code(span)?,
            b"StatusMessage" => {
                span.status_message = self.text("a status message")?.unwrap_or_default();
            }
            b"Events.Timestamp" => self.list("event times", |r| {
                row.times.push(r.moment("an event time")?);
                Ok(())
            })?,
            b"Events.Name" => self.list("event names", |r| {
                row.names.push(r.name("an event name")?);
                Ok(())
            })?,
            b"Events.Attributes" => self.list("event attributes", |r| {
                let mut attributes = Vec::new();
                r.attributes(&mut attributes, "")?;
                row.attributes.push(attributes);
                Ok(())
            })?,
            b"Links.TraceId" => self.list("links", |r| {
                row.traces.push(r.trace_id()?);
                Ok(())
            })?,
            b"Links.SpanId" => self.list("links", |r| {
                row.spans.push(r.span_id()?);
                Ok(())
            })?,
            b"Body" | b"SeverityText" | b"SeverityNumber" | b"LogAttributes" | b"EventName" => {
                self.log_column(row.log.get_or_insert_default(), key)?;
            }
            _ => self.json.skip()?,
        }
        Ok(())
    }

    fn log_column(&mut self, log: &mut RawLog<'a>, key: &[u8]) -> Step<()> {
        match key {
            b"Body" => log.body = RawValue::Str(self.text("a body")?.unwrap_or_default()),
            b"SeverityNumber" => log.severity = self.choice("a severity", lenient::severity)?,
            b"SeverityText" if log.severity == 0 => {
                let text = self.name("a severity text")?;
                log.severity = lenient::severity(text.as_bytes()).unwrap_or(0);
            }
            b"LogAttributes" => self.attributes(&mut log.attributes, "")?,
            b"EventName" => log.event = self.name("an event name")?,
            _ => self.json.skip()?,
        }
        Ok(())
    }
}

fn has_service(attributes: &[RawAttr<'_>]) -> bool {
    attributes.iter().any(|a| a.key == "service.name")
}
