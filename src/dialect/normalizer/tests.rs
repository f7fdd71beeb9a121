//! Spans built by hand, and what is read from them.

use super::*;
use crate::dialect::tests::{double, int, span, text};
use crate::ingest::{RawEvent, RawValue, Text};
use crate::model::{ErrorKind, LlmCall, SpanId, SpanKind, Via};
use crate::units::Nanos;

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
    let call = data.llm_of(&data.records[0]).unwrap();
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
    assert_eq!(data.records[0].op, Op::Llm);
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
    assert_eq!(data.records[0].op, Op::Engine);
    assert_eq!(call.queue.unwrap().value, Nanos(250_000_000));
    assert_eq!(
        call.response_id,
        Some(crate::model::Digest::of(b"chatcmpl-1"))
    );
}

#[test]
fn names_decide_where_no_role_key_does() {
    let op = |name, attributes| read("x", &span(name, attributes)).records[0].op;
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
    assert_eq!(data.records[0].op, Op::Task);
    assert_eq!(data.text(data.tasks[0].tenant), "t");
    raw.parent = SpanId(3);
    assert_eq!(read("fastapi", &raw).records[0].op, Op::Http);
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
    assert_eq!(data.records[0].error, Some(ErrorKind::RateLimit));
    assert_eq!(
        (data.records[0].status, call.http_status),
        (Status::Error, Some(429))
    );
    raw.attributes = vec![
        text("traceloop.span.kind", "tool"),
        text("error.type", "Boom"),
    ];
    let data = read("x", &raw);
    assert_eq!(data.records[0].error, Some(ErrorKind::Tool));
    assert!(data.tools.get(0).unwrap().said_failed);
}

#[test]
fn broken_shells_are_mended_or_counted() {
    let mut raw = span("x", vec![]);
    raw.end = Some(Nanos(5));
    let data = read("x", &raw);
    assert_eq!(data.records[0].end, data.records[0].start);
    assert_eq!(data.ledger.total(IssueKind::ReversedSpan), 1);
    raw.end = None;
    assert!(read("x", &raw).records[0].is_open());
    raw.start = None;
    assert!(read("x", &raw).records.is_empty());
    raw = span("x", vec![]);
    raw.id = SpanId::NONE;
    let data = read("x", &raw);
    assert_eq!(
        (data.records.len(), data.ledger.total(IssueKind::BadId)),
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
    let facts = data.task_of(&data.records[0]).unwrap();
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

#[test]
fn details_packed_in_a_string_are_taken_apart() {
    let raw = span(
        "ChatAnthropic",
        vec![
            text("langsmith.span.kind", "llm"),
            int("gen_ai.usage.input_tokens", 900),
            text(
                "gen_ai.usage.input_token_details",
                r#"{"cache_read": 500, "cache_creation": 300, "ephemeral_1h_input_tokens": 200}"#,
            ),
        ],
    );
    let (_, read) = call("langsmith", &raw);
    assert_eq!(read.cached.map(|k| k.value), Some(500));
    assert_eq!(read.cache_write.map(|k| k.value), Some(300));
    assert_eq!(read.cache_write_1h.map(|k| k.value), Some(200));

    let raw = span(
        "call_llm",
        vec![text(
            "gcp.vertex.agent.llm_response",
            r#"{"usage_metadata": {"prompt_token_count": 70, "candidates_token_count": 20, "cached_content_token_count": 40, "thoughts_token_count": 9}}"#,
        )],
    );
    let (_, read) = call("gcp.vertex.agent", &raw);
    assert_eq!(read.input.map(|k| k.value), Some(70));
    assert_eq!(read.cached.map(|k| k.value), Some(40));
    assert_eq!(read.reasoning.map(|k| k.value), Some(9));
}

#[test]
fn every_kind_of_openinference_has_its_operation() {
    for (kind, op) in [
        ("LLM", Op::Llm),
        ("TOOL", Op::Tool),
        ("AGENT", Op::Agent),
        ("RETRIEVER", Op::Retrieval),
        ("EMBEDDING", Op::Embedding),
        ("RERANKER", Op::Embedding),
        ("GUARDRAIL", Op::Guardrail),
        ("retriever", Op::Retrieval),
    ] {
        let raw = span("step", vec![text("openinference.span.kind", kind)]);
        let data = read("openinference.instrumentation.langchain", &raw);
        assert_eq!(data.records[0].op, op, "{kind}");
    }
}
