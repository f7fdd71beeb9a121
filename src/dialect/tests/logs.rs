//! Calls that coding agents write to their log.

use super::super::{Signals, choose_signal};
use super::*;
use crate::ingest::RawLog;
use crate::model::{IssueKind, Record, Status};

const SECOND: u64 = 1_000_000_000;

fn record(event: &'static str, at: u64, attributes: Vec<RawAttr<'static>>) -> RawLog<'static> {
    RawLog {
        time: Some(Nanos(at * SECOND)),
        event: event.into(),
        attributes,
        ..RawLog::default()
    }
}

fn logged(records: &[RawLog<'_>]) -> Dataset {
    let mut reader = Normalizer::default();
    let resource = reader.resource(&[text("service.name", "s")]);
    records.iter().for_each(|log| reader.log(log, resource));
    reader.finish()
}

/// The spans by start: operation, start and end in milliseconds, failed.
fn spans(data: &Dataset) -> Vec<(Op, u64, u64, bool)> {
    let mut all: Vec<&Record> = data.records.iter().collect();
    all.sort_by_key(|s| (s.start, s.op, s.end));
    let of = |s: &Record| {
        (
            s.op,
            s.start.0 / 1_000_000,
            s.end.0 / 1_000_000,
            s.status == Status::Error,
        )
    };
    all.into_iter().map(of).collect()
}

fn turn(id: &'static str) -> Vec<RawAttr<'static>> {
    vec![text("session.id", "s"), text("prompt.id", id)]
}

fn with(
    mut attributes: Vec<RawAttr<'static>>,
    more: Vec<RawAttr<'static>>,
) -> Vec<RawAttr<'static>> {
    attributes.extend(more);
    attributes
}

#[test]
fn records_of_calls_and_tools_become_spans_below_one_agent_per_turn() {
    let mut data = logged(&[
        record(
            "claude_code.api_request",
            10,
            with(
                turn("a"),
                vec![
                    int("duration_ms", 2_000),
                    int("input_tokens", 5),
                    text("model", "m"),
                ],
            ),
        ),
        record(
            "claude_code.tool_result",
            12,
            with(
                turn("a"),
                vec![text("duration_ms", "1500"), text("tool_name", "t")],
            ),
        ),
        record(
            "claude_code.api_error",
            20,
            with(
                turn("b"),
                vec![double("duration_ms", 500.0), text("error", "x")],
            ),
        ),
        record("claude_code.other", 21, turn("b")),
    ]);
    assert_eq!(
        spans(&data),
        [
            (Op::Llm, 8_000, 10_000, false),
            (Op::Tool, 10_500, 12_000, false),
            (Op::Llm, 19_500, 20_000, true)
        ]
    );
    let signals = Signals::of(&data);
    assert!(signals.any_logged());
    choose_signal(&mut data);
    assert_eq!(
        spans(&data),
        [
            (Op::Agent, 8_000, 12_000, false),
            (Op::Llm, 8_000, 10_000, false),
            (Op::Tool, 10_500, 12_000, false),
            (Op::Agent, 19_500, 20_000, false),
            (Op::Llm, 19_500, 20_000, true),
        ]
    );
    let roots: Vec<&Record> = data.records.iter().filter(|s| s.op == Op::Agent).collect();
    assert_ne!(roots[0].trace, roots[1].trace);
    for span in data.records.iter().filter(|s| s.op != Op::Agent) {
        let root = roots.iter().find(|r| r.trace == span.trace).unwrap();
        assert_eq!(span.parent, root.id);
    }
    let task = data.task_of(roots[0]).unwrap();
    assert_eq!(
        (data.text(task.agent), data.text(task.conversation)),
        ("claude-code", "s")
    );
}

#[test]
fn records_with_a_trace_of_their_own_keep_it() {
    let traced = RawLog {
        trace: TraceId(77),
        ..record("gemini_cli.tool_call", 5, vec![text("function_name", "t")])
    };
    let data = logged(&[traced]);
    assert_eq!(data.trace_of(&data.records[0]), TraceId(77));
}

#[test]
fn what_a_record_is_stands_in_its_event_or_in_a_short_body() {
    let body = |text: String| {
        let log = RawLog {
            time: Some(Nanos(5 * SECOND)),
            body: RawValue::Str(Text::plain(text.as_bytes())),
            ..RawLog::default()
        };
        logged(&[log]).records.len()
    };
    assert_eq!(body("claude_code.api_request".into()), 1);
    assert_eq!(body("claude_code.api_requests".into()), 0);
    let named = record("plain", 5, vec![]);
    let both = RawLog {
        body: RawValue::Str(Text::plain(b"claude_code.api_request")),
        ..named
    };
    assert_eq!(
        logged(&[both]).records.len(),
        1,
        "an event without a dot is no name"
    );
    let none = RawLog {
        time: None,
        ..record("claude_code.api_request", 5, vec![])
    };
    assert_eq!(logged(&[none]).records.len(), 0);
}

#[test]
fn an_answer_of_codex_takes_the_start_of_its_attempt() {
    let of = |more: Vec<RawAttr<'static>>| with(vec![text("conversation.id", "c")], more);
    let answer = |at, kind| {
        record(
            "codex.sse_event",
            at,
            of(vec![
                text("event.kind", kind),
                int("input_token_count", 5),
                text("model", "m"),
            ]),
        )
    };
    let attempt = |at, status| {
        record(
            "codex.api_request",
            at,
            of(vec![
                int("duration_ms", 1_000),
                int("http.response.status_code", status),
                int("attempt", at as i64),
            ]),
        )
    };
    let mut data = logged(&[
        record("codex.user_prompt", 1, of(vec![])),
        attempt(3, 429),
        attempt(5, 200),
        answer(6, "response.created"),
        answer(9, "response.completed"),
        record("codex.user_prompt", 20, of(vec![])),
        attempt(22, 200),
        answer(25, "response.completed"),
    ]);
    choose_signal(&mut data);
    let calls: Vec<_> = spans(&data)
        .into_iter()
        .filter(|s| s.0 == Op::Llm)
        .collect();
    assert_eq!(
        calls,
        [
            (Op::Llm, 2_000, 3_000, true),
            (Op::Llm, 4_000, 9_000, false),
            (Op::Llm, 21_000, 25_000, false)
        ]
    );
    let turns: Vec<_> = spans(&data)
        .into_iter()
        .filter(|s| s.0 == Op::Agent)
        .collect();
    assert_eq!(
        turns,
        [
            (Op::Agent, 1_000, 9_000, false),
            (Op::Agent, 20_000, 25_000, false)
        ],
        "each prompt begins one"
    );
}

#[test]
fn an_answer_without_its_attempt_stays_as_it_is() {
    let of = |conversation, more: Vec<RawAttr<'static>>| {
        with(vec![text("conversation.id", conversation)], more)
    };
    let mut data = logged(&[
        record(
            "codex.api_request",
            5,
            of("c", vec![int("duration_ms", 1_000)]),
        ),
        record(
            "codex.sse_event",
            9,
            of(
                "d",
                vec![
                    text("event.kind", "response.completed"),
                    int("duration_ms", 10),
                ],
            ),
        ),
    ]);
    choose_signal(&mut data);
    let calls: Vec<_> = spans(&data)
        .into_iter()
        .filter(|s| s.0 == Op::Llm)
        .collect();
    assert_eq!(calls.len(), 2, "they are of two conversations");
}

#[test]
fn where_the_same_emitter_also_wrote_spans_its_log_is_left_out() {
    let both = |scope: &str, name: &'static str| {
        let mut reader = Normalizer::default();
        let resource = reader.resource(&[]);
        let scope = reader.scope(scope, "");
        reader.span(&span(name, vec![text("model", "m")]), resource, scope);
        reader.log(&record("claude_code.api_request", 10, turn("a")), resource);
        let mut data = reader.finish();
        choose_signal(&mut data);
        (data.records.len(), data.ledger.total(IssueKind::TwinCall))
    };
    assert_eq!(
        both("com.anthropic.claude_code", "claude_code.llm_request"),
        (1, 1)
    );
    assert_eq!(
        both("agentdiag/claude_code", "claude_code.llm_request"),
        (1, 1)
    );
    assert_eq!(
        both("com.anthropic.claude_code", "claude_code.tool"),
        (3, 0),
        "no call among its spans"
    );
    assert_eq!(both("other", "claude_code.llm_request"), (3, 0));
}

#[test]
fn signals_of_parts_add_up() {
    let log = logged(&[record("claude_code.api_request", 10, turn("a"))]);
    let trace = read(
        "com.anthropic.claude_code",
        &span("claude_code.llm_request", vec![]),
    );
    let (mut logs, traces) = (Signals::of(&log), Signals::of(&trace));
    assert!(logs.any_logged() && !traces.any_logged());
    let mut alone = log.clone();
    logs.choose(&mut alone);
    assert_eq!(alone.records.len(), 2);
    let mut other = traces.clone();
    other.absorb(&logs);
    logs.absorb(&traces);
    assert_eq!(logs, other);
    let mut data = log;
    logs.choose(&mut data);
    assert_eq!(data.records.len(), 0, "another part holds its spans");
}
