//! One observation, with what its trace says about it.

use std::borrow::Cow;

use super::wrapped::unwrapped;
use crate::ingest::fields::Fields;
use crate::ingest::formats::plain::attr;
use crate::ingest::formats::record::Reader;
use crate::ingest::json::Step;
use crate::ingest::raw::{RawAttr, RawSpan, RawValue, Text};
use crate::model::{Status, TraceId};

/// What a trace says for all of its observations.
#[derive(Default)]
pub(super) struct Owner<'a> {
    trace: TraceId,
    attributes: Vec<RawAttr<'a>>,
}

/// What the metadata of an observation holds: its attributes as OpenTelemetry gave them.
#[derive(Default)]
struct Origin<'a> {
    attributes: Vec<RawAttr<'a>>,
    resource: Vec<RawAttr<'a>>,
    scope: (Cow<'a, str>, Cow<'a, str>),
}

/// Fields of an observation that become attributes as they stand.
const TEXTS: &[(&[u8], &str)] = &[
    (b"model", "langfuse.observation.model.name"),
    (b"provided_model_name", "langfuse.observation.model.name"),
    (
        b"completionStartTime",
        "langfuse.observation.completion_start_time",
    ),
    (
        b"completion_start_time",
        "langfuse.observation.completion_start_time",
    ),
    (b"level", "langfuse.observation.level"),
    (b"userId", "langfuse.user.id"),
    (b"user_id", "langfuse.user.id"),
    (b"sessionId", "langfuse.session.id"),
    (b"session_id", "langfuse.session.id"),
    (b"usageDetails", "langfuse.observation.usage_details"),
    (b"usage_details", "langfuse.observation.usage_details"),
    (b"usage", "langfuse.observation.usage_details"),
    (b"costDetails", "langfuse.observation.cost_details"),
    (b"cost_details", "langfuse.observation.cost_details"),
    (b"modelParameters", "langfuse.observation.model.parameters"),
    (b"input", "langfuse.observation.input"),
];

/// The same of a trace.
const OF_TRACE: &[(&[u8], &str)] = &[
    (b"userId", "langfuse.user.id"),
    (b"user_id", "langfuse.user.id"),
    (b"sessionId", "langfuse.session.id"),
    (b"session_id", "langfuse.session.id"),
    (b"metadata", "langfuse.trace.metadata"),
];

fn name_of(key: &[u8], table: &[(&[u8], &'static str)]) -> Option<&'static str> {
    table
        .iter()
        .find(|(field, _)| *field == key)
        .map(|(_, name)| *name)
}

impl<'a> Reader<'a, '_, '_> {
    /// What the trace that comes next says, and where its observations stand.
    pub(super) fn langfuse_owner(&mut self) -> Step<(Owner<'a>, Option<usize>)> {
        let (mut owner, mut list) = (Owner::default(), None);
        self.object("a trace", |r, key| {
            match (key, name_of(key, OF_TRACE)) {
                (b"id", _) => owner.trace = r.trace_id()?,
                (b"observations", _) => list = Some(r.later()?),
                (_, Some(name)) => r.as_it_stands(name, &mut owner.attributes)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        Ok((owner, list))
    }

    /// One observation.
    pub(super) fn langfuse_observation(&mut self, owner: &Owner<'a>) -> Step<()> {
        let at = self.here();
        let mut span = RawSpan::default();
        let (mut metadata, mut event) = (None, false);
        let found = self.object("an observation", |r, key| {
            match (key, name_of(key, TEXTS)) {
                (b"id", _) => span.id = r.span_id()?,
                (b"traceId" | b"trace_id", _) => span.trace = r.trace_id()?,
                (b"parentObservationId" | b"parent_observation_id", _) => {
                    span.parent = r.span_id()?;
                }
                (b"name", _) => span.name = r.name("a name")?,
                (b"type", _) => event = r.langfuse_type(&mut span.attributes)?,
                (b"startTime" | b"start_time", _) => span.start = r.moment("a start time")?,
                (b"endTime" | b"end_time", _) => span.end = r.moment("an end time")?,
                (b"statusMessage" | b"status_message", _) => {
                    span.status_message = r.text("a status message")?.unwrap_or_default();
                }
                (b"metadata", _) => metadata = Some(r.later()?),
                (_, Some(name)) => r.as_it_stands(name, &mut span.attributes)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if !found {
            return Ok(());
        }
        let failed = |a: &RawAttr<'_>| {
            a.key == "langfuse.observation.level"
                && matches!(&a.value, RawValue::Str(text) if text.raw() == b"ERROR")
        };
        if span.attributes.iter().any(failed) {
            span.status = Status::Error;
        }
        if span.trace.0 == 0 {
            span.trace = owner.trace;
        }
        // An event is a moment; anything else without an end was not finished.
        span.end = span.end.or(span.start.filter(|_| event));
        span.attributes.extend(owner.attributes.iter().cloned());
        span.place = self.out.place(at);
        self.with_metadata(span, metadata, at)
    }

    /// The type in lower case, as the attribute has it; true for an event.
    fn langfuse_type(&mut self, into: &mut Vec<RawAttr<'a>>) -> Step<bool> {
        let text = self.text("a type")?.unwrap_or_default();
        let lower: &'static [u8] = match text.raw() {
            b"GENERATION" => b"generation",
            b"SPAN" => b"span",
            b"EVENT" => b"event",
            b"AGENT" => b"agent",
            b"TOOL" => b"tool",
            b"CHAIN" => b"chain",
            b"RETRIEVER" => b"retriever",
            b"EVALUATOR" => b"evaluator",
            b"EMBEDDING" => b"embedding",
            b"GUARDRAIL" => b"guardrail",
            _ => b"",
        };
        let text = match lower {
            b"" => text,
            _ => Text::plain(lower),
        };
        if !text.is_empty() {
            into.push(attr("langfuse.observation.type", RawValue::Str(text)));
        }
        Ok(lower == b"event")
    }

    /// A text, or the JSON of anything else, under `name`; nothing when null or empty.
    pub(in crate::ingest::formats) fn as_it_stands(
        &mut self,
        name: &'static str,
        into: &mut Vec<RawAttr<'a>>,
    ) -> Step<()> {
        let text = match self.json.peek() {
            b'"' => self.json.string()?,
            _ => self.whole()?,
        };
        if !matches!(text.raw(), b"" | b"null" | b"{}" | b"[]") && self.out.wants(name.as_bytes()) {
            into.push(attr(name, RawValue::Str(text)));
        }
        Ok(())
    }

    /// Hands over `span` with what its metadata says, an object in one export and text in another.
    fn with_metadata(&mut self, span: RawSpan<'a>, place: Option<usize>, at: usize) -> Step<()> {
        let Some(place) = place else {
            return self.deliver(span, Origin::default(), at);
        };
        let packed = self.back(place, |r| match r.json.peek() {
            b'"' => r.json.string().map(Some),
            _ => Ok(None),
        })?;
        let Some(packed) = packed else {
            let origin = self.back(place, Self::langfuse_metadata)?;
            return self.deliver(span, origin, at);
        };
        let text = packed.get();
        let origin = match text.trim_start().starts_with('{') {
            true => self.packed(text.as_bytes(), |r| r.langfuse_metadata()),
            false => Some(Origin::default()),
        };
        if origin.is_none() {
            self.not_packed("metadata");
        }
        self.deliver(span, origin.unwrap_or_default(), at)
    }

    fn deliver<'t>(&mut self, mut span: RawSpan<'t>, origin: Origin<'t>, at: usize) -> Step<()> {
        span.attributes
            .extend(origin.attributes.into_iter().map(|mut attribute| {
                if let Some(value) = unwrapped(&attribute.value) {
                    attribute.value = value;
                }
                attribute
            }));
        let resource = self.out.resource(&origin.resource);
        let scope = self.out.scope(&origin.scope.0, &origin.scope.1);
        self.out.span(&span, resource, scope, at);
        Ok(())
    }

    fn langfuse_metadata(&mut self) -> Step<Origin<'a>> {
        let mut origin = Origin::default();
        let place = self.json.at();
        let mut of_otel = false;
        self.object("metadata", |r, key| {
            match (key, r.json.peek()) {
                (b"attributes", b'{') => {
                    of_otel = true;
                    r.attributes(&mut origin.attributes, "")?;
                }
                (b"resourceAttributes", b'{') => {
                    of_otel = true;
                    r.resource_attributes(&mut origin.resource)?;
                }
                (b"scope", b'{') => {
                    r.object("a scope", |r, key| {
                        match key {
                            b"name" => origin.scope.0 = r.name("a scope name")?,
                            b"version" => origin.scope.1 = r.name("a scope version")?,
                            _ => r.json.skip()?,
                        }
                        Ok(())
                    })?;
                }
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if !of_otel {
            self.back(place, |r| {
                r.as_it_stands("metadata", &mut origin.attributes)
            })?;
        }
        Ok(origin)
    }
}
