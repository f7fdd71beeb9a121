//! What a call shows next to others: the call before it, the calls around it, the same client's calls at
//! home. Dumps made for it, of one agent that sends the same kind of request again and again.

use agentdiag::diagnose::{Cause, Claim, Diagnosis};
use serde_json::{Value, json};

use crate::damage::Draw;
use crate::otlp::{Span, dump};
use crate::pipeline::{Run, run};

const BEGIN: u64 = 1_778_572_800_000_000_000;
const MS: u64 = 1_000_000;
/// From the start of one request to the start of the next, milliseconds: one at a time, and several.
const APART: u64 = 20_000;
const CLOSE: u64 = 1_000;

/// A model call, milliseconds and tokens; the server computes five tokens a millisecond, writes one in twenty
/// milliseconds, and needs 100 milliseconds besides.
#[derive(Clone, Copy)]
struct Call {
    /// The agent's pause before it.
    after: f64,
    input: u32,
    cached: u32,
    output: u32,
    /// Time to the first token beyond what the prompt takes, and from there beyond what the output takes.
    late: (f64, f64),
    address: &'static str,
    resends: u32,
}

const CALL: Call = Call {
    after: 5.0,
    input: 2_000,
    cached: 1_500,
    output: 60,
    late: (0.0, 0.0),
    address: "home",
    resends: 0,
};

/// Requests that start at regular intervals, each of the given calls one after the other.
fn requests(count: u64, apart: u64, calls: impl Fn(u64) -> Vec<Call>) -> Run {
    let mut draw = Draw(5);
    let mut spans = Vec::new();
    for n in 1..=count {
        let begin = BEGIN + n * apart * MS;
        let (root, mut now) = (spans.len(), begin);
        spans.push(span(n, 1, 0, "task", begin, "invoke_agent"));
        for (call, id) in calls(n).into_iter().zip(2..) {
            now += (call.after * MS as f64) as u64;
            let natural = 1.0 + 0.05 * draw.next();
            let computed = f64::from(call.input - call.cached);
            let first = natural * (100.0 + computed / 5.0) + call.late.0;
            let rest = natural * 20.0 * f64::from(call.output) + call.late.1;
            let mut step = span(n, id, 1, "chat", now, "chat");
            now += ((first + rest) * MS as f64) as u64;
            step.end = now;
            step.attributes.extend([
                ("gen_ai.request.model", json!("m")),
                ("server.address", json!(call.address)),
                ("gen_ai.usage.input_tokens", json!(call.input)),
                ("gen_ai.usage.cache_read.input_tokens", json!(call.cached)),
                ("gen_ai.usage.output_tokens", json!(call.output)),
                ("gen_ai.response.time_to_first_chunk", json!(first / 1e3)),
            ]);
            if call.resends > 0 {
                let resends: Value = call.resends.into();
                step.attributes.push(("http.request.resend_count", resends));
            }
            spans.push(step);
        }
        spans[root].end = now;
    }
    run(dump(&spans), 2)
}

fn span(n: u64, id: u64, parent: u64, name: &str, start: u64, operation: &str) -> Span {
    Span {
        trace: n.into(),
        id: (n << 40) + id,
        parent: if parent == 0 { 0 } else { (n << 40) + parent },
        name: name.into(),
        kind: 1,
        start,
        service: "agent".into(),
        attributes: vec![("gen_ai.operation.name", json!(operation))],
        ..Span::default()
    }
}

/// Two rounds: the second finds the first one's prompt in the cache.
fn rounds() -> Vec<Call> {
    let second = Call {
        input: 2_400,
        cached: 2_000,
        ..CALL
    };
    vec![CALL, second]
}

fn verdict(run: &Run, n: u64) -> &Diagnosis {
    let of = |d: &&Diagnosis| run.forest.requests[d.request as usize].trace.0 == u128::from(n);
    run.verdicts.diagnoses.iter().find(of).unwrap()
}

fn claim(run: &Run, n: u64, cause: Cause) -> Option<&Claim> {
    verdict(run, n).claims.iter().find(|c| c.cause == cause)
}

#[test]
fn a_pause_after_which_more_was_cached_than_was_sent_before_lost_a_call() {
    let paused = |cached: u32| {
        requests(40, APART, |n| {
            let mut calls = rounds();
            if n == 20 {
                calls[1].after = 5_000.0;
                (calls[1].input, calls[1].cached) = (4_000, cached);
            }
            calls
        })
    };
    let stalled = paused(2_000);
    assert_eq!(verdict(&stalled, 20).primary, Some(Cause::OrchestrationGap));
    let lost = paused(3_600);
    assert!(claim(&lost, 20, Cause::OrchestrationGap).is_none());
    assert_eq!(verdict(&lost, 20).primary, None);
}

#[test]
fn attempts_inside_a_call_cost_the_wait_for_its_first_token_and_no_more() {
    let run = requests(40, APART, |n| {
        let mut calls = rounds();
        if n == 20 {
            (calls[1].resends, calls[1].late) = (2, (1_500.0, 4_000.0));
        }
        calls
    });
    let retry = claim(&run, 20, Cause::RetryCascade).unwrap();
    let millis = retry.explains.as_millis();
    assert!((millis - 1_500.0).abs() < 100.0, "{millis}");
    assert_eq!(retry.evidence.first.fact, "hidden_attempts");
    // Where the first token was timed from the last attempt on, nothing is before it.
    let run = requests(40, APART, |n| {
        let mut calls = rounds();
        if n == 20 {
            (calls[1].resends, calls[1].late) = (2, (0.0, 4_000.0));
        }
        calls
    });
    let retry = claim(&run, 20, Cause::RetryCascade).unwrap();
    let millis = retry.explains.as_millis();
    assert!((millis - 4_000.0).abs() < 200.0, "{millis}");
}

#[test]
fn a_giant_prompt_burdens_its_neighbours_until_its_queue_is_worked_off() {
    let giant_at = |giant: u64| {
        requests(60, APART, |n| {
            let mut calls = rounds();
            if n == giant {
                calls[1].input = 80_000;
            }
            if n == 31 {
                calls[0].late = (3_000.0, 0.0);
            }
            calls
        })
    };
    let fact = |run: &Run| {
        let noise = claim(run, 31, Cause::NoisyNeighbour).unwrap();
        noise.evidence.first.fact
    };
    // The request before brings a prompt of sixteen seconds and is done three before the next begins.
    assert_eq!(fact(&giant_at(30)), "neighbour_prefill");
    assert_eq!(fact(&giant_at(25)), "slowdown");
}

#[test]
fn elsewhere_is_no_slower_than_home_would_have_been() {
    let away = |slow_at_home: f64| {
        requests(80, CLOSE, |n| {
            let mut calls = rounds();
            for call in &mut calls {
                if n % 10 == 5 {
                    call.address = "elsewhere";
                }
                if n == 45 {
                    call.late = (0.0, 3_000.0);
                } else if n.abs_diff(45) <= 8 {
                    call.late = (0.0, slow_at_home);
                }
            }
            calls
        })
    };
    assert_eq!(verdict(&away(0.0), 45).primary, Some(Cause::RoutingChange));
    let routing =
        |run: &Run| claim(run, 45, Cause::RoutingChange).map_or(0.0, |c| c.explains.as_millis());
    let (calm, loaded) = (routing(&away(0.0)), routing(&away(3_000.0)));
    assert!(calm > 2_500.0, "{calm}");
    assert!(loaded < 0.2 * calm, "{loaded} of {calm}");
}

#[test]
fn a_call_that_others_overtook_did_not_queue() {
    let waited = |calls: std::ops::RangeInclusive<u64>, rest: f64| {
        requests(60, CLOSE, |n| {
            let mut own = rounds();
            if calls.contains(&n) {
                // Those that came later had their first token at the same time.
                let late = 9_000.0 - (n - calls.start()) as f64 * CLOSE as f64;
                own[0].late = (late, rest);
            }
            own
        })
    };
    let alone = waited(30..=30, 0.0);
    let retry = claim(&alone, 30, Cause::RetryCascade).unwrap();
    assert_eq!(retry.evidence.first.fact, "overtaken_by");
    assert!((retry.explains.as_millis() - 9_000.0).abs() < 100.0);
    assert_eq!(verdict(&alone, 30).primary, Some(Cause::RetryCascade));
    // In a queue everybody behind waits as well; and a crowded server goes on slowly after the first token.
    for run in [waited(30..=38, 0.0), waited(30..=30, 4_000.0)] {
        assert!(claim(&run, 30, Cause::RetryCascade).is_none());
    }
}
