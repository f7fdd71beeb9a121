//! One row per model or tool call, counted once however many spans recorded it.

use super::{Cell, Column, Kind, column, count, counted, instant, millis, text, timed};
use crate::model::{ErrorKind, LlmCall, Span, SpanId, ToolCall};
use crate::report::{Report, Row};
use crate::trace::{StepKind, StepOp};
use crate::units::Sym;

/// One call of a request.
pub(super) struct Call<'a> {
    row: Row<'a>,
    op: &'a StepOp,
    span: &'a Span,
    llm: Option<LlmCall>,
    tool: Option<ToolCall>,
}

impl<'a> Call<'a> {
    fn of(row: Row<'a>, op: &'a StepOp) -> Option<Self> {
        let (dataset, span) = (row.report.dataset(), row.report.span(op.span)?);
        let is_call = matches!(op.kind, StepKind::Model | StepKind::Failed | StepKind::Tool);
        is_call.then(|| Self {
            llm: dataset.llm_of(span),
            tool: dataset.tool_of(span),
            row,
            op,
            span,
        })
    }

    fn named(&self, sym: Option<Sym>) -> Cell {
        let dataset = self.row.report.dataset();
        sym.map_or(Cell::Null, |sym| text(dataset.text(sym)))
    }
}

pub(super) fn rows<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Call<'a>> {
    report.rows().flat_map(move |row| {
        let range = row.request.ops.start as usize..row.request.ops.end as usize;
        let ops = report.forest().ops.get(range).unwrap_or_default();
        ops.iter().filter_map(move |op| Call::of(row, op))
    })
}

pub(super) fn columns<'a>() -> Vec<Column<Call<'a>>> {
    vec![
        column("trace_id", Kind::Text, "the request, as in requests", |c| {
            text(c.row.request.trace.to_string())
        }),
        column(
            "root_span_id",
            Kind::Text,
            "the request, as in requests",
            |c| text(c.row.root_span().to_string()),
        ),
        column(
            "span_id",
            Kind::Text,
            "the span that stands for the call",
            |c| text(c.row.report.dataset().id_of(c.op.span).to_string()),
        ),
        column(
            "kind",
            Kind::Text,
            "model, failed (an attempt) or tool",
            |c| {
                text(match c.op.kind {
                    StepKind::Model => "model",
                    StepKind::Failed => "failed",
                    _ => "tool",
                })
            },
        ),
        column("name", Kind::Text, "name of the span", |c| {
            c.named(Some(c.span.name))
        }),
        column("start", Kind::Text, "start, RFC 3339 in UTC", |c| {
            instant(c.op.window.start)
        }),
        column(
            "start_unix_nanos",
            Kind::Integer,
            "start, nanoseconds since 1970",
            |c| count(c.op.window.start.0),
        ),
        column(
            "duration_ms",
            Kind::Number,
            "how long the model or tool worked",
            |c| millis(c.op.window.len()),
        ),
        column("tool", Kind::Text, "tool", |c| {
            c.named(c.tool.map(|t| t.tool))
        }),
        column("provider", Kind::Text, "vendor of the model", |c| {
            c.named(c.llm.map(|l| l.provider))
        }),
        column("requested_model", Kind::Text, "model asked for", |c| {
            c.named(c.llm.map(|l| l.requested))
        }),
        column(
            "model",
            Kind::Text,
            "model that answered, else the one asked for",
            |c| c.named(c.llm.map(|l| l.model())),
        ),
        column("endpoint", Kind::Text, "host the call went to", |c| {
            c.named(c.llm.map(|l| l.endpoint))
        }),
        column(
            "input_tokens",
            Kind::Integer,
            "prompt tokens, cached ones included",
            |c| counted(c.llm.and_then(|l| l.input).map(|k| k.value)),
        ),
        column(
            "cached_tokens",
            Kind::Integer,
            "prompt tokens from a cache",
            |c| counted(c.llm.and_then(|l| l.cached).map(|k| k.value)),
        ),
        column(
            "output_tokens",
            Kind::Integer,
            "generated tokens, reasoning included",
            |c| counted(c.llm.and_then(|l| l.output).map(|k| k.value)),
        ),
        column("first_token_ms", Kind::Number, "time to first token", |c| {
            timed(c.llm.and_then(|l| l.first_token).map(|k| k.value))
        }),
        column(
            "queue_ms",
            Kind::Number,
            "wait for a slot on the server",
            |c| timed(c.llm.and_then(|l| l.queue).map(|k| k.value)),
        ),
        column(
            "prefill_ms",
            Kind::Number,
            "prompt processing on the server",
            |c| timed(c.llm.and_then(|l| l.prefill).map(|k| k.value)),
        ),
        column("decode_ms", Kind::Number, "generation on the server", |c| {
            timed(c.llm.and_then(|l| l.decode).map(|k| k.value))
        }),
        column("finish_reason", Kind::Text, "why generation ended", |c| {
            c.named(c.llm.map(|l| l.finish))
        }),
        column("http_status", Kind::Integer, "status of the answer", |c| {
            counted(c.llm.and_then(|l| l.http_status))
        }),
        column("resends", Kind::Integer, "resends inside the span", |c| {
            counted(c.llm.and_then(|l| l.resends))
        }),
        column("error", Kind::Text, "class of the error", |c| {
            text(c.span.error.map_or("", ErrorKind::as_str))
        }),
        column(
            "serving_span_id",
            Kind::Text,
            "span of the serving side",
            |c| {
                let dataset = c.row.report.dataset();
                let id = c.llm.map_or(SpanId::NONE, |l| dataset.id_of(l.engine));
                text(if id.is_none() {
                    String::new()
                } else {
                    id.to_string()
                })
            },
        ),
    ]
}
