//! Zipkin v2 JSON: the spans of a trace in a list, or lists of them.
//!
//! The two halves of a remote call share one id by design; the server's says so, and is parted from
//! the client's where traces are rebuilt. Late records that carry only tags are merged into their
//! span here where both lie close together, else there as well.
//!
//! Source: openzipkin/zipkin-api, zipkin2-api.yaml.

use hashbrown::HashMap;

use super::plain::attr;
use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::Step;
use crate::ingest::lenient;
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawEvent, RawSpan, RawValue, Text};
use crate::model::{IssueKind, SpanId, Status, TraceId};
use crate::units::Nanos;

/// Zipkin v2.
pub(super) const FORMAT: Format = Format {
    name: "zipkin-json",
    about: "Zipkin v2 JSON: /api/v2/trace and /api/v2/traces, UI downloads",
    gives: "spans of both sides of a call, tags",
    loses: "links, nanoseconds, types of tags",
    recognise,
    decode,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let own = [
        "localEndpoint",
        "remoteEndpoint",
        "annotations",
        "duration",
        "shared",
    ];
    let second = !head.has_any(&["binaryAnnotations", "annotations.endpoint", "attributes"]);
    // Not `Lines`: halves of one call must come together.
    (shape.has_all(&["traceId", "id"]) && head.has_any(&own) && second).then_some(Layout::Objects)
}

/// One record, held until its chunk is read.
struct Record<'a> {
    span: RawSpan<'a>,
    service: Text<'a>,
    at: usize,
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let mut records: Vec<Record<'_>> = Vec::new();
    record::each(chunk, out, |reader, _| {
        records.extend(reader.zipkin_span()?);
        Ok(())
    });
    merge_late(&mut records, out);
    for record in &records {
        let attributes = match record.service.is_empty() {
            true => vec![],
            false => vec![attr("service.name", RawValue::Str(record.service))],
        };
        let resource = out.resource(&attributes);
        let scope = out.scope("", "");
        out.span(&record.span, resource, scope, record.at);
    }
}

/// Records without any time carry only tags: they belong to the record of the same id and service.
fn merge_late<'a>(records: &mut Vec<Record<'a>>, out: &mut Outlet<'_>) {
    type Key<'k> = (TraceId, SpanId, &'k [u8]);
    let mut timed: HashMap<Key<'a>, usize> = HashMap::new();
    let timeless = |r: &Record<'_>| r.span.start.is_none() && r.span.end.is_none();
    if !records.iter().any(timeless) {
        return;
    }
    let (late, mut kept): (Vec<_>, Vec<_>) = records.drain(..).partition(timeless);
    for (index, record) in kept.iter().enumerate() {
        let key = (record.span.trace, record.span.id, record.service.raw());
        timed.entry(key).or_insert(index);
    }
    for record in late {
        let key = (record.span.trace, record.span.id, record.service.raw());
        match timed.get(&key).and_then(|&index| kept.get_mut(index)) {
            Some(owner) => {
                out.count(IssueKind::DuplicateSpan, record.at, || {
                    "a late record of a span, merged into it".into()
                });
                owner.span.attributes.extend(record.span.attributes);
                owner.span.events.extend(record.span.events);
                owner.span.status = owner.span.status.max(record.span.status);
            }
            None => kept.push(Record {
                span: RawSpan {
                    partial: true,
                    ..record.span
                },
                ..record
            }),
        }
    }
    *records = kept;
}

impl<'a> Reader<'a, '_, '_> {
    fn zipkin_span(&mut self) -> Step<Option<Record<'a>>> {
        let at = self.here();
        let mut record = Record {
            span: RawSpan::default(),
            service: Text::default(),
            at,
        };
        let mut duration = None;
        let found = self.object("a span", |r, key| {
            let span = &mut record.span;
            match key {
                b"traceId" => span.trace = r.either_trace_id()?,
                b"id" => span.id = r.span_id()?,
                b"parentId" => span.parent = r.span_id()?,
                b"name" => span.name = r.name("a span name")?,
                b"kind" => span.kind = r.choice("a span kind", lenient::span_kind)?,
                b"timestamp" => span.start = r.scaled("a timestamp", 3)?.filter(|t| t.0 > 0),
                b"duration" => duration = r.scaled("a duration", 3)?,
                b"localEndpoint" => record.service = r.service()?,
                b"remoteEndpoint" => {
                    let service = r.service()?;
                    if !service.is_empty() {
                        let peer = attr("peer.service", RawValue::Str(service));
                        span.attributes.push(peer);
                    }
                }
                b"annotations" => r.annotations(&mut span.events)?,
                b"tags" => r.attributes(&mut span.attributes, "")?,
                b"shared" => span.shares_id = r.truth("shared")?.unwrap_or(false),
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if !found {
            return Ok(None);
        }
        let span = &mut record.span;
        span.end = match (span.start, duration) {
            (Some(start), Some(length)) => start.0.checked_add(length.0).map(Nanos),
            _ => None,
        };
        // That the tag is there is the error; its text may be empty.
        if let Some(error) = span.attributes.iter().position(|a| a.key == "error") {
            let error = span.attributes.remove(error);
            span.status = Status::Error;
            if let RawValue::Str(text) = error.value {
                span.status_message = text;
            }
        }
        span.place = self.out.place(at);
        Ok(Some(record))
    }

    fn service(&mut self) -> Step<Text<'a>> {
        let mut name = Text::default();
        self.object("an endpoint", |r, key| {
            match key {
                b"serviceName" => name = r.text("a service name")?.unwrap_or_default(),
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        Ok(name)
    }

    fn annotations(&mut self, into: &mut Vec<RawEvent<'a>>) -> Step<()> {
        self.list("a list of annotations", |r| {
            let mut event = RawEvent::default();
            let found = r.object("an annotation", |r, key| {
                match key {
                    b"timestamp" => event.time = r.scaled("an annotation time", 3)?,
                    b"value" => event.name = r.name("an annotation")?,
                    _ => r.json.skip()?,
                }
                Ok(())
            })?;
            if found {
                into.push(event);
            }
            Ok(())
        })
    }
}
