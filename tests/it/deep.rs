//! Traces of extreme depth: nothing recurses, nothing takes time quadratic in the depth.

use std::fmt::Write as _;

use agentdiag::ingest::Source;
use agentdiag::model::IssueKind;

use crate::pipeline::{Run, run};

const BEGIN: u64 = 1_778_572_800_000_000_000;

/// A chain of spans, each the child of the one before and within it, with the operation, service
/// and delay that `each` gives.
fn chain(depth: u64, each: impl Fn(u64) -> (&'static str, &'static str, u64)) -> Vec<Source> {
    let mut text = String::with_capacity(depth as usize * 300);
    for n in 0..depth {
        let (operation, service, delay) = each(n);
        let parent = match n {
            0 => String::new(),
            _ => format!("\"parentSpanId\":\"{n:016x}\","),
        };
        writeln!(
            text,
            "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service.name\",\"value\":\
             {{\"stringValue\":\"{service}\"}}}}]}},\"scopeSpans\":[{{\"scope\":{{\"name\":\"{service}\"}},\
             \"spans\":[{{\"traceId\":\"{:032x}\",\"spanId\":\"{:016x}\",{parent}\"name\":\"{operation}\",\
             \"kind\":{},\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{}\",\"attributes\":[{{\"key\":\
             \"gen_ai.operation.name\",\"value\":{{\"stringValue\":\"{operation}\"}}}}]}}]}}]}}]}}",
            1,
            n + 1,
            2 + n % 2,
            BEGIN + n * 10 - delay,
            BEGIN + 100_000_000_000 - n * 10 - delay,
        )
        .expect("written to memory");
    }
    vec![Source::from_bytes("deep.jsonl", text.into_bytes())]
}

fn balanced(run: &Run, spans: u32) {
    let [request] = &run.forest.requests[..] else {
        panic!("{} requests", run.forest.requests.len());
    };
    assert_eq!(request.spans, spans);
    assert_eq!(request.parts.total(), request.duration());
    assert!(run.pages().iter().all(|page| !page.is_empty()));
}

#[test]
fn a_trace_a_million_spans_deep() {
    const DEPTH: u64 = 1_000_000;
    let operations = ["invoke_agent", "execute_tool", "step", "retrieval"];
    // Every other service has a clock that is 40 s behind; a model call at the bottom makes all
    // that stands above it work.
    let each = |n: u64| match n + 1 {
        DEPTH => ("chat", "one", 0),
        _ => (
            operations[n as usize % 4],
            ["one", "two"][n as usize % 2],
            n % 2 * 40_000_000_000,
        ),
    };
    let run = run(chain(DEPTH, each), 2);
    balanced(&run, DEPTH as u32);
    assert_eq!(run.forest.requests[0].llm_calls, 1);
    // There and back again.
    assert_eq!(run.data.ledger.total(IssueKind::ClockSkew), DEPTH - 2);
}

#[test]
fn deep_chains_of_one_operation() {
    let depth = 4_000;
    for operation in ["invoke_agent", "execute_tool", "chat", "embeddings"] {
        for delay in [0, 6_000_000] {
            let each = |n: u64| (operation, ["one", "two"][n as usize % 2], n * delay);
            balanced(&run(chain(depth, each), 2), depth as u32);
        }
    }
}
