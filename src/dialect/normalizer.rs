//! Turns raw records into a dataset: one per worker thread.

use std::cell::RefCell;

use hashbrown::HashMap;

use super::calls::{self, Namer};
use super::fault::{self, Fault};
use super::keys::{KeyMemo, Meaning};
use super::origin::Origins;
use super::recent::Recent;
use super::role::{self, Setting};
use super::series::SeriesIndex;
use super::slots::Slots;
use super::vocabulary::Role;
use super::{DIALECTS, SERVING};
use crate::ingest::{RawAttr, RawClusterEvent, RawLog, RawMetric, RawSpan, RawValue, Sink};
use crate::model::{
    CallIx, ClusterEvent, Dataset, Issue, IssueKind, Ledger, Link, LogRecord, Op, Place, Span,
    SpanFlags, Status,
};
use crate::units::{Nanos, Sym};

/// Distinct strange keys kept; more than that is noise of its own.
const STRANGE_KEYS: usize = 200;

/// A dataset under construction, filled by readers.
#[derive(Debug, Default)]
pub struct Normalizer {
    data: Dataset,
    keys: RefCell<KeyMemo>,
    origins: Origins,
    recent: Recent,
    series: SeriesIndex,
    named: HashMap<(u32, Sym), Option<Role>>,
    spoken: [u64; DIALECTS.len()],
}

impl Normalizer {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was read.
    #[must_use]
    pub fn finish(mut self) -> Dataset {
        let general = DIALECTS.len() - 1;
        for (dialect, count) in DIALECTS.iter().zip(self.spoken).take(general) {
            if count > 0 {
                self.data.dialects.insert(dialect.name, count);
            }
        }
        self.data
    }

    /// What the span's name says, remembered per scope and name.
    fn named(&mut self, scope: u32, name: Sym) -> Option<Role> {
        let (data, origins) = (&self.data, &self.origins);
        *self
            .named
            .entry((scope, name))
            .or_insert_with(|| role_of_name(data.names.get(name), origins.speaker(scope).home))
    }

    /// The span's shell: identity, times, and what had to be mended. `None` when it cannot be
    /// placed at all.
    fn shell(&mut self, raw: &RawSpan<'_>, resource: u32, scope: u32) -> Option<Span> {
        let ledger = &mut self.data.ledger;
        if raw.trace.0 == 0 || raw.id.is_none() {
            let what = if raw.trace.0 == 0 {
                "trace id"
            } else {
                "span id"
            };
            ledger.count(IssueKind::BadId, raw.place, || format!("no {what}"));
            return None;
        }
        let mut flags = SpanFlags::default();
        if raw.flags & 0x200 != 0 {
            flags.set(SpanFlags::REMOTE_PARENT);
        }
        if raw.dropped > 0 {
            flags.set(SpanFlags::DROPPED);
            let detail = || format!("{} attributes, events or links dropped", raw.dropped);
            ledger.count(IssueKind::ExporterDropped, raw.place, detail);
        }
        let (start, end) = mend_times(raw, &mut flags, ledger)?;
        let weight = raw.attributes.len() + raw.events.len();
        Some(Span {
            trace: raw.trace,
            id: raw.id,
            parent: raw.parent,
            start,
            end,
            place: raw.place,
            name: self.data.names.intern(&raw.name),
            resource,
            scope,
            call: CallIx::NONE,
            op: Op::Other,
            kind: raw.kind,
            status: raw.status,
            flags,
            error: None,
            weight: u16::try_from(weight).unwrap_or(u16::MAX),
        })
    }

    /// Fills the arena that belongs to the span's operation.
    fn attach(&mut self, span: &mut Span, raw: &RawSpan<'_>, slots: &Slots<'_>, fault: Fault) {
        let scope = self.origins.speaker(span.scope).name;
        let data = &mut self.data;
        let mut namer = Namer {
            names: &mut data.names,
            recent: &mut self.recent,
        };
        let index = match span.op {
            op if op.is_model() => {
                let (call, refused) = calls::llm(&mut namer, raw, slots, span, scope, fault);
                note_call(
                    &mut data.ledger,
                    span.place,
                    call.cache_basis_assumed,
                    refused,
                );
                data.llm.push(call);
                data.llm.len()
            }
            op if op.is_tool() => {
                let silent = fault.silent && fault.kind.is_some();
                data.tools
                    .push(calls::tool(&mut namer, slots, span.op, &raw.name, silent));
                data.tools.len()
            }
            op if op.is_group() => {
                data.tasks.push(calls::task(&mut namer, slots, span.op));
                data.tasks.len()
            }
            Op::Http => {
                data.https.push(calls::http(&mut namer, slots));
                data.https.len()
            }
            _ => return,
        };
        span.call = CallIx(index as u32 - 1);
    }

    fn note(&mut self, slots: &Slots<'_>, place: Place) {
        let mut bits = slots.spoken();
        while bits != 0 {
            if let Some(count) = self.spoken.get_mut(bits.trailing_zeros() as usize) {
                *count += 1;
            }
            bits &= bits - 1;
        }
        for (count, kind, detail) in [
            (
                slots.bad_numbers,
                IssueKind::BadNumber,
                "a figure is not finite or negative",
            ),
            (
                slots.wrong_types,
                IssueKind::WrongType,
                "a value is not of its field's type",
            ),
            (
                slots.conflicts,
                IssueKind::ConflictingFigure,
                "two vocabularies count tokens differently",
            ),
        ] {
            for _ in 0..count {
                self.data.ledger.count(kind, place, || detail.to_owned());
            }
        }
    }
}

fn note_call(ledger: &mut Ledger, place: Place, assumed: bool, refused: u32) {
    if assumed {
        ledger.count(IssueKind::AssumedCacheBasis, place, || {
            "cached tokens without a word on whether input includes them".to_owned()
        });
    }
    for _ in 0..refused {
        ledger.count(IssueKind::BadNumber, place, || {
            "a time inside a call is longer than the call".to_owned()
        });
    }
}

/// Start and end, mended; `None` when there is neither.
fn mend_times(
    raw: &RawSpan<'_>,
    flags: &mut SpanFlags,
    ledger: &mut Ledger,
) -> Option<(Nanos, Nanos)> {
    let (start, end) = match (raw.start, raw.end) {
        (None, None) => {
            let detail = || "neither start nor end; the span was left out".to_owned();
            ledger.count(IssueKind::NoStart, raw.place, detail);
            return None;
        }
        (None, Some(end)) => {
            flags.set(SpanFlags::NO_START);
            let detail = || "no start; its end was taken".to_owned();
            ledger.count(IssueKind::NoStart, raw.place, detail);
            (end, end)
        }
        (Some(start), None) => {
            flags.set(SpanFlags::NO_END);
            (start, Nanos::ZERO)
        }
        (Some(start), Some(end)) => (start, end),
    };
    if !flags.has(SpanFlags::NO_END) && end < start {
        let detail = || "ends before it starts".to_owned();
        ledger.count(IssueKind::ReversedSpan, raw.place, detail);
        return Some((start, start));
    }
    Some((start, end))
}

fn role_of_name(name: &str, home: Option<u8>) -> Option<Role> {
    let own = home
        .and_then(|h| DIALECTS.get(h as usize))
        .map_or(&[][..], |d| d.own_names);
    let everywhere = DIALECTS.iter().flat_map(|d| d.names);
    own.iter()
        .chain(everywhere)
        .find(|(pattern, _)| pattern.fits(name))
        .map(|(_, role)| *role)
}

impl Sink for Normalizer {
    fn wants(&self, key: &[u8]) -> bool {
        !matches!(self.keys.borrow_mut().meaning(key), Meaning::Nothing)
    }

    fn resource(&mut self, attributes: &[RawAttr<'_>]) -> u32 {
        self.origins.resource(&mut self.data, attributes)
    }

    fn scope(&mut self, name: &str, version: &str) -> u32 {
        self.origins.scope(&mut self.data, name, version)
    }

    fn span(&mut self, raw: &RawSpan<'_>, resource: u32, scope: u32) {
        let Some(mut span) = self.shell(raw, resource, scope) else {
            return;
        };
        let mut slots = Slots::new(self.origins.speaker(scope).home);
        let data = &mut self.data;
        slots.gather(&raw.attributes, self.keys.get_mut(), |key| {
            if data.strange_keys.len() < STRANGE_KEYS || data.names.find(key).is_some() {
                *data.strange_keys.entry(data.names.intern(key)).or_default() += 1;
            }
        });
        let setting = Setting {
            named: self.named(scope, span.name),
            serving: self.origins.host(resource).serving,
            engine_keys: slots.has_keys_of(SERVING),
        };
        slots.take_named(setting.named);
        self.note(&slots, raw.place);
        match role::decide(raw, &slots, setting) {
            None => span.flags.set(SpanFlags::NOISE),
            Some(op) => {
                span.op = op;
                let fault = fault::find(raw, &slots, op);
                span.error = fault.kind;
                if fault.kind.is_some() && fault.silent && !op.is_tool() {
                    span.status = Status::Error;
                }
                self.attach(&mut span, raw, &slots, fault);
            }
        }
        let from = (raw.trace, raw.id);
        self.data.links.extend(raw.links.iter().map(|link| Link {
            from,
            to: (link.trace, link.span),
        }));
        self.data.spans.push(span);
    }

    fn metric(&mut self, metric: &RawMetric<'_>, resource: u32) {
        self.series.metric(&mut self.data, metric, resource);
    }

    fn log(&mut self, log: &RawLog<'_>, resource: u32) {
        let mut slots = Slots::new(None);
        slots.gather(&log.attributes, self.keys.get_mut(), |_| ());
        let Some(time) = log.time else {
            self.data
                .ledger
                .count(IssueKind::UnusedRecords, log.place, || {
                    "a log record without a time".to_owned()
                });
            return;
        };
        let status = slots.number(super::field::NumberField::HttpStatus);
        let record = LogRecord {
            time,
            trace: log.trace,
            span: log.span,
            severity: log.severity,
            http_status: status.and_then(fault::http_status),
            event: self.data.names.intern(&log.event),
            resource,
            body_bytes: u32::try_from(bytes_of(&log.body)).unwrap_or(u32::MAX),
        };
        self.data.logs.push(record);
    }

    fn cluster_event(&mut self, event: &RawClusterEvent<'_>) {
        let Some(time) = event.time else {
            self.data.ledger.add(Issue {
                kind: IssueKind::UnusedRecords,
                place: event.place,
                offset: None,
                detail: "a cluster event without a time".to_owned(),
            });
            return;
        };
        let names = &mut self.data.names;
        let record = ClusterEvent {
            time,
            reason: names.intern(&event.reason),
            object_kind: names.intern(&event.object_kind),
            object: names.intern(&event.object),
            count: event.count.max(1),
        };
        self.data.events.push(record);
    }

    fn ledger(&mut self) -> &mut Ledger {
        &mut self.data.ledger
    }
}

/// Bytes of a value, for its size only.
fn bytes_of(value: &RawValue<'_>) -> usize {
    match value {
        RawValue::Null => 0,
        RawValue::Str(text) => text.raw().len(),
        RawValue::Bytes(bytes) => bytes.len(),
        RawValue::Int(_) | RawValue::Double(_) | RawValue::Bool(_) => 8,
        RawValue::List(items) => items.iter().map(bytes_of).sum(),
        RawValue::Map(entries) => entries
            .iter()
            .map(|e| e.key.len() + bytes_of(&e.value))
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{RawEvent, Text};
    use crate::model::{ErrorKind, LlmCall, SpanId, SpanKind, TraceId, Via};

    fn text(key: &'static str, value: &'static str) -> RawAttr<'static> {
        RawAttr {
            key: key.into(),
            value: RawValue::Str(Text::plain(value.as_bytes())),
        }
    }

    fn int(key: &'static str, value: i64) -> RawAttr<'static> {
        RawAttr {
            key: key.into(),
            value: RawValue::Int(value),
        }
    }

    fn double(key: &'static str, value: f64) -> RawAttr<'static> {
        RawAttr {
            key: key.into(),
            value: RawValue::Double(value),
        }
    }

    fn span(name: &'static str, attributes: Vec<RawAttr<'static>>) -> RawSpan<'static> {
        RawSpan {
            trace: TraceId(7),
            id: SpanId(9),
            parent: SpanId(8),
            name: name.into(),
            kind: SpanKind::Internal,
            start: Some(Nanos(1_000_000_000)),
            end: Some(Nanos(3_000_000_000)),
            attributes,
            ..RawSpan::default()
        }
    }

    fn read(scope: &str, raw: &RawSpan<'_>) -> Dataset {
        let mut reader = Normalizer::new();
        let resource = reader.resource(&[text("service.name", "s")]);
        let scope = reader.scope(scope, "");
        reader.span(raw, resource, scope);
        reader.finish()
    }

    fn call(scope: &str, raw: &RawSpan<'_>) -> (Dataset, LlmCall) {
        let data = read(scope, raw);
        data.check_valid().unwrap();
        let call = *data.llm_of(&data.spans[0]).unwrap();
        (data, call)
    }

    #[test]
    fn a_genai_call_is_read_whole() {
        let raw = span(
            "chat m",
            vec![
                text("gen_ai.operation.name", "chat"),
                text("gen_ai.provider.name", "OpenAI"),
                text("gen_ai.request.model", "m"),
                text("gen_ai.response.model", "m-1"),
                int("gen_ai.usage.input_tokens", 100),
                int("gen_ai.usage.output_tokens", 20),
                int("gen_ai.usage.cache_read.input_tokens", 60),
                double("gen_ai.response.time_to_first_chunk", 0.5),
                text("gen_ai.openai.api_base", "https://u:p@llm.example:8/v1?k=1"),
                RawAttr {
                    key: "gen_ai.response.finish_reasons".into(),
                    value: RawValue::List(vec![RawValue::Str(Text::plain(b"tool_calls"))]),
                },
            ],
        );
        let (data, call) = call("opentelemetry.instrumentation.openai_v2", &raw);
        assert_eq!(data.spans[0].op, Op::Llm);
        assert_eq!(data.text(call.provider), "openai");
        assert_eq!(data.text(call.model()), "m-1");
        assert_eq!(data.text(call.endpoint), "llm.example");
        assert_eq!(data.text(call.finish), "tool_call");
        assert_eq!(call.input, Some(crate::model::Known::attribute(100)));
        assert_eq!(call.uncached(), Some(40));
        assert_eq!(call.first_token.unwrap().value, Nanos(500_000_000));
        assert!(!call.cache_basis_assumed);
        assert_eq!(data.dialects["otel-genai"], 1);
    }

    #[test]
    fn first_token_events_are_taken_from_the_start_of_the_span() {
        let mut raw = span(
            "ChatCompletion",
            vec![text("openinference.span.kind", "LLM")],
        );
        raw.events = [2_500_000_000, 1_250_000_000]
            .map(|time| RawEvent {
                name: "First Token Stream Event".into(),
                time: Some(Nanos(time)),
                attributes: vec![],
            })
            .into();
        let (_, call) = call("openinference.instrumentation.openai", &raw);
        let first = call.first_token.unwrap();
        assert_eq!((first.value, first.via), (Nanos(250_000_000), Via::Event));
    }

    #[test]
    fn a_first_token_after_the_end_is_refused() {
        let kind = text("gen_ai.operation.name", "chat");
        let raw = span(
            "chat",
            vec![kind, double("gen_ai.server.time_to_first_token", 250.0)],
        );
        let (data, call) = call("openlit.x", &raw);
        assert_eq!(call.first_token, None);
        assert_eq!(data.ledger.total(IssueKind::BadNumber), 1);
    }

    #[test]
    fn the_serving_side_is_told_by_its_keys() {
        let raw = span(
            "llm_request",
            vec![
                text("gen_ai.request.id", "chatcmpl-1"),
                int("gen_ai.usage.prompt_tokens", 5),
                double("gen_ai.latency.time_in_queue", 0.25),
                double("gen_ai.latency.time_in_model_prefill", 0.5),
            ],
        );
        let (data, call) = call("any", &raw);
        assert_eq!(data.spans[0].op, Op::Engine);
        assert_eq!(call.queue.unwrap().value, Nanos(250_000_000));
        assert_eq!(
            call.response_id,
            Some(crate::model::Digest::of(b"chatcmpl-1"))
        );
    }

    #[test]
    fn names_decide_where_no_role_key_does() {
        let op = |name, attributes| read("x", &span(name, attributes)).spans[0].op;
        assert_eq!(op("agent.request", vec![]), Op::Task);
        assert_eq!(op("agent.tool.execute", vec![]), Op::Tool);
        assert_eq!(
            op("GET", vec![text("http.request.method", "GET")]),
            Op::Http
        );
        assert_eq!(op("f", vec![text("my.app.task_type", "x")]), Op::Agent);
        assert_eq!(op("f", vec![]), Op::Other);
    }

    #[test]
    fn a_serving_root_with_a_tenant_is_a_request() {
        let mut raw = span(
            "POST /runs",
            vec![text("http.request.method", "POST"), text("tenant.id", "t")],
        );
        (raw.kind, raw.parent) = (SpanKind::Server, SpanId::NONE);
        let data = read("fastapi", &raw);
        assert_eq!(data.spans[0].op, Op::Task);
        assert_eq!(data.text(data.tasks[0].tenant), "t");
        raw.parent = SpanId(3);
        assert_eq!(read("fastapi", &raw).spans[0].op, Op::Http);
    }

    #[test]
    fn failures_are_classified_and_marked() {
        let mut raw = span(
            "chat",
            vec![
                text("gen_ai.operation.name", "chat"),
                text("error.type", "429"),
            ],
        );
        let (data, call) = call("x", &raw);
        assert_eq!(data.spans[0].error, Some(ErrorKind::RateLimit));
        assert_eq!(
            (data.spans[0].status, call.http_status),
            (Status::Error, Some(429))
        );
        raw.attributes = vec![
            text("traceloop.span.kind", "tool"),
            text("error.type", "Boom"),
        ];
        let data = read("x", &raw);
        assert_eq!(data.spans[0].error, Some(ErrorKind::Tool));
        assert!(data.tools[0].said_failed);
    }

    #[test]
    fn broken_shells_are_mended_or_counted() {
        let mut raw = span("x", vec![]);
        raw.end = Some(Nanos(5));
        let data = read("x", &raw);
        assert_eq!(data.spans[0].end, data.spans[0].start);
        assert_eq!(data.ledger.total(IssueKind::ReversedSpan), 1);
        raw.end = None;
        assert!(read("x", &raw).spans[0].is_open());
        raw.start = None;
        assert!(read("x", &raw).spans.is_empty());
        raw = span("x", vec![]);
        raw.id = SpanId::NONE;
        let data = read("x", &raw);
        assert_eq!(
            (data.spans.len(), data.ledger.total(IssueKind::BadId)),
            (0, 1)
        );
    }

    #[test]
    fn metadata_and_strange_keys() {
        let raw = span(
            "agent",
            vec![
                text("openinference.span.kind", "AGENT"),
                text("metadata", r#"{"task_type": "clause", "tenant": "t"}"#),
                int("acme.prompt_token_count", 4),
            ],
        );
        let data = read("x", &raw);
        let facts = data.task_of(&data.spans[0]).unwrap();
        assert_eq!(data.text(facts.task_type), "clause");
        assert_eq!(data.text(facts.tenant), "t");
        assert_eq!(data.strange_keys.len(), 1);
    }

    #[test]
    fn content_is_not_wanted() {
        let reader = Normalizer::new();
        for key in [
            "gen_ai.input.messages",
            "llm.input_messages.0.message.content",
            "output.value",
            "foo",
        ] {
            assert!(!reader.wants(key.as_bytes()), "{key}");
        }
        for key in [
            "input.value",
            "gen_ai.usage.input_tokens",
            "acme.token_count",
            "service.name",
        ] {
            assert!(reader.wants(key.as_bytes()), "{key}");
        }
    }
}
