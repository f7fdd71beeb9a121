//! Model calls whose spans were lost, in a dump made for it: an agent that asks, calls a tool, asks, calls it again
//! and answers.

use std::collections::BTreeSet;

use agentdiag::diagnose::{Cause, Claim};
use serde_json::json;

use crate::damage::Draw;
use crate::otlp::{Span, dump};
use crate::pipeline::{Run, run};

const BEGIN: u64 = 1_778_572_800_000_000_000;
const MS: u64 = 1_000_000;
/// From the start of one request to the start of the next, milliseconds.
const APART: u64 = 4_000;
const REQUESTS: u64 = 240;
/// Milliseconds of a model call, and of a tool.
const CALL: f64 = 1_400.0;
const TOOL: f64 = 200.0;
/// What a call takes longer while others slow it.
const SLOWED: f64 = 6_000.0;

/// Requests that lost a tenth of their spans, and which of them lost one model call; those in `slowed` were slowed.
fn requests(slowed: std::ops::Range<u64>) -> (Run, BTreeSet<u64>) {
    let mut draw = Draw(11);
    let (mut spans, mut lost) = (Vec::new(), BTreeSet::new());
    for n in 1..=REQUESTS {
        let begin = BEGIN + n * APART * MS;
        let (mut now, mut own, mut calls) = (begin, Vec::new(), 0);
        for id in 2..=6_u64 {
            let asks = asks(id);
            let natural = 1.0 + 0.05 * draw.next();
            let late = if asks && slowed.contains(&n) {
                SLOWED
            } else {
                0.0
            };
            let millis = natural * if asks { CALL } else { TOOL } + late;
            let (start, end) = (now + 5 * MS, now + 5 * MS + (millis * MS as f64) as u64);
            now = end;
            if draw.next() < 0.1 {
                calls += u32::from(asks);
                continue;
            }
            own.push(step(n, id, start, end));
        }
        own.push(Span {
            parent: 0,
            name: "task".into(),
            attributes: vec![("gen_ai.operation.name", json!("invoke_agent"))],
            ..step(n, 1, begin, now)
        });
        spans.extend(own);
        if calls == 1 {
            lost.insert(n);
        }
    }
    (run(dump(&spans), 2), lost)
}

/// Steps of a request alternate: a model call, a tool.
fn asks(id: u64) -> bool {
    id.is_multiple_of(2)
}

fn step(n: u64, id: u64, start: u64, end: u64) -> Span {
    let attributes = match asks(id) {
        true => vec![
            ("gen_ai.operation.name", json!("chat")),
            ("gen_ai.request.model", json!("m")),
            ("gen_ai.usage.input_tokens", json!(2_000)),
            ("gen_ai.usage.output_tokens", json!(60)),
        ],
        false => vec![
            ("gen_ai.operation.name", json!("execute_tool")),
            ("gen_ai.tool.name", json!("search")),
        ],
    };
    Span {
        trace: n.into(),
        id: (n << 8) + id,
        parent: (n << 8) + 1,
        name: if asks(id) { "chat" } else { "search" }.into(),
        kind: 1,
        start,
        end,
        service: "agent".into(),
        attributes,
        ..Span::default()
    }
}

fn noise(run: &Run, n: u64) -> Option<&Claim> {
    let of = |d: &&agentdiag::diagnose::Diagnosis| {
        run.forest.requests[d.request as usize].trace.0 == u128::from(n)
    };
    let diagnosis = run.verdicts.diagnoses.iter().find(of)?;
    let mut claims = diagnosis.claims.iter();
    claims.find(|claim| claim.cause == Cause::NoisyNeighbour)
}

#[test]
fn what_slowed_the_calls_around_slowed_the_one_that_left_no_span() {
    let (run, lost) = requests(100..130);
    let within: Vec<u64> = lost.range(105..125).copied().collect();
    assert!(within.len() >= 3, "{within:?}");
    let whole = |n: u64| noise(&run, n).map_or(0.0, |c| c.explains.as_millis()) > 2.7 * SLOWED;
    let found = within.iter().filter(|n| whole(**n)).count();
    assert!(2 * found > within.len(), "{found} of {within:?}");
}

#[test]
fn where_nothing_is_slow_a_lost_call_is_nobodys_fault() {
    let (run, lost) = requests(0..0);
    assert!(lost.len() > 20);
    assert!(lost.iter().all(|n| noise(&run, *n).is_none()));
    assert!(run.verdicts.diagnoses.iter().all(|d| !d.slow));
}
