//! Where time went, and where it would have gone.

use super::*;
use crate::trace::{Cuts, Part, Repeats, Request, critical_path, phases, replay};

fn request(spans: &[S], change: impl FnOnce(&mut Dump)) -> Built {
    let mut dump = Dump::of(spans);
    change(&mut dump);
    dump.build()
}

fn parts(built: &Built) -> Vec<(&'static str, u64)> {
    let named = built.forest.requests[0].parts.named();
    let some = named.into_iter().filter(|(_, time)| *time > Nanos::ZERO);
    some.map(|(name, time)| (name, time.0 / 1_000_000))
        .collect()
}

fn known(millis: u64) -> Option<Known<Nanos>> {
    Some(Known::attribute(Nanos(millis * 1_000_000)))
}

/// A failed attempt, a wait, a call, two tools at once, a pause, a retrieval, a wait for a person.
fn mixed() -> Vec<S> {
    vec![
        span(1, 0, Op::Task, 0, 3_000),
        span(2, 1, Op::Llm, 100, 200).failed(),
        span(3, 1, Op::Llm, 350, 850),
        span(4, 1, Op::Tool, 900, 1_300),
        span(5, 1, Op::Tool, 1_000, 1_200),
        span(6, 1, Op::Retrieval, 1_500, 1_600),
        span(7, 1, Op::HumanWait, 1_600, 2_600),
        span(8, 1, Op::Embedding, 2_600, 2_700),
    ]
}

/// An agent that calls a model and a tool under another, which calls a tool after it.
fn delegating() -> [S; 5] {
    [
        span(1, 0, Op::Task, 0, 1_000),
        span(2, 1, Op::Agent, 100, 900),
        span(3, 2, Op::Llm, 200, 500),
        span(4, 2, Op::Tool, 550, 600),
        span(5, 1, Op::Tool, 950, 960),
    ]
}

#[test]
fn every_millisecond_goes_to_one_part() {
    let built = request(&mixed(), |dump| {
        dump.call(3, |call| call.first_token = known(150))
    });
    assert_eq!(
        parts(&built),
        [
            ("prefill", 150),
            ("decode", 350),
            ("tool", 400),
            ("retrieval", 200),
            ("failed_attempts", 100),
            ("retry_wait", 150),
            ("gap", 100 + 50 + 200 + 300),
            ("other", 1_000),
        ]
    );
    assert_eq!(built.forest.requests[0].parts.total(), Nanos(3_000_000_000));
    let path = critical_path(&built.data, &built.forest, &built.forest.requests[0]);
    let ends: Vec<Nanos> = path.iter().map(|s| s.window.end).collect();
    let starts: Vec<Nanos> = path.iter().map(|s| s.window.start).collect();
    assert_eq!((starts[0], *ends.last().unwrap()), (at(0), at(3_000)));
    assert_eq!(starts[1..], ends[..ends.len() - 1]);
    let tools = path.iter().filter(|s| s.part == Part::Tool);
    let tools: Vec<_> = tools
        .map(|s| built.data.origins[s.span.unwrap() as usize].id.0)
        .collect();
    assert_eq!(tools, [4], "the one that ended last held it up");
}

#[test]
fn model_time_is_split_as_far_as_it_was_measured() {
    let split = |change: fn(&mut LlmCall)| {
        let spans = [span(1, 0, Op::Task, 0, 500), span(2, 1, Op::Llm, 0, 500)];
        parts(&request(&spans, |dump| dump.call(2, change)))
    };
    assert_eq!(split(|_| {}), [("model_unsplit", 500)]);
    assert_eq!(
        split(|call| call.first_token = known(900)),
        [("prefill", 500)]
    );
    let by_server = |call: &mut LlmCall| {
        call.first_token = known(70);
        (call.queue, call.prefill, call.decode) = (known(100), known(50), known(300));
    };
    assert_eq!(
        split(by_server),
        [
            ("queue", 100),
            ("prefill", 50),
            ("decode", 300),
            ("other", 50)
        ]
    );
    assert_eq!(
        split(|call| call.prefill = known(200)),
        [("prefill", 200), ("other", 300)]
    );
    assert_eq!(split(|call| call.decode = known(600)), [("decode", 500)]);
}

#[test]
fn a_sub_agents_time_is_what_it_did() {
    let built = request(&delegating(), |_| {});
    assert_eq!(
        parts(&built),
        [("model_unsplit", 300), ("tool", 60), ("gap", 640)]
    );
    let op = built
        .forest
        .ops
        .iter()
        .find(|op| op.opens != crate::trace::NO_LANE)
        .unwrap();
    let own = phases(&built.data, op);
    assert_eq!(
        (own.len(), own[0].part, own[0].window.len()),
        (1, Part::Other, Nanos(800_000_000))
    );
    let bare = request(&[span(1, 0, Op::Task, 0, 1_000)], |_| {});
    assert_eq!(parts(&bare), [("other", 1_000)]);
}

/// Milliseconds that a request would have taken.
fn without(built: &Built, cut: impl FnOnce(&Request, &mut Cuts)) -> u64 {
    let request = &built.forest.requests[0];
    let mut cuts = Cuts::none(request);
    assert!(cuts.is_empty());
    cut(request, &mut cuts);
    replay(&built.forest, request, &cuts).0 / 1_000_000
}

const MS: i64 = 1_000_000;

#[test]
fn what_is_taken_out_moves_all_that_waited_for_it_and_nothing_else() {
    let built = request(&mixed(), |_| {});
    assert_eq!(without(&built, |_, _| {}), 3_000);
    // Operations by start: attempt, call, both tools, retrieval, person, embedding.
    assert_eq!(without(&built, |_, c| c.ops[1] = 200 * MS), 2_800);
    assert_eq!(without(&built, |_, c| c.gaps[1] = 100 * MS), 2_900);
    assert_eq!(without(&built, |_, c| c.tails[0] = 50 * MS), 2_950);
    assert_eq!(
        without(&built, |_, c| c.ops[3] = 150 * MS),
        3_000,
        "the other tool ran all the while"
    );
    assert_eq!(
        without(&built, |_, c| c.ops[2] = 300 * MS),
        2_900,
        "then this one holds it up"
    );
    assert_eq!(
        without(&built, |_, c| c.ops[0] = 500 * MS),
        2_900,
        "no more than there was"
    );
    assert_eq!(without(&built, |_, c| c.ops[0] = -70 * MS), 3_070);
    assert_eq!(
        without(&built, |_, c| {
            (c.ops[1], c.gaps[1]) = (500 * MS, 150 * MS);
        }),
        2_350
    );
}

#[test]
fn cuts_inside_a_sub_agent_shorten_it() {
    let built = request(&delegating(), |_| {});
    // Those of the request's own lane come first: the agent, the tool, and then the agent's call and tool.
    assert_eq!(without(&built, |_, c| c.ops[2] = 250 * MS), 750);
    assert_eq!(without(&built, |_, c| c.tails[1] = 300 * MS), 700);
    assert_eq!(without(&built, |_, c| c.gaps[3] = 50 * MS), 950);
    assert_eq!(without(&built, |_, c| c.ops[1] = 10 * MS), 990);
}

#[test]
fn what_overlaps_by_less_than_twenty_milliseconds_came_one_after_the_other() {
    let overlap = |millis: u64| {
        let spans = [
            span(1, 0, Op::Task, 0, 1_000),
            span(2, 1, Op::Tool, 100, 500),
            span(3, 1, Op::Tool, 500 - millis, 900),
        ];
        let built = request(&spans, |_| {});
        without(&built, |_, c| c.ops[0] = 200 * MS)
    };
    assert_eq!((overlap(20), overlap(21)), (800, 1_000));
}

#[test]
fn cuts_add_up() {
    let built = request(&mixed(), |_| {});
    let request = &built.forest.requests[0];
    let mut sum = Cuts::none(request);
    let mut one = Cuts::none(request);
    (one.ops[1], one.gaps[2], one.tails[0]) = (5, 6, 7);
    assert!(!one.is_empty());
    sum.add(&one);
    sum.add(&one);
    assert_eq!((sum.ops[1], sum.gaps[2], sum.tails[0]), (10, 12, 14));
}

#[test]
fn repeats_are_calls_that_a_model_asked_for_again() {
    let of = |tools: &[(u64, Option<u8>, bool)], models: &[u64]| {
        let mut spans = vec![span(1, 0, Op::Task, 0, 9_000)];
        for ((start, _, failed), id) in tools.iter().zip(10..) {
            let tool = span(id, 1, Op::Tool, *start, start + 50);
            spans.push(if *failed { tool.failed() } else { tool });
        }
        spans.extend(
            models
                .iter()
                .map(|start| span(100 + start, 1, Op::Llm, *start, start + 10)),
        );
        let built = request(&spans, |dump| {
            for ((_, arguments, _), id) in tools.iter().zip(10..) {
                dump.tool(id, "t", *arguments);
            }
        });
        let repeats = Repeats::find(&built.data, &built.forest);
        repeats
            .of(0)
            .iter()
            .map(|r| (r.times, r.tool, r.round))
            .collect::<Vec<_>>()
    };
    let same = Some(1);
    assert_eq!(
        of(
            &[(100, same, false), (300, same, false), (500, same, false)],
            &[250, 450]
        ),
        [(2, 2, 1), (3, 4, 3)]
    );
    assert_eq!(of(&[(100, same, false), (300, same, false)], &[50]), []);
    assert_eq!(of(&[(100, same, false), (300, Some(2), false)], &[250]), []);
    assert_eq!(
        of(
            &[(100, None, true), (300, None, false), (500, None, false)],
            &[250, 450]
        ),
        [(2, 2, 1)]
    );
    assert_eq!(of(&[(100, None, false), (300, None, false)], &[250]), []);
}
