//! Datadog: pages of the spans API, and LLM Observability as exported or as sent.
//!
//! Source: DataDog/datadog-api-client-python, model/spans_attributes.py; LLM Observability from its
//! documentation.

use super::plain::attr;
use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::lenient::{self, Id};
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawSpan, RawValue, Text};
use crate::model::{SpanId, Status, TraceId};
use crate::units::Nanos;

/// Datadog.
pub(super) const FORMAT: Format = Format {
    name: "datadog",
    about: "Datadog: spans API pages, LLM Observability exports and intake bodies",
    gives: "spans, tags, LLM usage",
    loses: "spans that were not indexed, events, links",
    recognise,
    decode,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let fits = |place: &str| {
        let has = |key: &str| shape.has(&format!("{place}{key}"));
        let time = has("start_timestamp") || has("start_ns");
        has("span_id") && has("trace_id") && time
    };
    if fits("data.attributes.") || fits("data.attributes.spans.") {
        return Some(Layout::Json(role));
    }
    // The names alone are everybody's; these are not.
    let bare = fits("") && head.has_any(&["start_ns", "resource_name"]);
    (fits("attributes.") || bare).then(|| record::layout(head))
}

fn role(key: &[u8]) -> Kind {
    match key {
        b"data" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, _| reader.datadog_item());
}

/// What a span says beside what goes into [`RawSpan`] as it stands.
#[derive(Default)]
struct Aside<'a> {
    service: Text<'a>,
    app: Text<'a>,
    env: Text<'a>,
    operation: Text<'a>,
    duration: Option<Nanos>,
}

impl<'a> Reader<'a, '_, '_> {
    /// A span around whose attributes the API puts a wrapper, or a body of several.
    fn datadog_item(&mut self) -> Step<()> {
        let place = self.json.at();
        let (mut inside, mut spans, mut bare) = (None, None, false);
        self.object("a span", |r, key| {
            match key {
                b"attributes" => inside = Some(r.later()?),
                _ => {
                    bare |= key == b"span_id";
                    r.json.skip()?;
                }
            }
            Ok(())
        })?;
        // A bare span may hold attributes of its own.
        let inside = inside.filter(|_| !bare).unwrap_or(place);
        self.back(inside, |r| {
            r.object("a span", |r, key| {
                match key {
                    b"spans" => spans = Some(r.later()?),
                    _ => r.json.skip()?,
                }
                Ok(())
            })
        })?;
        match spans {
            Some(list) => self.back(list, |r| r.list("a list of spans", Self::datadog_span)),
            None => self.back(inside, Self::datadog_span),
        }
    }

    fn datadog_span(&mut self) -> Step<()> {
        let at = self.here();
        let (mut span, mut aside) = (RawSpan::default(), Aside::default());
        let found = self.object("a span", |r, key| {
            r.datadog_field(&mut span, &mut aside, key)
        })?;
        if !found {
            return Ok(());
        }
        if span.name.is_empty() {
            span.name = aside.operation.get();
        }
        if let (None, Some(start), Some(length)) = (span.end, span.start, aside.duration) {
            span.end = start.0.checked_add(length.0).map(Nanos);
        }
        let service = match aside.service.is_empty() {
            true => aside.app,
            false => aside.service,
        };
        let said = [
            ("service.name", service),
            ("deployment.environment.name", aside.env),
        ];
        let said: Vec<_> = said
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| attr(key, RawValue::Str(text)))
            .collect();
        let resource = self.out.resource(&said);
        let scope = self.out.scope("", "");
        span.place = self.out.place(at);
        self.out.span(&span, resource, scope, at);
        Ok(())
    }

    fn datadog_field(
        &mut self,
        span: &mut RawSpan<'a>,
        aside: &mut Aside<'a>,
        key: &[u8],
    ) -> Step<()> {
        let into = &mut span.attributes;
        match key {
            b"trace_id" => span.trace = self.id("a trace id", datadog_trace)?,
            b"span_id" => span.id = self.id("a span id", datadog_span)?,
            b"parent_id" => span.parent = self.id("a parent id", datadog_span)?,
            b"name" | b"resource_name" => span.name = self.name("a span name")?,
            b"operation_name" => aside.operation = self.text("a name")?.unwrap_or_default(),
            b"service" => aside.service = self.text("a service")?.unwrap_or_default(),
            b"ml_app" => aside.app = self.text("an application")?.unwrap_or_default(),
            b"env" => aside.env = self.text("an environment")?.unwrap_or_default(),
            b"start_timestamp" => span.start = self.moment("a start time")?,
            b"end_timestamp" => span.end = self.moment("an end time")?,
            b"start_ns" => span.start = self.time("a start time")?,
            b"duration" => aside.duration = self.scaled("a duration", 0)?,
            b"status" => {
                let status = self.name("a status")?;
                if status == "error" {
                    span.status = Status::Error;
                }
            }
            b"error" => self.datadog_error(span)?,
            b"span_kind" | b"kind" => {
                let word = self.text("a span kind")?.unwrap_or_default();
                into.extend(role_of(word.raw()));
            }
            b"meta" => self
                .object("meta", |r, key| match key {
                    b"kind" | b"span.kind" | b"error" | b"metadata" | b"model_name"
                    | b"model_provider" => r.datadog_field(span, aside, key),
                    _ => r.json.skip(),
                })
                .map(drop)?,
            b"model_name" => self.as_it_stands("gen_ai.request.model", into)?,
            b"model_provider" => self.as_it_stands("gen_ai.provider.name", into)?,
            b"session_id" => self.as_it_stands("session.id", into)?,
            b"metadata" => self.as_it_stands("metadata", into)?,
            b"metrics" => self.datadog_metrics(span)?,
            b"attributes" | b"custom" => {
                self.attributes(into, "")?;
                for attribute in into.iter().filter(|a| a.key.starts_with("error.")) {
                    span.status = Status::Error;
                    if let ("error.message", RawValue::Str(text)) =
                        (attribute.key.as_ref(), &attribute.value)
                    {
                        span.status_message = *text;
                    }
                }
            }
            _ => self.json.skip()?,
        }
        Ok(())
    }

    fn datadog_error(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        match self.json.peek() {
            b'{' => self
                .object("an error", |r, key| {
                    match key {
                        b"message" => {
                            span.status_message = r.text("a message")?.unwrap_or_default();
                            span.status = Status::Error;
                        }
                        b"type" => r.as_it_stands("error.type", &mut span.attributes)?,
                        _ => r.json.skip()?,
                    }
                    Ok(())
                })
                .map(drop),
            b'1' => {
                span.status = Status::Error;
                self.json.skip()
            }
            _ => self.json.skip(),
        }
    }

    fn datadog_metrics(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        self.object("metrics", |r, key| {
            let name = match key {
                b"input_tokens" | b"prompt_tokens" => "gen_ai.usage.input_tokens",
                b"output_tokens" | b"completion_tokens" => "gen_ai.usage.output_tokens",
                b"cache_read_input_tokens" => "gen_ai.usage.cache_read.input_tokens",
                b"cache_write_input_tokens" => "gen_ai.usage.cache_creation.input_tokens",
                b"reasoning_output_tokens" => "gen_ai.usage.reasoning_tokens",
                b"time_to_first_token" => "gen_ai.server.time_to_first_token",
                _ => return r.json.skip(),
            };
            let value = r.plain_value(1)?;
            span.attributes.push(attr(name, value));
            Ok(())
        })
        .map(drop)
    }
}

/// Datadog's kinds in a vocabulary that has all of them.
fn role_of(word: &[u8]) -> Option<crate::ingest::raw::RawAttr<'static>> {
    let role: &'static [u8] = match word {
        b"llm" => b"LLM",
        b"agent" => b"AGENT",
        b"tool" => b"TOOL",
        b"embedding" => b"EMBEDDING",
        b"retrieval" => b"RETRIEVER",
        b"workflow" | b"task" => b"CHAIN",
        _ => return None,
    };
    let value = RawValue::Str(Text::plain(role));
    Some(attr("openinference.span.kind", value))
}

/// Ids are decimal numbers; only a trace id of 128 bits is hex.
fn datadog_trace(text: &[u8]) -> Id<TraceId> {
    match decimal(text) {
        Some(id) if text.len() < 32 => Id::Plain(TraceId(u128::from(id))),
        _ => lenient::trace_id(text),
    }
}

fn datadog_span(text: &[u8]) -> Id<SpanId> {
    match decimal(text) {
        Some(0) => Id::Absent,
        Some(id) => Id::Plain(SpanId(id)),
        None if text == b"undefined" => Id::Absent,
        None => lenient::span_id(text),
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
