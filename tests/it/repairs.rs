//! Broken traces through the whole reading side: what belongs together is put together wherever it
//! lies in the dump, on hard evidence only, and what is missing is counted.

use agentdiag::dialect::Normalizer;
use agentdiag::ingest::{Options as Reading, Source, read_all};
use agentdiag::model::{Dataset, IssueKind, Op};
use agentdiag::trace::{Forest, Options};
use serde_json::{Value, json};

use crate::otlp::{Span, dump};

const BEGIN: u64 = 1_778_572_800_000_000_000;
const MS: u64 = 1_000_000;

fn build(sources: Vec<Source>, options: Options) -> (Dataset, Forest) {
    let how = Reading {
        threads: Some(2),
        ..Reading::default()
    };
    let reading = read_all(sources, &how, Normalizer::new, &());
    let mut data = Dataset::default();
    for sink in reading.sinks {
        data.absorb(sink.finish());
    }
    let forest = Forest::build(&mut data, &options);
    (data, forest)
}

fn text(name: &str, text: String) -> Vec<Source> {
    vec![Source::from_bytes(name, text.into_bytes())]
}

/// More than a chunk of unrelated records between two that belong together.
const BETWEEN: u64 = 9_000;

#[test]
fn halves_of_a_zipkin_call_meet_wherever_they_lie() {
    let span = |trace: u64, id: u64, parent: u64, kind: &str, service: &str, more: Value| {
        let mut span = json!({"traceId": format!("{trace:016x}"), "id": format!("{id:016x}"),
            "name": "call", "kind": kind, "timestamp": BEGIN / 1_000 + 10, "duration": 1_000,
            "localEndpoint": {"serviceName": service},
            "tags": {"filler": "x".repeat(60)}});
        if parent != 0 {
            span["parentId"] = format!("{parent:016x}").into();
        }
        for (key, value) in more.as_object().unwrap() {
            span[key] = value.clone();
        }
        span
    };
    let shared = json!({"shared": true});
    let late = json!({"timestamp": null, "duration": null, "tags": {"error": "broken"}});
    let (a, b) = (0x1_0000_0000_0001, 0x1_0000_0000_0002);
    let mut records = vec![span(1, a, 0, "CLIENT", "front", json!({}))];
    records.extend((0..BETWEEN).map(|n| span(n + 2, a, 0, "CLIENT", "other", json!({}))));
    records.push(span(1, a, 0, "SERVER", "back", shared));
    records.extend((0..BETWEEN).map(|n| span(n + 20_000, a, 0, "CLIENT", "other", json!({}))));
    records.push(span(1, b, a, "CLIENT", "back", json!({})));
    records.extend((0..BETWEEN).map(|n| span(n + 40_000, a, 0, "CLIENT", "other", json!({}))));
    records.push(span(1, b, a, "CLIENT", "back", late));
    let bytes = Value::Array(records).to_string();
    assert!(bytes.len() > 5 << 20, "several chunks: {}", bytes.len());
    let (data, forest) = build(text("zipkin.json", bytes), Options::default());
    let own: Vec<u32> = (0..data.spans.len() as u32)
        .filter(|&i| data.trace_of(&data.spans[i as usize]).0 == 1)
        .collect();
    assert_eq!(own.len(), 3, "the late record is part of its span");
    let service = |i: u32| data.text(data.resource_of(&data.spans[i as usize]).service);
    let above = |i: u32| forest.tree.parent_of(i).map(service);
    let found = |name: &str, id: Option<u64>| {
        own.iter()
            .copied()
            .find(|&i| service(i) == name && id.is_none_or(|id| data.id_of(i).0 == id))
    };
    let call = found("back", Some(b)).unwrap();
    assert!(
        data.spans[call as usize].failed(),
        "the late tag is an error"
    );
    let server = own
        .iter()
        .copied()
        .find(|&i| i != call && service(i) == "back");
    assert_eq!(above(server.unwrap()), Some("front"));
    assert_eq!(forest.tree.parent_of(call), server);
    assert_eq!(above(found("front", None).unwrap()), None);
}

#[test]
fn start_and_end_of_a_langsmith_run_meet_wherever_they_lie() {
    let id = |n: u64| format!("{n:08x}-0000-0000-0000-000000000001");
    let post = |n: u64| {
        json!({"id": id(n), "trace_id": id(n), "run_type": "llm", "name": "ChatOpenAI",
            "start_time": "2026-05-12T08:00:00.000000", "inputs": {"q": "x".repeat(80)},
            "extra": {"metadata": {"ls_model_name": "gpt-4.1-mini"}}})
    };
    let patch = |n: u64| {
        json!({"id": id(n), "trace_id": id(n), "run_type": "llm",
            "end_time": "2026-05-12T08:00:02.000000",
            "outputs": {"usage_metadata": {"input_tokens": n + 1, "output_tokens": 7}}})
    };
    let runs = 1..6_000;
    let batches = [
        json!({"post": runs.clone().map(post).collect::<Vec<_>>()}),
        json!({"patch": runs.clone().rev().map(patch).collect::<Vec<_>>()}),
    ];
    for order in [[0, 1], [1, 0]] {
        let lines = order.map(|i: usize| batches[i].to_string());
        let (data, forest) = build(text("runs.jsonl", lines.join("\n")), Options::default());
        assert_eq!(data.spans.len(), runs.clone().count());
        assert_eq!(forest.requests.len(), runs.clone().count());
        for request in &forest.requests {
            assert_eq!(request.duration().0, 2_000_000_000, "{order:?}");
            assert_eq!(request.llm_calls, 1, "{order:?}");
            let number = (request.trace.0 >> 96) as u64;
            assert_eq!(request.input_tokens, Some(number + 1), "{order:?}");
        }
        assert_eq!(data.ledger.total(IssueKind::NoStart), 0);
    }
}

/// A request that calls a service, and what that service recorded in a trace of its own.
fn torn() -> Vec<Span> {
    let span = |trace, id, parent, service: &str, start: u64, end: u64| Span {
        trace,
        id,
        parent,
        name: "work".into(),
        kind: 1,
        start: BEGIN + start * MS,
        end: BEGIN + end * MS,
        service: service.into(),
        ..Span::default()
    };
    let talk = ("gen_ai.conversation.id", json!("c-1"));
    let mut root = span(1, 1 << 40, 0, "agent", 0, 1_000);
    root.attributes = vec![
        ("gen_ai.operation.name", json!("invoke_agent")),
        talk.clone(),
    ];
    let mut tool = span(1, 2 << 40, 1 << 40, "agent", 100, 900);
    tool.attributes = vec![
        ("gen_ai.operation.name", json!("execute_tool")),
        ("gen_ai.tool.name", json!("ask")),
    ];
    let mut other = span(2, 3 << 40, 0, "helper", 150, 850);
    other.attributes = vec![("gen_ai.operation.name", json!("invoke_agent")), talk];
    vec![root, tool, other]
}

fn joins(spans: &[Span], options: Options) -> (usize, u64) {
    let (data, forest) = build(dump(spans), options);
    (
        forest.requests.len(),
        data.ledger.total(IssueKind::StitchedFragment),
    )
}

#[test]
fn a_fragment_is_joined_by_conversation_and_time_or_not_at_all() {
    assert_eq!(joins(&torn(), Options::default()), (1, 1));
    let unstitched = Options {
        stitch: false,
        ..Options::default()
    };
    assert_eq!(joins(&torn(), unstitched), (2, 0));
    let mut outside = torn();
    outside[2].end = BEGIN + 1_200 * MS;
    assert_eq!(joins(&outside, Options::default()), (2, 0), "it ran on");
    let mut same = torn();
    same[2].service = "agent".into();
    assert_eq!(joins(&same, Options::default()), (2, 0), "one service");
    let mut two = torn();
    let mut twin = two[1].clone();
    twin.id = 9 << 40;
    two.push(twin);
    assert_eq!(joins(&two, Options::default()), (2, 0), "two call sites");
    let mut silent = torn();
    silent[2].attributes.pop();
    assert_eq!(
        joins(&silent, Options::default()),
        (2, 0),
        "no conversation"
    );
}

#[test]
fn a_fragment_is_joined_by_the_parent_it_was_passed() {
    let mut spans = torn();
    spans[2].attributes.pop();
    spans[2].parent = spans[1].id;
    assert_eq!(joins(&spans, Options::default()), (1, 1));
    // Small ids are labels: equal ones prove nothing.
    spans[1].id = 7;
    spans[2].parent = 7;
    assert_eq!(joins(&spans, Options::default()).1, 0);
}

#[test]
fn what_is_missing_is_counted_and_nothing_else() {
    let (_, forest) = build(dump(&torn()), Options::default());
    assert!(forest.loss.is_none(), "{:?}", forest.loss);
    let mut spans = torn();
    spans.remove(0);
    let (_, forest) = build(dump(&spans), Options::default());
    assert_eq!((forest.loss.absent_parents, forest.loss.rootless), (1, 1));
}

/// A request with a call in each of these rounds, as `key` numbers them.
fn rounds(key: &'static str, numbers: &[Value]) -> Vec<Span> {
    let mut spans = torn();
    spans.truncate(1);
    let root = spans[0].clone();
    spans.extend(numbers.iter().zip(1..).map(|(number, n)| Span {
        id: n << 40,
        parent: root.id,
        attributes: vec![
            ("gen_ai.operation.name", json!("chat")),
            (key, number.clone()),
        ],
        ..root.clone()
    }));
    spans
}

#[test]
fn gaps_in_what_emitters_number_are_counted() {
    let step = |n: u64| json!({"langgraph_step": n, "langgraph_node": "agent"}).to_string();
    let traceloop = "traceloop.association.properties.langgraph_step";
    let gaps = |key, numbers: &[Value]| {
        let (_, forest) = build(dump(&rounds(key, numbers)), Options::default());
        forest.loss.step_gaps
    };
    assert_eq!(gaps("agent.reasoning.step", &[1.into(), 2.into()]), 0);
    assert_eq!(
        gaps("agent.reasoning.step", &[1.into(), 2.into(), 5.into()]),
        2
    );
    // Steps of a graph that was interrupted go on counting, and run side by side.
    assert_eq!(
        gaps(traceloop, &[7.into(), 9.into(), 9.into(), 8.into()]),
        0
    );
    assert_eq!(gaps(traceloop, &[json!("3"), json!("5")]), 1);
    assert_eq!(gaps("metadata", &[step(1).into(), step(3).into()]), 1);
    assert_eq!(
        gaps(
            "langsmith.metadata.langgraph_step",
            &[json!("1"), json!("4")]
        ),
        2
    );
    assert_eq!(
        gaps(
            "agent.reasoning.step",
            &[1.into(), (-3).into(), json!("x"), 1e9.into()]
        ),
        0
    );
}

#[test]
fn gaps_in_numbered_requests_of_a_session_are_counted_wherever_they_lie() {
    let turn = |n: u64, session: &str| Span {
        trace: u128::from(n) + 1,
        id: n + 1,
        name: "claude_code.interaction".into(),
        start: BEGIN + n * 1_000 * MS,
        end: BEGIN + (n * 1_000 + 900) * MS,
        scope: "com.anthropic.claude_code.tracing".into(),
        attributes: vec![
            ("session.id", session.into()),
            ("interaction.sequence", n.into()),
        ],
        ..Span::default()
    };
    let mut spans: Vec<Span> = [3, 4, 7].map(|n| turn(n, "one")).into();
    spans.extend([10, 11].map(|n| turn(n, "two")));
    let (_, forest) = build(dump(&spans), Options::default());
    assert_eq!((forest.loss.turn_gaps, forest.loss.step_gaps), (2, 0));
}

#[test]
fn a_sum_is_used_where_no_call_shows_usage_and_only_there() {
    let mut spans = torn();
    spans.truncate(1);
    spans[0].attributes.extend([
        ("gen_ai.aggregated_usage.input_tokens", json!(500)),
        ("gen_ai.aggregated_usage.output_tokens", json!(20)),
    ]);
    let mut call = spans[0].clone();
    (call.id, call.parent) = (5 << 40, spans[0].id);
    call.attributes = vec![
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.request.model", json!("m")),
    ];
    spans.push(call);
    let (_, forest) = build(dump(&spans), Options::default());
    let request = &forest.requests[0];
    assert!(request.rolled_up);
    let tokens = (request.input_tokens, request.output_tokens);
    assert_eq!(tokens, (Some(500), Some(20)));
    spans[1]
        .attributes
        .push(("gen_ai.usage.input_tokens", json!(490)));
    let (data, forest) = build(dump(&spans), Options::default());
    assert!(!forest.requests[0].rolled_up);
    assert_eq!(forest.requests[0].input_tokens, Some(490));
    let calls = data.spans.iter().filter(|s| s.op == Op::Llm).count();
    assert_eq!((calls, forest.loss.tokens_declared), (1, 500));
}

/// Requests of two agents at once, each with model calls and a tool; ids by request and place.
fn crews(count: u64) -> Vec<Span> {
    let mut spans = Vec::new();
    for n in 1..=count {
        let id = |place: u64| (n << 40) + place;
        let mut add =
            |place: u64, parent: u64, name: &str, operation: &str, start: u64, end: u64| {
                spans.push(Span {
                    trace: n.into(),
                    id: id(place),
                    parent: if parent == 0 { 0 } else { id(parent) },
                    name: name.into(),
                    kind: 1,
                    start: BEGIN + (n * 10_000 + start) * MS,
                    end: BEGIN + (n * 10_000 + end) * MS,
                    service: "crew".into(),
                    attributes: vec![("gen_ai.operation.name", json!(operation))],
                    ..Span::default()
                });
            };
        add(1, 0, "plan", "invoke_agent", 0, 5_000);
        add(2, 1, "chat", "chat", 100, 900);
        add(3, 1, "search", "invoke_agent", 1_000, 4_000);
        add(4, 3, "chat", "chat", 1_100, 2_000);
        add(5, 3, "find", "execute_tool", 2_000, 2_500);
        add(6, 3, "chat", "chat", 2_600, 3_900);
        add(7, 1, "write", "invoke_agent", 1_050, 4_900);
        add(8, 7, "chat", "chat", 1_200, 4_800);
    }
    spans
}

/// Where the spans hang, by id.
fn parents(spans: &[Span], options: Options) -> Vec<(u64, Option<u64>)> {
    let (data, forest) = build(dump(spans), options);
    let id = |i: u32| data.id_of(i).0;
    let mut found: Vec<_> = (0..data.spans.len() as u32)
        .map(|i| (id(i), forest.tree.parent_of(i).map(id)))
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn lost_parents_are_found_by_the_habits_of_the_dump() {
    let whole = crews(12);
    let straight = parents(&whole, Options::default());
    for lost in [0, 7] {
        let mut spans = whole.clone();
        // A model call and the tool of one sub-agent, the only model call of the other, a sub-agent.
        for (n, place) in [(3, 4), (5, 5), (6, 8), (9, 3)] {
            let broken = spans.iter_mut().find(|s| s.id == (n << 40) + place);
            broken.unwrap().parent = if lost == 0 { 0 } else { (77 << 40) + n };
        }
        assert_eq!(parents(&spans, Options::default()), straight, "{lost}");
        let (data, forest) = build(dump(&spans), Options::default());
        assert_eq!(forest.requests.len(), 12);
        let kind = [IssueKind::LostParent, IssueKind::OrphanSpan][usize::from(lost != 0)];
        assert_eq!(data.ledger.total(kind), 4);
        let marked = forest.requests.iter();
        let marked = marked.filter(|r| r.repairs.names().any(|name| name == "orphan"));
        assert_eq!(marked.count(), 4);
        let unrepaired = Options {
            repair: false,
            ..Options::default()
        };
        assert_ne!(parents(&spans, unrepaired), straight);
    }
}

#[test]
fn two_requests_of_one_trace_stay_two() {
    let mut spans = crews(12);
    for span in &mut spans {
        if span.id >> 40 == 2 {
            // The second runs within the time of the first.
            span.trace = 1;
            span.start = span.start - 10_000 * MS + 10 * MS;
            span.end = span.end - 10_000 * MS - 10 * MS;
        }
    }
    let (data, forest) = build(dump(&spans), Options::default());
    assert_eq!(
        forest.requests.len(),
        12,
        "their roots usually name no parent"
    );
    assert_eq!(data.ledger.total(IssueKind::LostParent), 0);
}
