//! Spans, their references and logs.

use std::borrow::Cow;

use super::tag::{Special, Tags};
use crate::ingest::fields::Fields;
use crate::ingest::formats::record::Reader;
use crate::ingest::json::Step;
use crate::ingest::raw::{RawEvent, RawLink, RawSpan, RawValue};
use crate::model::{SpanId, Status, TraceId};
use crate::units::Nanos;

/// A process of a trace.
pub(super) struct Process<'a> {
    /// The name its spans call it by.
    pub(super) key: &'a [u8],
    /// The resource it was introduced as.
    pub(super) resource: u32,
}

/// What a trace says about its spans.
#[derive(Default)]
pub(super) struct Processes<'a> {
    /// The trace's id, for spans that do not repeat it.
    pub(super) trace: TraceId,
    /// Its processes.
    pub(super) known: Vec<Process<'a>>,
}

impl Processes<'_> {
    fn find(&self, key: &[u8]) -> Option<u32> {
        let found = self.known.iter().find(|process| process.key == key);
        found.map(|process| process.resource)
    }
}

/// A pointer to another span.
#[derive(Clone, Copy)]
struct Reference {
    child: bool,
    trace: TraceId,
    span: SpanId,
}

/// What a span says beside what goes into [`RawSpan`] as it stands.
#[derive(Default)]
struct Aside {
    references: Vec<Reference>,
    old_parent: SpanId,
    duration: Option<Nanos>,
    named: Option<u32>,
    inline: Option<usize>,
}

impl<'a> Reader<'a, '_, '_> {
    /// One span.
    pub(super) fn jaeger_span(&mut self, processes: &Processes<'_>) -> Step<()> {
        let at = self.here();
        let (mut span, mut aside) = (RawSpan::default(), Aside::default());
        let mut tags = Tags::default();
        let found = self.object("a span", |r, key| {
            match key {
                b"traceID" => span.trace = r.either_trace_id()?,
                b"spanID" => span.id = r.span_id()?,
                b"parentSpanID" => aside.old_parent = r.span_id()?,
                b"operationName" => span.name = r.name("an operation name")?,
                b"startTime" => span.start = r.scaled("a start time", 3)?,
                b"duration" => aside.duration = r.scaled("a duration", 3)?,
                b"references" => r.references(&mut aside.references)?,
                b"tags" => r.jaeger_tags(&mut tags)?,
                b"tag" => r.jaeger_tag_fields(&mut tags)?,
                b"logs" => r.jaeger_logs(&mut span.events)?,
                b"processID" => {
                    let name = r.text("a process name")?.unwrap_or_default();
                    aside.named = processes.find(name.raw());
                }
                b"process" => aside.inline = Some(r.later()?),
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if !found {
            return Ok(());
        }
        let resource = match (aside.named, aside.inline) {
            (Some(resource), _) => resource,
            (None, Some(place)) => self.back(place, Self::jaeger_process)?,
            (None, None) => self.out.resource(&[]),
        };
        if span.trace.0 == 0 {
            span.trace = processes.trace;
        }
        span.end = match (span.start, aside.duration) {
            (Some(start), Some(length)) => start.0.checked_add(length.0).map(Nanos),
            _ => None,
        };
        place_in_trace(&mut span, &aside);
        let special = std::mem::take(&mut tags.special);
        span.attributes = tags.attributes;
        apply(&mut span, &special);
        let scope = self.out.scope(&special.scope, &special.version);
        span.place = self.out.place(at);
        self.out.span(&span, resource, scope, at);
        Ok(())
    }

    /// A process, as a resource.
    pub(super) fn jaeger_process(&mut self) -> Step<u32> {
        let mut tags = Tags::all();
        let mut name = None;
        self.object("a process", |r, key| {
            match key {
                b"serviceName" => name = r.text("a service name")?,
                b"tags" => r.jaeger_tags(&mut tags)?,
                b"tag" => r.jaeger_tag_fields(&mut tags)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if let Some(name) = name {
            let service = crate::ingest::formats::plain::attr("service.name", RawValue::Str(name));
            tags.attributes.insert(0, service);
        }
        Ok(self.out.resource(&tags.attributes))
    }

    /// References name spans by id; a copy of the span inside is never looked into.
    fn references(&mut self, into: &mut Vec<Reference>) -> Step<()> {
        self.list("a list of references", |r| {
            let mut child = true;
            let mut ids = (TraceId::default(), SpanId::NONE);
            r.object("a reference", |r, key| {
                match key {
                    b"refType" => child = r.name("a reference type")? != "FOLLOWS_FROM",
                    b"traceID" => ids.0 = r.either_trace_id()?,
                    b"spanID" => ids.1 = r.span_id()?,
                    _ => r.json.skip()?,
                }
                Ok(())
            })?;
            if !ids.1.is_none() {
                into.push(Reference {
                    child,
                    trace: ids.0,
                    span: ids.1,
                });
            }
            Ok(())
        })
    }

    /// Logs are events; the name is a field.
    fn jaeger_logs(&mut self, into: &mut Vec<RawEvent<'a>>) -> Step<()> {
        self.list("a list of logs", |r| {
            let mut time = None;
            let mut tags = Tags::all();
            let found = r.object("a log", |r, key| {
                match key {
                    b"timestamp" => time = r.scaled("a log time", 3)?,
                    b"fields" => r.jaeger_tags(&mut tags)?,
                    _ => r.json.skip()?,
                }
                Ok(())
            })?;
            if found {
                into.push(event(time, tags));
            }
            Ok(())
        })
    }
}

fn event<'a>(time: Option<Nanos>, mut tags: Tags<'a>) -> RawEvent<'a> {
    let mut name = Cow::Borrowed("");
    tags.attributes.retain(|tag| match &tag.value {
        RawValue::Str(text) if tag.key == "event" => {
            name = text.get();
            false
        }
        _ => true,
    });
    let mut event = RawEvent {
        name,
        time,
        attributes: tags.attributes,
    };
    event.restore_name();
    event
}

/// The first CHILD_OF of the same trace is the parent; the other references are links.
fn place_in_trace(span: &mut RawSpan<'_>, aside: &Aside) {
    let own = |r: &Reference| r.child && (r.trace == span.trace || r.trace.0 == 0);
    let parent = aside.references.iter().position(own);
    span.parent = match parent.and_then(|index| aside.references.get(index)) {
        Some(reference) => reference.span,
        None => aside.old_parent,
    };
    let others = aside.references.iter().enumerate();
    span.links = others
        .filter(|&(index, r)| Some(index) != parent && r.trace.0 != 0)
        .map(|(_, r)| RawLink {
            trace: r.trace,
            span: r.span,
        })
        .collect();
}

fn apply<'a>(span: &mut RawSpan<'a>, special: &Special<'a>) {
    span.kind = special.kind;
    span.status = match special.status {
        Status::Unset if special.error => Status::Error,
        said => said,
    };
    span.status_message = special.message;
}
