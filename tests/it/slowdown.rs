//! What single calls and whole requests show by themselves, in dumps made for it.

use agentdiag::diagnose::Cause;
use serde_json::json;

use crate::damage::Draw;
use crate::otlp::{Span, dump};
use crate::pipeline::{Run, run};

const BEGIN: u64 = 1_778_572_800_000_000_000;
const MS: u64 = 1_000_000;

/// One step of a request: its name, operation, milliseconds, and whether it failed.
type Step = (&'static str, &'static str, f64, bool);

/// Requests one after the other, each of the given steps.
fn requests(count: u64, steps: impl Fn(u64, &mut Draw) -> Vec<Step>) -> Run {
    let mut draw = Draw(3);
    let mut spans = Vec::new();
    let mut now = BEGIN;
    for n in 1..=count {
        let root = spans.len();
        let span = |id: u64, parent: u64, name: &str, start: u64| Span {
            trace: n.into(),
            id: (n << 40) + id,
            parent: if parent == 0 { 0 } else { (n << 40) + parent },
            name: name.into(),
            kind: 1,
            start,
            service: "agent".into(),
            ..Span::default()
        };
        let mut whole = span(1, 0, "task", now);
        whole.attributes = vec![("gen_ai.operation.name", json!("invoke_agent"))];
        spans.push(whole);
        for ((name, operation, millis, failed), id) in steps(n, &mut draw).into_iter().zip(2..) {
            let mut step = span(id, 1, name, now);
            now += (millis * MS as f64) as u64;
            (step.end, step.failed) = (now, failed);
            step.attributes = vec![("gen_ai.operation.name", json!(operation))];
            if operation == "chat" {
                step.attributes.extend([
                    ("gen_ai.request.model", json!("m")),
                    ("gen_ai.usage.input_tokens", json!(900)),
                    ("gen_ai.usage.output_tokens", json!(60)),
                ]);
            } else {
                step.attributes.push(("gen_ai.tool.name", json!(name)));
            }
            spans.push(step);
            now += MS;
        }
        spans[root].end = now;
        now += 20_000 * MS;
    }
    run(dump(&spans), 2)
}

/// The verdict on request `n`, its strongest fact, and how many others were found slow.
fn verdict(run: &Run, n: u64) -> (Option<Cause>, &'static str, usize) {
    let of = |d: &&agentdiag::diagnose::Diagnosis| {
        run.forest.requests[d.request as usize].trace.0 == u128::from(n)
    };
    let all = run.verdicts.diagnoses.iter();
    let it = all.clone().find(of).unwrap();
    let fact = it.claims.first().map_or("", |c| c.evidence.first.fact);
    let others = all.filter(|d| d.slow && !of(d)).count();
    (it.primary, fact, others)
}

#[test]
fn a_request_all_of_whose_calls_are_somewhat_slow_is_slow() {
    let run = requests(40, |n, draw| {
        let factor = if n == 20 { 1.8 } else { 1.0 };
        let mut call = || ("chat", "chat", factor * (380.0 + 40.0 * draw.next()), false);
        vec![call(), call(), call(), call()]
    });
    let (cause, fact, others) = verdict(&run, 20);
    assert_eq!(cause, Some(Cause::NoisyNeighbour));
    assert_eq!((fact, others), ("slowdown_of_request", 0));
}

#[test]
fn one_call_that_is_somewhat_slow_is_not() {
    let run = requests(40, |n, draw| {
        let mut call = |i: u64| {
            let factor = if n == 20 && i == 0 { 1.8 } else { 1.0 };
            ("chat", "chat", factor * (380.0 + 40.0 * draw.next()), false)
        };
        (0..4).map(&mut call).collect()
    });
    assert_eq!(verdict(&run, 20), (None, "", 0));
}

#[test]
fn a_tool_that_failed_and_is_asked_again_is_a_retry_without_its_arguments() {
    let tools = |failures: u64, draw: &mut Draw| {
        let mut steps = Vec::new();
        for i in 0..=failures {
            steps.push(("chat", "chat", 380.0 + 40.0 * draw.next(), false));
            steps.push(("look_up", "execute_tool", 90.0, i < failures));
        }
        steps.push(("chat", "chat", 400.0, false));
        steps
    };
    let run = requests(30, |n, draw| tools(if n == 9 { 4 } else { 0 }, draw));
    let (cause, fact, others) = verdict(&run, 9);
    assert_eq!((cause, others), (Some(Cause::RetryCascade), 0));
    assert_eq!(fact, "repeated_round");
    let retries = run.forest.requests.iter().map(|r| r.retries);
    assert_eq!(retries.sum::<u32>(), 4);
    // Called as often without a failure, each call may be for something else.
    let run = requests(30, |n, draw| {
        let steps = tools(if n == 9 { 4 } else { 0 }, draw);
        let healed = steps.into_iter().map(|(a, b, c, _)| (a, b, c, false));
        healed.collect()
    });
    assert_eq!(verdict(&run, 9).0, None);
}
