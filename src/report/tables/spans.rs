//! One row per span.

use super::{Cell, Column, Kind, column, count, instant, millis, text};
use crate::model::{ErrorKind, Origin, Resource, Span, SpanFlags, SpanId, SpanIx, Status};
use crate::report::Report;
use crate::report::taken::role;
use crate::units::Sym;

/// One span of the dump.
pub(super) struct Row<'a> {
    report: &'a Report<'a>,
    index: SpanIx,
    span: &'a Span,
    origin: &'a Origin,
    resource: Resource,
}

impl Row<'_> {
    fn named(&self, sym: Sym) -> Cell {
        text(self.report.dataset().text(sym))
    }
}

pub(super) fn rows<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Row<'a>> {
    let dataset = report.dataset();
    let spans = dataset.spans.iter().zip(&dataset.origins).zip(0..);
    spans.map(move |((span, origin), index)| Row {
        report,
        index,
        span,
        origin,
        resource: report.dataset().resource_of(span),
    })
}

fn id(id: SpanId) -> Cell {
    text(if id.is_none() {
        String::new()
    } else {
        id.to_string()
    })
}

pub(super) fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        column("trace_id", Kind::Text, "32 hex digits", |r| {
            text(r.report.dataset().trace_of(r.span).to_string())
        }),
        column("span_id", Kind::Text, "16 hex digits", |r| id(r.origin.id)),
        column(
            "parent_span_id",
            Kind::Text,
            "as recorded; null for a root",
            |r| id(r.origin.parent),
        ),
        column(
            "effective_parent_span_id",
            Kind::Text,
            "after repairs",
            |r| {
                let parent = r.report.forest().tree.parent_of(r.index);
                id(parent.map_or(SpanId::NONE, |up| r.report.dataset().id_of(up)))
            },
        ),
        column("name", Kind::Text, "its name", |r| r.named(r.span.name)),
        column(
            "role",
            Kind::Text,
            "task, agent, step, llm, engine (serving side), tool, mcp, retrieval, embedding, guardrail, http, human_wait or other",
            |r| text(role(r.span.op)),
        ),
        column("service", Kind::Text, "service that sent it", |r| {
            r.named(r.resource.service)
        }),
        column("instance", Kind::Text, "its instance", |r| {
            r.named(r.resource.instance)
        }),
        column("pod", Kind::Text, "its pod", |r| r.named(r.resource.pod)),
        column("region", Kind::Text, "its region", |r| {
            r.named(r.resource.region)
        }),
        column("start", Kind::Text, "start, RFC 3339 in UTC", |r| {
            instant(r.span.start)
        }),
        column(
            "start_unix_nanos",
            Kind::Integer,
            "start, nanoseconds since 1970",
            |r| count(r.span.start.0),
        ),
        column("duration_ms", Kind::Number, "its duration", |r| {
            millis(r.span.duration())
        }),
        column("failed", Kind::Truth, "ended in error", |r| {
            Cell::Truth(r.span.status == Status::Error)
        }),
        column("error", Kind::Text, "class of the error", |r| {
            text(r.span.error.map_or("", ErrorKind::as_str))
        }),
        column("unfinished", Kind::Truth, "no end was recorded", |r| {
            Cell::Truth(r.span.flags.has(SpanFlags::NO_END))
        }),
    ]
}
