//! AWS X-Ray: `batch-get-traces` and bare segment documents. Subsegments stand inside the segment
//! that ran them.
//!
//! Source: open-telemetry/opentelemetry-collector-contrib, internal/aws/xray.

use super::plain::attr;
use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::lenient::{self, Id};
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawAttr, RawEvent, RawSpan, RawValue, Text};
use crate::model::{SpanId, SpanKind, Status, TraceId};

/// AWS X-Ray.
pub(super) const FORMAT: Format = Format {
    name: "aws-xray",
    about: "AWS X-Ray: batch-get-traces, segment documents",
    gives: "segments as spans, HTTP status, throttling",
    loses: "microseconds, links; segments over 64 kB",
    recognise,
    decode,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    if shape.has_all(&["Traces.Segments", "Traces.Segments.Document"]) {
        return Some(Layout::Json(role));
    }
    let own = ["end_time", "in_progress", "subsegments", "origin", "aws"];
    (shape.has_all(&["trace_id", "id", "name", "start_time"])
        && head.has_any(&own)
        && !head.has_any(&["run_type", "span_id", "attributes"]))
    .then(|| record::layout(head))
}

fn role(key: &[u8]) -> Kind {
    match key {
        b"Traces" => Kind::Elements(1),
        _ => Kind::Other,
    }
}

/// What the segment around says.
#[derive(Clone, Copy, Default)]
struct Around {
    trace: TraceId,
    parent: SpanId,
    resource: Option<u32>,
    depth: usize,
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, kind| match kind {
        1 => reader.xray_trace(),
        _ => reader.segment(Around::default()),
    });
}

/// What a segment says beside what goes into [`RawSpan`] as it stands.
#[derive(Default)]
struct Aside<'a> {
    service: Text<'a>,
    remote: bool,
    below: Option<usize>,
    exceptions: Vec<RawAttr<'a>>,
    throttled: bool,
}

impl<'a> Reader<'a, '_, '_> {
    /// The segments of one trace, each a document packed into a text.
    fn xray_trace(&mut self) -> Step<()> {
        self.object("a trace", |r, key| match key {
            b"Segments" => r.list("a list of segments", |r| {
                r.object("a segment", |r, key| match key {
                    b"Document" => r.document(),
                    _ => r.json.skip(),
                })
                .map(drop)
            }),
            _ => r.json.skip(),
        })
        .map(drop)
    }

    fn document(&mut self) -> Step<()> {
        let Some(text) = self.text("a document")? else {
            return Ok(());
        };
        let text = text.get();
        let read = self.packed(text.as_bytes(), |r| r.segment(Around::default()));
        if read.is_none() {
            self.not_packed("a document");
        }
        Ok(())
    }

    /// One segment or subsegment, and those inside it.
    fn segment(&mut self, around: Around) -> Step<()> {
        let at = self.here();
        let (mut span, mut aside) = (RawSpan::default(), Aside::default());
        span.trace = around.trace;
        span.parent = around.parent;
        let found = self.object("a segment", |r, key| {
            r.segment_field(&mut span, &mut aside, key)
        })?;
        if !found {
            return Ok(());
        }
        if aside.throttled {
            let status = attr("http.response.status_code", RawValue::Int(429));
            span.attributes.push(status);
        }
        if !aside.exceptions.is_empty() {
            span.events.push(RawEvent {
                name: "exception".into(),
                time: span.end,
                attributes: aside.exceptions,
            });
        }
        span.kind = match (around.depth, aside.remote) {
            (_, true) => SpanKind::Client,
            (0, false) => SpanKind::Server,
            _ => SpanKind::Internal,
        };
        let resource = around.resource.unwrap_or_else(|| {
            let service = attr("service.name", RawValue::Str(aside.service));
            self.out.resource(&[service])
        });
        let scope = self.out.scope("", "");
        span.place = self.out.place(at);
        self.out.span(&span, resource, scope, at);
        match aside.below {
            Some(_) if around.depth >= self.levels() => {
                self.out.too_deep("subsegments", at);
                Ok(())
            }
            Some(place) => {
                let inner = Around {
                    trace: span.trace,
                    parent: span.id,
                    resource: Some(resource),
                    depth: around.depth + 1,
                };
                self.back(place, |r| {
                    r.list("a list of subsegments", |r| r.segment(inner))
                })
            }
            None => Ok(()),
        }
    }

    fn segment_field(
        &mut self,
        span: &mut RawSpan<'a>,
        aside: &mut Aside<'a>,
        key: &[u8],
    ) -> Step<()> {
        match key {
            b"trace_id" => span.trace = self.id("a trace id", xray_trace)?,
            b"id" => span.id = self.span_id()?,
            b"parent_id" => span.parent = self.span_id()?,
            b"name" => {
                aside.service = self.text("a name")?.unwrap_or_default();
                span.name = aside.service.get();
            }
            b"start_time" => span.start = self.scaled("a start time", 9)?,
            b"end_time" => span.end = self.scaled("an end time", 9)?,
            b"error" | b"fault" | b"throttle" => {
                if self.truth("an error mark")? == Some(true) {
                    span.status = Status::Error;
                    aside.throttled |= key == b"throttle";
                }
            }
            b"cause" if self.json.peek() == b'{' => self.cause(span, aside)?,
            b"namespace" => {
                let word = self.name("a namespace")?;
                aside.remote = matches!(word.as_ref(), "remote" | "aws");
            }
            b"http" => self.http(span)?,
            b"annotations" => self.attributes(&mut span.attributes, "")?,
            b"subsegments" => aside.below = Some(self.later()?),
            _ => self.json.skip()?,
        }
        Ok(())
    }

    fn cause(&mut self, span: &mut RawSpan<'a>, aside: &mut Aside<'a>) -> Step<()> {
        self.object("a cause", |r, key| match key {
            b"exceptions" => r.list("a list of exceptions", |r| {
                let first = aside.exceptions.is_empty();
                r.object("an exception", |r, key| {
                    match key {
                        b"message" if first => {
                            let text = r.text("a message")?.unwrap_or_default();
                            span.status_message = text;
                            let message = attr("exception.message", RawValue::Str(text));
                            aside.exceptions.push(message);
                        }
                        b"type" if first => {
                            r.as_it_stands("exception.type", &mut aside.exceptions)?;
                        }
                        _ => r.json.skip()?,
                    }
                    Ok(())
                })
                .map(drop)
            }),
            _ => r.json.skip(),
        })
        .map(drop)
    }

    fn http(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        self.object("http", |r, key| {
            if !matches!((key, r.json.peek()), (b"request" | b"response", b'{')) {
                return r.json.skip();
            }
            r.object("http", |r, key| {
                let name = match key {
                    b"method" => "http.request.method",
                    b"url" => "url.full",
                    b"status" => "http.response.status_code",
                    _ => return r.json.skip(),
                };
                let value = r.plain_value(1)?;
                span.attributes.push(attr(name, value));
                Ok(())
            })
            .map(drop)
        })
        .map(drop)
    }
}

/// `1-58406520-a006649127e371903a2de979`: a version, the second, and 96 bits.
fn xray_trace(text: &[u8]) -> Id<TraceId> {
    let digits: Vec<u8> = match text.strip_prefix(b"1-") {
        Some(rest) => rest.iter().copied().filter(|b| *b != b'-').collect(),
        None => return lenient::trace_id(text),
    };
    lenient::trace_id(&digits)
}
