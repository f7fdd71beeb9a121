//! One row per request.

use super::{
    Cell, Column, Kind, Value, column, count, counted, instant, millis, named, text, timed,
};
use crate::diagnose::Cause;
use crate::report::Row;
use crate::trace::Part;
use crate::units::Usd;

pub(super) fn columns<'a>() -> Vec<Column<Row<'a>>> {
    verdict().into_iter().chain(parts()).chain(work()).collect()
}

fn verdict<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        column("trace_id", Kind::Text, "32 hex digits", |r| {
            text(r.request.trace.to_string())
        }),
        column(
            "root_span_id",
            Kind::Text,
            "root span, or the first span without a root",
            |r| text(r.root_span().to_string()),
        ),
        column("name", Kind::Text, "name of the root span", |r| {
            text(r.name())
        }),
        column(
            "task",
            Kind::Text,
            "kind of task: task type, else agent, else the root's name",
            |r| text(r.kind()),
        ),
        column("agent", Kind::Text, "agent at the root", |r| {
            named(r, r.request.agent)
        }),
        column("tenant", Kind::Text, "tenant", |r| {
            named(r, r.request.tenant)
        }),
        column("service", Kind::Text, "service of the root", |r| {
            named(r, r.request.service)
        }),
        column("conversation", Kind::Text, "conversation", |r| {
            named(r, r.request.conversation)
        }),
        column("root", Kind::Text, "complete, unfinished or missing", |r| {
            text(r.root_state())
        }),
        column("start", Kind::Text, "start, RFC 3339 in UTC", |r| {
            instant(r.request.wall.start)
        }),
        column(
            "start_unix_nanos",
            Kind::Integer,
            "start, nanoseconds since 1970",
            |r| count(r.request.wall.start.0),
        ),
        column("duration_ms", Kind::Number, "wall time", |r| {
            millis(r.request.duration())
        }),
        column(
            "expected_ms",
            Kind::Number,
            "what it should have taken; null when not judged",
            |r| timed(r.expected()),
        ),
        column(
            "excess_ms",
            Kind::Number,
            "duration less expectation, never negative",
            |r| timed(r.expected().map(|_| r.excess())),
        ),
        column("slow", Kind::Truth, "slow by the rule in force", |r| {
            Cell::Truth(r.slow())
        }),
        column(
            "cause",
            Kind::Text,
            "the verdict; null when not slow",
            |r| text(r.cause().map_or("", Cause::label)),
        ),
        column(
            "confidence",
            Kind::Number,
            "how sure the verdict is, 0 to 1",
            |r| match r.slow() {
                true => Cell::Number(r.confidence()),
                false => Cell::Null,
            },
        ),
    ]
}

/// Each part of the time along the critical path.
fn parts<'a>() -> impl Iterator<Item = Column<Row<'a>>> {
    let of = |part: Part| Column {
        name: format!("{}_ms", part.name()).into(),
        kind: Kind::Number,
        about: part.about(),
        value: Value::OfPart(|r: &Row<'_>, part| millis(r.request.parts.of(part)), part),
    };
    Part::ALL.into_iter().map(of)
}

fn work<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        column(
            "cost_usd",
            Kind::Number,
            "cost of the calls that have a price",
            |r| {
                r.cost
                    .cost
                    .map_or(Cell::Null, |usd: Usd| Cell::Number(usd.as_dollars()))
            },
        ),
        column(
            "cost_priced_share",
            Kind::Number,
            "share of tokens that have a price",
            |r| r.cost.priced.share().map_or(Cell::Null, Cell::Number),
        ),
        column(
            "input_tokens",
            Kind::Integer,
            "prompt tokens, cached ones included",
            |r| counted(r.request.input_tokens),
        ),
        column(
            "cached_tokens",
            Kind::Integer,
            "prompt tokens from a cache",
            |r| counted(r.request.cached_tokens),
        ),
        column(
            "output_tokens",
            Kind::Integer,
            "generated tokens, reasoning included",
            |r| counted(r.request.output_tokens),
        ),
        column(
            "llm_calls",
            Kind::Integer,
            "model calls, failed attempts included",
            |r| count(r.model_calls()),
        ),
        column("llm_calls_failed", Kind::Integer, "failed attempts", |r| {
            count(r.failed_calls())
        }),
        column("tool_calls", Kind::Integer, "tool calls", |r| {
            count(r.request.tool_calls)
        }),
        column(
            "retries",
            Kind::Integer,
            "failed attempts, resends, repeated identical tool calls",
            |r| count(r.request.retries),
        ),
        column(
            "spans",
            Kind::Integer,
            "spans, duplicates not counted",
            |r| count(r.request.spans),
        ),
        column("errors", Kind::Integer, "spans that ended in error", |r| {
            count(r.request.errors)
        }),
        column(
            "repairs",
            Kind::Text,
            "what had to be mended, separated by spaces",
            |r| text(r.request.repairs.names().collect::<Vec<_>>().join(" ")),
        ),
        column(
            "missing_signals",
            Kind::Text,
            "what would have told more, separated by spaces",
            |r| text(r.missing().join(" ")),
        ),
    ]
}
