//! The JSON shape `agentdiag.trace.v1`: one request with its spans, its critical path, and what was
//! recorded beside it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Request;
use crate::report::waterfall::CallFigures;
use crate::report::{
    Around, EventLine, ExemplarLine, Line, LogLine, MetricLine, Piece, Report, Row, SpanLine,
    Waterfall, What,
};
use crate::units::Nanos;
use crate::units::human::rfc3339;

/// Name and version of the shape.
pub const TRACE_SCHEMA: &str = "agentdiag.trace.v1";

/// The whole object. Times in `spans` and `critical_path` count from `request.start`.
#[derive(Serialize)]
pub struct TraceDocument<'a> {
    schema: &'static str,
    tool_version: &'static str,
    request: Request<'a>,
    not_judged: Option<&'static str>,
    critical_path: Vec<Stretch>,
    spans: Vec<Span<'a>>,
    logs: Vec<Log<'a>>,
    metrics: Vec<Metric<'a>>,
    exemplars: Vec<Exemplar<'a>>,
    cluster_events: Vec<Event<'a>>,
}

#[derive(Serialize)]
struct Stretch {
    part: Option<&'static str>,
    start_ms: f64,
    duration_ms: f64,
    on_critical_path: bool,
}

#[derive(Serialize)]
struct Span<'a> {
    span_id: String,
    parent_span_id: Option<String>,
    depth: usize,
    name: &'a str,
    kind: &'static str,
    service: Option<&'a str>,
    start_ms: f64,
    duration_ms: f64,
    critical_ms: f64,
    failed: bool,
    unfinished: bool,
    error: Option<&'static str>,
    cited: bool,
    #[serde(flatten)]
    call: Option<Call<'a>>,
    phases: Vec<Stretch>,
}

#[derive(Serialize)]
struct Call<'a> {
    model: Option<&'a str>,
    input_tokens: Option<u32>,
    cached_tokens: Option<u32>,
    output_tokens: Option<u32>,
    first_token_ms: Option<f64>,
    http_status: Option<u16>,
    finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Log<'a> {
    time: String,
    severity: Option<&'static str>,
    service: Option<&'a str>,
    event: Option<&'a str>,
    http_status: Option<u16>,
    body_bytes: u32,
    span_id: Option<String>,
    of_trace: bool,
}

#[derive(Serialize)]
struct Metric<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
    per_second: bool,
    during: f64,
    usual: f64,
    spreads_off: f64,
}

#[derive(Serialize)]
struct Exemplar<'a> {
    time: Option<String>,
    metric: &'a str,
    value: f64,
    span_id: Option<String>,
}

#[derive(Serialize)]
struct Event<'a> {
    time: String,
    reason: &'a str,
    object_kind: &'a str,
    object: &'a str,
    count: u32,
}

impl<'a> TraceDocument<'a> {
    /// The object of one request.
    #[must_use]
    pub fn of(
        report: &'a Report<'a>,
        row: &Row<'a>,
        waterfall: &Waterfall<'a>,
        around: &Around<'a>,
    ) -> Self {
        let zero = row.request.wall.start;
        let spans = waterfall.lines.iter();
        Self {
            schema: TRACE_SCHEMA,
            tool_version: report.tool_version(),
            request: row.into(),
            not_judged: row.not_judged(),
            critical_path: stretches(&waterfall.path, zero),
            spans: spans.filter_map(|line| span(line, zero)).collect(),
            logs: around.logs.iter().map(log).collect(),
            metrics: around.metrics.iter().map(metric).collect(),
            exemplars: around.exemplars.iter().map(exemplar).collect(),
            cluster_events: around.events.iter().map(event).collect(),
        }
    }
}

/// Milliseconds from `zero`; negative where a clock was off.
fn offset(time: Nanos, zero: Nanos) -> f64 {
    time.since(zero).as_millis() - zero.since(time).as_millis()
}

fn stretches(pieces: &[Piece], zero: Nanos) -> Vec<Stretch> {
    let drawn = pieces.iter().map(|piece| Stretch {
        part: piece.part.map(|part| part.name()),
        start_ms: offset(piece.window.start, zero),
        duration_ms: piece.window.len().as_millis(),
        on_critical_path: piece.critical,
    });
    drawn.collect()
}

fn span<'a>(line: &Line<'a>, zero: Nanos) -> Option<Span<'a>> {
    let What::Span(SpanLine {
        id,
        parent,
        name,
        kind,
        service,
        failed,
        open,
        error,
        cited,
        call,
    }) = line.what
    else {
        return None;
    };
    let phases: Vec<Piece> = line
        .pieces
        .iter()
        .copied()
        .filter(|p| p.part.is_some())
        .collect();
    Some(Span {
        span_id: id.to_string(),
        parent_span_id: (!parent.is_none()).then(|| parent.to_string()),
        depth: line.depth,
        name,
        kind,
        service: known(service),
        start_ms: offset(line.window.start, zero),
        duration_ms: line.window.len().as_millis(),
        critical_ms: line.on_path.as_millis(),
        failed,
        unfinished: open,
        error,
        cited,
        call: call.map(figures),
        phases: stretches(&phases, zero),
    })
}

fn figures(call: CallFigures<'_>) -> Call<'_> {
    Call {
        model: known(call.model),
        input_tokens: call.input,
        cached_tokens: call.cached,
        output_tokens: call.output,
        first_token_ms: call.first_token.map(Nanos::as_millis),
        http_status: call.http_status,
        finish_reason: known(call.finish),
    }
}

fn log<'a>(log: &LogLine<'a>) -> Log<'a> {
    Log {
        time: rfc3339(log.time),
        severity: (!log.severity.is_empty()).then_some(log.severity),
        service: known(log.service),
        event: known(log.event),
        http_status: log.http_status,
        body_bytes: log.body_bytes,
        span_id: (!log.span.is_none()).then(|| log.span.to_string()),
        of_trace: log.of_trace,
    }
}

fn metric<'a>(metric: &MetricLine<'a>) -> Metric<'a> {
    Metric {
        name: metric.name,
        labels: metric.labels.iter().copied().collect(),
        per_second: metric.per_second,
        during: metric.during,
        usual: metric.usual,
        spreads_off: metric.off,
    }
}

fn exemplar<'a>(exemplar: &ExemplarLine<'a>) -> Exemplar<'a> {
    Exemplar {
        time: exemplar.time.map(rfc3339),
        metric: exemplar.metric,
        value: exemplar.value,
        span_id: (!exemplar.span.is_none()).then(|| exemplar.span.to_string()),
    }
}

fn event<'a>(event: &EventLine<'a>) -> Event<'a> {
    Event {
        time: rfc3339(event.time),
        reason: event.reason,
        object_kind: event.kind,
        object: event.object,
        count: event.count,
    }
}

fn known(name: &str) -> Option<&str> {
    (!name.is_empty()).then_some(name)
}
