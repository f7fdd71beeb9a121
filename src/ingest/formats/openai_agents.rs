//! What the OpenAI Agents SDK's own tracing exports: `trace` and `trace.span` objects, bare or in
//! the body it sends (`{"data": […]}`).
//!
//! Source: openai/openai-agents-python, src/agents/tracing.

use hashbrown::HashMap;

use super::plain::attr;
use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::lenient;
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::{RawAttr, RawSpan, RawValue, Text};
use crate::model::{SpanId, Status, TraceId};

/// OpenAI Agents SDK.
pub(super) const FORMAT: Format = Format {
    name: "openai-agents",
    about: "OpenAI Agents SDK tracing: trace and trace.span objects, bodies of its exporter",
    gives: "spans of agents, generations, tools",
    loses: "time to first token, endpoint, attempts",
    recognise,
    decode,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let fits = |place: &str| {
        let has = |key: &str| shape.has(&format!("{place}{key}"));
        let object = format!("{place}object");
        (has("span_data") && has("trace_id") && has("id"))
            || shape.says(&object, "trace.span")
            || (shape.says(&object, "trace") && has("workflow_name"))
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

/// What a trace says, by trace.
type Traces<'a> = HashMap<TraceId, Vec<RawAttr<'a>>>;

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let (mut spans, mut traces) = (Vec::new(), Traces::new());
    record::each(chunk, out, |reader, _| {
        reader.agents_item(&mut spans, &mut traces)
    });
    for (mut span, at) in spans {
        if span.parent.is_none()
            && let Some(said) = traces.get(&span.trace)
        {
            span.attributes.extend(said.iter().cloned());
        }
        let resource = out.resource(&[]);
        let scope = out.scope("openai.agents", "");
        out.span(&span, resource, scope, at);
    }
}

impl<'a> Reader<'a, '_, '_> {
    fn agents_item(
        &mut self,
        spans: &mut Vec<(RawSpan<'a>, usize)>,
        traces: &mut Traces<'a>,
    ) -> Step<()> {
        let at = self.here();
        let mut span = RawSpan::default();
        let (mut id, mut data, mut said) = (None, None, Vec::new());
        let found = self.object("a span or trace", |r, key| {
            match key {
                b"id" => id = Some(r.later()?),
                b"trace_id" => span.trace = r.agents_trace()?,
                b"parent_id" => span.parent = r.agents_span()?,
                b"started_at" => span.start = r.moment("a start time")?,
                b"ended_at" => span.end = r.moment("an end time")?,
                b"span_data" => data = Some(r.later()?),
                b"error" => r.agents_error(&mut span)?,
                b"group_id" => r.as_it_stands("group_id", &mut said)?,
                b"workflow_name" => r.as_it_stands("workflow.name", &mut said)?,
                b"metadata" => r.as_it_stands("metadata", &mut said)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if !found {
            return Ok(());
        }
        let Some(data) = data else {
            if let Some(id) = id {
                let trace = self.back(id, Self::agents_trace)?;
                traces.entry(trace).or_default().extend(said);
            }
            return Ok(());
        };
        if let Some(id) = id {
            span.id = self.back(id, Self::agents_span)?;
        }
        self.back(data, |r| r.agents_data(&mut span))?;
        span.place = self.out.place(at);
        spans.push((span, at));
        Ok(())
    }

    fn agents_trace(&mut self) -> Step<TraceId> {
        self.id("a trace id", |text| {
            lenient::trace_id(text.strip_prefix(b"trace_").unwrap_or(text))
        })
    }

    fn agents_span(&mut self) -> Step<SpanId> {
        self.id("a span id", |text| {
            lenient::span_id(text.strip_prefix(b"span_").unwrap_or(text))
        })
    }

    fn agents_error(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        match self.json.peek() {
            b'{' => {}
            b'"' => {
                span.status = Status::Error;
                span.status_message = self.json.string()?;
                return Ok(());
            }
            _ => return self.json.skip(),
        }
        span.status = Status::Error;
        self.object("an error", |r, key| {
            match key {
                b"message" => span.status_message = r.text("a message")?.unwrap_or_default(),
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    /// What the span did; its keys are those that a dialect knows by this scope.
    fn agents_data(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        let mut sort = Text::default();
        let into = &mut span.attributes;
        let mut name = None;
        self.object("span data", |r, key| {
            match key {
                b"type" => sort = r.text("a type")?.unwrap_or_default(),
                b"name" => name = r.text("a name")?,
                b"model" => r.as_it_stands("gen_ai.request.model", into)?,
                b"model_config" => r.as_it_stands("model_config", into)?,
                b"usage" => r.as_it_stands("usage", into)?,
                b"response_id" => r.as_it_stands("response_id", into)?,
                b"input" => r.as_it_stands("input", into)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        into.push(attr("sdk_span_type", RawValue::Str(sort)));
        if let Some(name) = name {
            into.push(attr("name", RawValue::Str(name)));
        }
        span.name = name.unwrap_or(sort).get();
        Ok(())
    }
}
