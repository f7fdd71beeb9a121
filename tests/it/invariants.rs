//! What holds for any dump: sums are exact, nothing is counted twice, and neither order nor
//! threads nor files nor encoding change the result.

use std::io::Read as _;
use std::path::Path;

use agentdiag::ingest::Source;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};

use crate::otlp::{Span, dump};
use crate::pipeline::{Run, run};

const BEGIN: u64 = 1_778_572_800_000_000_000;
const MS: u64 = 1_000_000;

/// So many cases, or as many as `PROPTEST_CASES` asks for.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let cases = asked.and_then(|n| n.parse().ok()).unwrap_or(usual);
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

// --- order, threads, files, encoding -----------------------------------------------------------

/// Tasks taken from a labelled dump.
const TASKS: usize = 60;

/// One export request per span of the first tasks of a labelled dump.
fn lines() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/labelled/mixed-full-mixed");
    let labels = std::fs::read(root.join("labels.json")).expect("labels");
    let labels: Value = serde_json::from_slice(&labels).expect("JSON");
    let wanted: Vec<&String> = labels
        .as_object()
        .expect("an object")
        .keys()
        .take(TASKS)
        .collect();
    let file = std::fs::File::open(root.join("traces.jsonl.gz")).expect("traces");
    let mut text = String::new();
    let mut packed = flate2::read::MultiGzDecoder::new(file);
    packed.read_to_string(&mut text).expect("gzip");
    let mut lines = Vec::new();
    for line in text.lines() {
        let request: Value = serde_json::from_str(line).expect("JSON");
        for block in request["resourceSpans"].as_array().expect("a list") {
            for scope in block["scopeSpans"].as_array().expect("a list") {
                for span in scope["spans"].as_array().expect("a list") {
                    let trace = span["traceId"].as_str().expect("an id");
                    if wanted.iter().any(|id| *id == trace) {
                        let scopes = json!([{"scope": scope["scope"], "spans": [span]}]);
                        let block = json!({"resource": block["resource"], "scopeSpans": scopes});
                        lines.push(json!({"resourceSpans": [block]}).to_string());
                    }
                }
            }
        }
    }
    lines
}

fn source(name: &str, lines: &[&str]) -> Source {
    Source::from_bytes(name, lines.join("\n").into_bytes())
}

/// The report without what names files.
fn findings(run: &Run) -> Value {
    let mut report: Value = serde_json::from_str(&run.pages()[0]).expect("JSON");
    report["inputs"] = Value::Null;
    report["integrity"]["issues"] = Value::Null;
    report
}

#[test]
fn neither_order_nor_threads_nor_files_change_the_result() {
    let lines = lines();
    let plain: Vec<&str> = lines.iter().map(String::as_str).collect();
    let first = run(vec![source("dump.jsonl", &plain)], 1);
    let slow = first.verdicts.diagnoses.iter().filter(|d| d.slow).count();
    assert!(first.forest.requests.len() >= TASKS && slow > 5);
    let (pages, findings_of_first) = (first.pages(), findings(&first));
    for threads in [2, 5] {
        let again = run(vec![source("dump.jsonl", &plain)], threads);
        assert!(again.pages() == pages, "{threads} threads");
    }
    proptest!(cases(8), |(
        shuffled in Just(plain.clone()).prop_shuffle(),
        files in 1..5usize,
        threads in 1..4usize,
    )| {
        let again = run(vec![source("dump.jsonl", &shuffled)], threads);
        prop_assert!(again.pages() == pages, "another order of lines");
        let dealt: Vec<Source> = (0..files)
            .map(|file| {
                let hand: Vec<&str> =
                    shuffled.iter().copied().skip(file).step_by(files).collect();
                source(&format!("{file}.jsonl"), &hand)
            })
            .collect();
        let again = run(dealt, threads);
        prop_assert!(findings(&again) == findings_of_first, "dealt over {files} files");
    });
}

#[test]
fn json_and_protobuf_of_one_capture_say_the_same() {
    let lines = lines();
    let plain: Vec<&str> = lines.iter().map(String::as_str).collect();
    let json = run(vec![source("dump.jsonl", &plain)], 2);
    let mut framed = Vec::new();
    for line in &lines {
        let request: ExportTraceServiceRequest = serde_json::from_str(line).expect("OTLP");
        let bytes = request.encode_to_vec();
        framed.extend((bytes.len() as u32).to_be_bytes());
        framed.extend(bytes);
    }
    let proto = run(vec![Source::from_bytes("dump.pb", framed)], 2);
    assert!(proto.data.inputs[0].format.starts_with("otlp-proto"));
    assert!(findings(&proto) == findings(&json));
}

// --- sums ---------------------------------------------------------------------------------------

/// What a generated span claims to be.
const ROLES: [(&str, u8); 10] = [
    ("invoke_agent", 1),
    ("chat", 3),
    ("execute_tool", 1),
    ("embeddings", 3),
    ("retrieval", 1),
    ("invoke_workflow", 1),
    ("chat", 2),
    ("GET", 3),
    ("", 1),
    ("chat", 3),
];

prop_compose! {
    /// Ids collide, parents are missing or form circles, ends are missing or before the start,
    /// clocks are off by service and now and then by centuries.
    fn span()(
        ids in (1..4u8, 1..30u64, 0..36u64),
        role in 0..ROLES.len(),
        times in (0..20_000u64, 0..8_000u64, 0..MS),
        oddity in 0..24u8,
        service in 0..3usize,
        failed in prop::bool::weighted(0.2),
        tokens in prop::option::of((0..100_000u32, 0..4_000u32)),
        said in (prop::option::of(0..9_000u64), prop::option::of(0.0..9.0f64)),
    ) -> Span {
        let (operation, kind) = ROLES[role];
        let skew = [0, 1_000, 90_000][service] * MS;
        let start = BEGIN - skew + times.0 * MS + times.2;
        let length = times.1 * MS;
        let (start, end) = match oddity {
            0 => (start, 0),
            1 => (start, start - length),
            2 => (1, start),
            3 => (start, u64::MAX),
            4 => (start, start),
            _ => (start, start + length),
        };
        let mut attributes: Vec<(&'static str, Value)> = Vec::new();
        match operation {
            "" => {}
            "GET" => attributes.push(("http.request.method", "GET".into())),
            _ => attributes.push(("gen_ai.operation.name", operation.into())),
        }
        attributes.push(("gen_ai.request.model", "gpt-4.1".into()));
        if operation == "execute_tool" {
            attributes.push(("gen_ai.tool.name", ["search", "fetch"][service % 2].into()));
        }
        if let Some((input, output)) = tokens {
            attributes.push(("gen_ai.usage.input_tokens", input.into()));
            attributes.push(("gen_ai.usage.output_tokens", output.into()));
        }
        if let Some(first) = said.1 {
            attributes.push(("gen_ai.server.time_to_first_token", first.into()));
            attributes.push(("gen_ai.latency.time_in_queue", (first / 3.0).into()));
        }
        if let Some(ms) = said.0 {
            attributes.push(("gen_ai.latency.time_in_model_decode", (ms as f64 / 1e3).into()));
        }
        Span {
            trace: ids.0.into(),
            id: ids.1,
            parent: ids.2,
            name: operation.to_owned(),
            kind,
            start,
            end,
            failed,
            region: String::new(),
            service: ["agent", "gateway", "tools"][service].to_owned(),
            scope: ["one", "two"][role % 2].to_owned(),
            attributes,
        }
    }
}

/// A request as it should be: a model call, a tool, a model call.
fn usual(number: u64) -> Vec<Span> {
    let trace = 1_000 + u128::from(number);
    let start = BEGIN + number * 30_000 * MS;
    let span = |id: u64, operation: &str, from: u64, to: u64| Span {
        trace,
        id,
        parent: u64::from(id > 1),
        name: operation.to_owned(),
        kind: 1,
        start: start + from * MS,
        end: start + to * MS + number % 7 * 9_999_991,
        service: "agent".to_owned(),
        scope: "one".to_owned(),
        attributes: vec![
            ("gen_ai.operation.name", operation.into()),
            ("gen_ai.request.model", "gpt-4.1".into()),
            ("gen_ai.tool.name", "search".into()),
            ("gen_ai.usage.input_tokens", (900 + number).into()),
            ("gen_ai.usage.output_tokens", 120.into()),
        ],
        ..Span::default()
    };
    vec![
        span(1, "invoke_agent", 0, 5_000),
        span(2, "chat", 10, 1_800),
        span(3, "execute_tool", 1_900, 2_400),
        span(4, "chat", 2_500, 4_900),
    ]
}

fn balances(run: &Run) -> Result<(), TestCaseError> {
    run.data.check_valid().map_err(TestCaseError::fail)?;
    for request in &run.forest.requests {
        prop_assert_eq!(request.parts.total(), request.duration());
    }
    for account in &run.verdicts.diagnoses {
        let request = &run.forest.requests[account.request as usize];
        let charged: agentdiag::units::Nanos = account.claims.iter().map(|c| c.explains).sum();
        prop_assert_eq!(charged, account.excess);
        if let Some(expected) = account.expected {
            prop_assert_eq!(account.excess, request.duration() - expected);
        }
        prop_assert_eq!(account.slow, account.primary.is_some());
        prop_assert!((0.0..=1.0).contains(&account.confidence));
    }
    Ok(())
}

#[test]
fn parts_and_contributions_sum_exactly_whatever_the_traces() {
    let healthy: Vec<Span> = (0..40).flat_map(usual).collect();
    proptest!(cases(96), |(strange in vec(span(), 1..60))| {
        let mut spans = healthy.clone();
        // Some of it happens to requests that can be judged.
        for (number, span) in strange.iter().enumerate() {
            let mut span = span.clone();
            if number % 3 == 0 {
                span.trace += 1_010;
                span.id += 4;
                span.start += 330_000 * MS;
                span.end = match span.end {
                    0 => 0,
                    end => end.saturating_add(330_000 * MS),
                };
            }
            spans.push(span);
        }
        let found = run(dump(&spans), 2);
        balances(&found)?;
        prop_assert!(found.pages().iter().all(|page| !page.is_empty()));
    });
}

// --- counted once -------------------------------------------------------------------------------

/// Who recorded a call.
#[derive(Clone, Copy, Debug)]
struct Records {
    wrapper: bool,
    client: bool,
    transport: bool,
    engine: bool,
}

/// A model call recorded by several, one inside the other; what is said of tokens is the same.
fn call(records: Records, number: u64, tokens: (u32, u32)) -> Vec<Span> {
    let start = BEGIN + number * 3_000 * MS;
    let base = 100 * (number + 1);
    let mut spans: Vec<Span> = Vec::new();
    let mut add = |name: &str, scope: &str, service: &str, kind, attributes| {
        let depth = spans.len() as u64;
        spans.push(Span {
            trace: 7,
            id: base + depth,
            parent: if depth == 0 { 1 } else { base + depth - 1 },
            name: name.to_owned(),
            kind,
            start: start + depth * MS,
            end: start + (2_500 - depth) * MS,
            service: service.to_owned(),
            scope: scope.to_owned(),
            attributes,
            ..Span::default()
        });
    };
    let (input, output) = tokens;
    if records.wrapper {
        let said = vec![
            ("openinference.span.kind", "LLM".into()),
            ("llm.model_name", "gpt-4.1".into()),
            ("llm.token_count.prompt", input.into()),
            ("llm.token_count.completion", output.into()),
        ];
        let scope = "openinference.instrumentation.langchain";
        add("ChatOpenAI", scope, "agent", 1, said);
    }
    if records.client {
        let said = vec![
            ("gen_ai.operation.name", "chat".into()),
            ("gen_ai.request.model", "gpt-4.1".into()),
            ("gen_ai.usage.input_tokens", input.into()),
            ("gen_ai.usage.output_tokens", output.into()),
        ];
        let scope = "opentelemetry.instrumentation.openai_v2";
        add("chat gpt-4.1", scope, "agent", 3, said);
    }
    if records.transport {
        let said = vec![
            ("http.request.method", "POST".into()),
            ("server.address", "llm.internal".into()),
            ("http.response.status_code", 200.into()),
        ];
        let scope = "opentelemetry.instrumentation.httpx";
        add("POST", scope, "agent", 3, said);
    }
    if records.engine {
        let said = vec![
            ("gen_ai.request.id", format!("chatcmpl-{number}").into()),
            ("gen_ai.usage.prompt_tokens", input.into()),
            ("gen_ai.usage.completion_tokens", output.into()),
            ("gen_ai.latency.time_in_queue", 0.2.into()),
            ("gen_ai.latency.time_in_model_prefill", 0.5.into()),
            ("gen_ai.latency.time_in_model_decode", 1.5.into()),
        ];
        add("llm_request", "vllm.llm_engine", "vllm", 2, said);
    }
    spans
}

#[test]
fn tokens_are_counted_once_however_many_record_a_call() {
    let records = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(wrapper, client, transport, engine)| Records {
            wrapper,
            client: client || !(wrapper || engine),
            transport,
            engine,
        },
    );
    let calls = vec((records, (1..200_000u32, 1..8_000u32)), 1..6);
    proptest!(cases(64), |(calls in calls, rollup in any::<bool>())| {
        let (input, output) = calls
            .iter()
            .fold((0, 0), |sum, (_, tokens)| (sum.0 + tokens.0, sum.1 + tokens.1));
        let mut root = Span {
            trace: 7,
            id: 1,
            name: "invoke_agent".to_owned(),
            kind: 1,
            start: BEGIN,
            end: BEGIN + 20_000 * MS,
            service: "agent".to_owned(),
            scope: "my.agent".to_owned(),
            attributes: vec![("gen_ai.operation.name", "invoke_agent".into())],
            ..Span::default()
        };
        if rollup {
            root.attributes.push(("gen_ai.usage.input_tokens", input.into()));
            root.attributes.push(("gen_ai.usage.output_tokens", output.into()));
        }
        let mut spans = vec![root];
        for (number, (records, tokens)) in calls.iter().enumerate() {
            spans.extend(call(*records, number as u64, *tokens));
        }
        let found = run(dump(&spans), 1);
        let [request] = &found.forest.requests[..] else {
            return Err(TestCaseError::fail("not one request"));
        };
        prop_assert_eq!(request.llm_calls as usize, calls.len());
        prop_assert_eq!(request.input_tokens, Some(u64::from(input)));
        prop_assert_eq!(request.output_tokens, Some(u64::from(output)));
    });
}

#[test]
fn model_calls_of_a_sub_agent_behind_a_tool_count_whatever_ran_first() {
    let span = |id: u64, parent: u64, operation: &str, at: u64| Span {
        trace: 7,
        id,
        parent,
        name: operation.to_owned(),
        kind: 1,
        start: BEGIN + at * 1_000 * MS,
        end: BEGIN + (20 - at) * 1_000 * MS,
        service: "agent".to_owned(),
        scope: "one".to_owned(),
        attributes: vec![
            ("gen_ai.operation.name", operation.into()),
            ("gen_ai.tool.name", format!("tool {id}").into()),
            ("gen_ai.request.model", "gpt-4.1".into()),
        ],
        ..Span::default()
    };
    for (tool_at, model_at) in [(3, 4), (4, 3)] {
        let found = run(
            dump(&[
                span(1, 0, "invoke_agent", 0),
                span(2, 1, "execute_tool", 1),
                span(3, 2, "invoke_agent", 2),
                span(4, 3, "execute_tool", tool_at),
                span(5, 3, "chat", model_at),
            ]),
            1,
        );
        assert_eq!(found.forest.requests[0].llm_calls, 1);
        assert_eq!(found.forest.requests[0].tool_calls, 2);
    }
}
