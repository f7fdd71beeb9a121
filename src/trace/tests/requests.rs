//! Which spans are a request, and what is counted of it.

use super::*;
use crate::model::Round;
use crate::trace::{RootState, StepKind, tops};
use crate::units::Small;

#[test]
fn a_request_without_its_root_lasts_from_its_first_span_to_its_last() {
    let built = Dump::of(&[
        span(2, 9, Op::Step, 100, 500),
        span(3, 9, Op::Step, 700, 900),
        span(4, 3, Op::Tool, 710, 950),
    ])
    .build();
    let [request] = &built.forest.requests[..] else {
        panic!("{:?}", built.forest.requests)
    };
    assert_eq!(request.root_state, RootState::Missing);
    assert_eq!((request.wall.start, request.wall.end), (at(100), at(950)));
    assert_eq!((request.spans, built.forest.loss.rootless), (3, 1));
    assert_eq!(built.total(IssueKind::MissingRoot), 1);
    assert!(request.repairs.0 & 1 << 5 != 0);
    let ids = tops(&built.data, &built.forest, request);
    assert_eq!(ids.len(), 2);
    assert_eq!(
        (built.forest.window().start, built.forest.window().end),
        (at(100), at(950))
    );
}

#[test]
fn several_roots_of_a_trace_are_several_requests_where_they_hold_work() {
    let count = |spans: &[S]| {
        let built = Dump::of(spans).build();
        built
            .forest
            .requests
            .iter()
            .map(|r| r.spans)
            .collect::<Vec<_>>()
    };
    let agent = |id, start| span(id, 0, Op::Agent, start, start + 100);
    assert_eq!(count(&[agent(1, 0), agent(2, 500)]), [1, 1]);
    assert_eq!(
        count(&[agent(1, 0), span(2, 1, Op::Tool, 10, 20), agent(3, 500)]),
        [2, 1]
    );
    let other = |id, start| span(id, 0, Op::Other, start, start + 100);
    assert_eq!(
        count(&[other(1, 0), other(2, 500)]),
        [2],
        "nothing but two records of one"
    );
    assert_eq!(
        count(&[other(1, 0), span(2, 1, Op::Llm, 10, 20), other(3, 500)]),
        [2, 1]
    );
    assert_eq!(
        count(&[agent(1, 0), agent(2, 500), span(3, 9, Op::Other, 900, 950)]),
        [1, 1, 1]
    );
    assert_eq!(count(&[]), [0; 0]);
}

#[test]
fn an_open_root_makes_a_request_unfinished() {
    let built = Dump::of(&[
        span(1, 0, Op::Agent, 0, 0).flagged(SpanFlags::NO_END),
        span(2, 1, Op::Tool, 100, 700).failed(),
    ])
    .build();
    let request = &built.forest.requests[0];
    assert_eq!(
        (request.root_state, request.wall.end),
        (RootState::Unfinished, at(700))
    );
    assert_eq!(
        (request.errors, request.tool_calls, built.forest.errors),
        (1, 1, 1)
    );
    assert_eq!(tops(&built.data, &built.forest, request), [request.root]);
}

#[test]
fn work_beyond_its_root_is_marked() {
    let marked = |start, end| {
        let spans = [
            span(1, 0, Op::Agent, 100, 1_000),
            span(2, 1, Op::Tool, start, end),
        ];
        Dump::of(&spans).build().forest.requests[0].repairs.0 >> 7
    };
    assert_eq!(
        (marked(100, 1_000), marked(100, 1_001), marked(99, 900)),
        (0, 1, 1)
    );
}

#[test]
fn calls_tokens_and_retries_are_counted_once() {
    let mut dump = Dump::of(&[
        span(1, 0, Op::Task, 0, 9_000),
        span(2, 1, Op::Llm, 100, 200).failed(),
        span(3, 1, Op::Llm, 300, 900),
        span(4, 1, Op::Tool, 1_000, 1_100),
        span(5, 1, Op::Llm, 1_200, 1_900),
        span(6, 1, Op::Retrieval, 2_000, 2_100),
        span(7, 1, Op::Llm, 2_200, 2_900),
    ]);
    for (id, used, resends) in [(3, 100, 2), (5, 200, 0), (7, 300, 1)] {
        dump.call(id, |call| {
            call.input = tokens(used);
            call.cached = tokens(used / 2);
            call.output = tokens(used / 10);
            call.resends = Some(resends);
        });
    }
    dump.call(7, |call| call.http_status = Some(400));
    let built = dump.build();
    let request = &built.forest.requests[0];
    assert_eq!((request.llm_calls, request.tool_calls), (4, 1));
    assert_eq!(request.input_tokens, Some(600));
    assert_eq!(
        (request.cached_tokens, request.output_tokens),
        (Some(300), Some(60))
    );
    assert_eq!(
        request.retries,
        3 + 2,
        "resends, and two attempts that failed"
    );
    assert!(!request.rolled_up);
}

#[test]
fn sums_of_groups_are_used_where_no_call_shows_usage() {
    let of = |own: Option<u32>, flags: u8| {
        let mut dump = Dump::of(&[
            span(1, 0, Op::Task, 0, 9_000).flagged(flags),
            span(2, 1, Op::Llm, 100, 200),
        ]);
        let facts = dump.task(1);
        facts.rollup_input = Some(Small::new(70));
        facts.rollup_output = Some(Small::new(7));
        dump.call(2, |call| call.output = own.and_then(tokens));
        let built = dump.build();
        let request = &built.forest.requests[0];
        (
            request.input_tokens,
            request.output_tokens,
            request.rolled_up,
        )
    };
    assert_eq!(of(None, SpanFlags::ROLLUP), (Some(70), Some(7), true));
    assert_eq!(of(Some(5), SpanFlags::ROLLUP), (None, Some(5), false));
    let mut nested = Dump::of(&[
        span(1, 0, Op::Task, 0, 9_000),
        span(2, 1, Op::Agent, 0, 9_000),
        span(3, 2, Op::Llm, 1, 2),
    ]);
    for id in [1, 2] {
        nested.task(id).rollup_input = Some(Small::new(70));
    }
    let request = &nested.build().forest.requests[0];
    assert_eq!(request.input_tokens, Some(70), "that of the outermost");
}

/// How often a tool was asked for again.
fn retries(tools: &[(u64, u64, &str, Option<u8>, bool)], models: &[u64]) -> u32 {
    let mut spans = vec![span(1, 0, Op::Task, 0, 9_000)];
    for ((start, end, _, _, failed), id) in tools.iter().zip(10..) {
        let tool = span(id, 1, Op::Tool, *start, *end);
        spans.push(if *failed { tool.failed() } else { tool });
    }
    spans.extend(
        models
            .iter()
            .map(|start| span(100 + start, 1, Op::Llm, *start, start + 10)),
    );
    let mut dump = Dump::of(&spans);
    for ((_, _, name, arguments, _), id) in tools.iter().zip(10..) {
        dump.tool(id, name, *arguments);
    }
    dump.build().forest.requests[0].retries
}

#[test]
fn a_tool_that_was_asked_for_again_is_a_retry() {
    let again = [
        (100, 200, "t", Some(1), false),
        (300, 400, "t", Some(1), false),
    ];
    assert_eq!(retries(&again, &[250]), 1);
    assert_eq!(retries(&again, &[500]), 0, "no call asked in between");
    assert_eq!(retries(&again, &[]), 1, "calls are not on record");
    let at_once = [
        (100, 200, "t", Some(1), false),
        (150, 400, "t", Some(1), false),
    ];
    assert_eq!(retries(&at_once, &[]), 0);
    let other = [
        (100, 200, "t", Some(1), false),
        (300, 400, "t", Some(2), false),
    ];
    assert_eq!(retries(&other, &[250]), 0);
    let named = [
        (100, 200, "t", Some(1), false),
        (300, 400, "u", Some(1), false),
    ];
    assert_eq!(retries(&named, &[250]), 0);
    let failed = [
        (100, 200, "t", None, true),
        (300, 400, "t", None, false),
        (500, 600, "t", None, false),
    ];
    assert_eq!(
        retries(&failed, &[250, 450]),
        1,
        "after it failed, without arguments on record"
    );
}

#[test]
fn a_request_is_called_what_is_nearest_its_root() {
    let mut dump = Dump::of(&[
        span(1, 0, Op::Task, 0, 9_000).named("root"),
        span(2, 1, Op::Agent, 100, 200),
        span(3, 2, Op::Llm, 110, 190),
    ]);
    let said = |dump: &mut Dump, text: &str| dump.data.names.intern(text);
    let (agent, kind, tenant, talk) = (
        said(&mut dump, "a"),
        said(&mut dump, "k"),
        said(&mut dump, "t"),
        said(&mut dump, "c"),
    );
    dump.call(3, |call| call.conversation = talk);
    let name = |mut dump: Dump, change: &dyn Fn(&mut Dump)| {
        change(&mut dump);
        let built = dump.build();
        let r = &built.forest.requests[0];
        [r.kind, r.agent, r.tenant, r.conversation].map(|s| built.data.text(s).to_owned())
    };
    let again = |data: &Dataset| Dump { data: data.clone() };
    assert_eq!(name(again(&dump.data), &|_| {}), ["root", "", "", "c"]);
    assert_eq!(
        name(again(&dump.data), &|d| d.task(2).agent = agent),
        ["a", "a", "", "c"]
    );
    let both = |d: &mut Dump| {
        d.task(2).agent = agent;
        d.task(1).task_type = kind;
        d.task(1).tenant = tenant;
        d.task(2).conversation = kind;
    };
    assert_eq!(name(dump, &both), ["k", "a", "t", "k"]);
}

fn kinds(built: &Built) -> Vec<(StepKind, u32, bool)> {
    let ops = built.forest.ops.iter();
    ops.map(|op| (op.kind, op.lane, op.opens != crate::trace::NO_LANE))
        .collect()
}

#[test]
fn agents_and_tools_that_call_models_have_a_lane_of_their_own() {
    let built = Dump::of(&[
        span(1, 0, Op::Task, 0, 9_000),
        span(2, 1, Op::Agent, 100, 500),
        span(3, 2, Op::Llm, 110, 190),
        span(4, 1, Op::Tool, 600, 900),
        span(5, 4, Op::Llm, 610, 690),
        span(6, 1, Op::Tool, 1_000, 1_100),
        span(7, 1, Op::Agent, 1_200, 1_300),
        span(8, 1, Op::HumanWait, 1_400, 1_500),
        span(9, 1, Op::Agent, 1_600, 1_800),
        span(10, 9, Op::Retrieval, 1_610, 1_620),
    ])
    .build();
    use StepKind::{Group, Human, Model, Tool};
    assert_eq!(
        kinds(&built),
        [
            (Group, 0, true),
            (Tool, 0, true),
            (Tool, 0, false),
            (Human, 0, false),
            (Group, 0, true),
            (Model, 1, false),
            (Model, 2, false),
            (Tool, 3, false),
        ]
    );
}

/// When the model worked, of a call from 100 to 900 milliseconds.
fn worked(more: &[S], change: impl FnOnce(&mut LlmCall)) -> (u64, u64) {
    let mut spans = vec![
        span(1, 0, Op::Task, 0, 9_000),
        span(2, 1, Op::Step, 50, 2_000),
        span(3, 2, Op::Llm, 100, 900),
    ];
    spans.extend_from_slice(more);
    let mut dump = Dump::of(&spans);
    dump.call(3, change);
    let built = dump.build();
    let op = built
        .forest
        .ops
        .iter()
        .find(|op| op.kind == StepKind::Model)
        .unwrap();
    let millis = |time: Nanos| (time.0 - at(0).0) / 1_000_000;
    (millis(op.window.start), millis(op.window.end))
}

#[test]
fn a_call_that_stays_open_for_its_tools_worked_until_the_first_of_them() {
    let known = |millis: u64| Some(Known::attribute(Nanos(millis * 1_000_000)));
    assert_eq!(worked(&[], |_| {}), (100, 900));
    let tool = span(4, 3, Op::Tool, 400, 800);
    assert_eq!(worked(&[tool], |_| {}), (100, 400));
    assert_eq!(
        worked(&[tool], |call| call.model_time = known(250)),
        (100, 350)
    );
    assert_eq!(
        worked(&[tool], |call| call.model_time = known(500)),
        (100, 400)
    );
    let http = span(4, 3, Op::Http, 400, 800);
    assert_eq!(worked(&[http], |_| {}), (100, 900));
}

#[test]
fn a_call_whose_first_token_came_after_its_end_lasted_as_long_as_its_step() {
    let first = |millis: u64| {
        move |call: &mut LlmCall| {
            call.first_token = Some(Known::attribute(Nanos(millis * 1_000_000)))
        }
    };
    assert_eq!(worked(&[], first(801)), (100, 900));
    assert_eq!(worked(&[], first(802)), (100, 2_000));
    assert_eq!(
        worked(&[], first(3_000)),
        (100, 3_100),
        "at least until the first token"
    );
    let next = span(4, 2, Op::Tool, 1_500, 1_900);
    assert_eq!(
        worked(&[next], first(1_000)),
        (100, 1_100),
        "the step waited for something else"
    );
}

#[test]
fn loss_is_what_groups_declare_and_their_calls_do_not_show() {
    let of = |declared: u32, calls: &[u32]| {
        let mut spans = vec![
            span(1, 0, Op::Task, 0, 9_000),
            span(2, 1, Op::Agent, 0, 9_000),
        ];
        spans.extend(
            calls
                .iter()
                .zip(3..)
                .map(|(_, id)| span(id, 2, Op::Llm, id * 100, id * 100 + 50)),
        );
        let mut dump = Dump::of(&spans);
        for (used, id) in calls.iter().zip(3..) {
            dump.call(id, |call| call.input = tokens(*used));
        }
        for id in [1, 2] {
            dump.task(id).rollup_input = Some(Small::new(declared));
        }
        let built = dump.build();
        let loss = built.forest.loss;
        // Either way round, a sum that differs by more is noted.
        let differs = u64::from(calls.iter().sum::<u32>().abs_diff(declared) > 10);
        if calls.len() == 2 {
            assert_eq!(
                built.total(IssueKind::RollupMismatch),
                differs,
                "{declared}"
            );
        }
        (loss.tokens_declared, loss.tokens_seen)
    };
    assert_eq!(of(989, &[400, 600]), (0, 0));
    // More than one percent, counted at the topmost group alone.
    assert_eq!(of(1_010, &[400, 600]), (0, 0));
    assert_eq!(of(1_011, &[400, 600]), (1_011, 1_000));
    assert_eq!((of(51, &[50]), of(52, &[50])), ((0, 0), (52, 50)));
    assert_eq!(of(500, &[]), (0, 0), "nothing is shown");
}

#[test]
fn steps_that_were_declared_and_are_not_there_are_lost() {
    let of = |declared: u32, steps: u64, calls: u64| {
        let mut spans = vec![span(1, 0, Op::Task, 0, 9_000)];
        spans.extend((10..10 + steps).map(|id| span(id, 1, Op::Step, id * 10, id * 10 + 5)));
        spans.extend((100..100 + calls).map(|id| span(id, 1, Op::Llm, id * 10, id * 10 + 5)));
        let mut dump = Dump::of(&spans);
        dump.task(1).declared_steps = Some(Small::new(declared));
        let loss = dump.build().forest.loss;
        (loss.steps_declared, loss.steps_seen)
    };
    assert_eq!(
        (of(3, 3, 0), of(3, 2, 9), of(3, 0, 1)),
        ((0, 0), (3, 2), (3, 1))
    );
}

#[test]
fn parents_that_are_named_and_absent_count_once() {
    let built = Dump::of(&[
        span(1, 0, Op::Task, 0, 9_000),
        span(2, 77, Op::Tool, 10, 20),
        span(3, 77, Op::Tool, 30, 40),
        span(4, 78, Op::Tool, 50, 60),
        span(5, 1, Op::Tool, 70, 80),
    ])
    .build();
    assert_eq!(built.forest.loss.absent_parents, 2);
    assert!(!built.forest.loss.is_none());
    assert!(
        Dump::of(&[span(1, 0, Op::Task, 0, 9_000)])
            .build()
            .forest
            .loss
            .is_none()
    );
}

#[test]
fn numbers_missing_between_steps_count_by_name_or_by_attribute() {
    let of = |names: &[&'static str], numbers: &[u32]| {
        let mut spans = vec![span(1, 0, Op::Task, 0, 9_000)];
        let steps = names.iter().zip(10..);
        spans.extend(steps.map(|(name, id)| span(id, 1, Op::Step, id, id + 5).named(name)));
        let mut dump = Dump::of(&spans);
        let trace = dump.data.records[0].trace;
        let rounds = numbers.iter().map(|&number| Round { trace, number });
        dump.data.rounds = rounds.collect();
        dump.build().forest.loss.step_gaps
    };
    assert_eq!(of(&["step 1", "step 4"], &[]), 2);
    assert_eq!(of(&["step 3"], &[]), 2, "they count from one");
    assert_eq!(
        of(&[], &[5, 8]),
        2,
        "attributes may go on from an earlier run"
    );
    assert_eq!(of(&["step 1", "step 4"], &[5, 9]), 3, "the larger of both");
    assert_eq!(of(&["step", "other"], &[]), 0);
}

#[test]
fn requests_missing_within_a_conversation_are_counted() {
    let of = |turns: &[(u32, bool)]| {
        let spans: Vec<S> = turns
            .iter()
            .zip(1..)
            .map(|(_, id)| span(id, 0, Op::Task, id * 1_000, id * 1_000 + 10).of(id))
            .collect();
        let mut dump = Dump::of(&spans);
        let talk = dump.data.names.intern("c");
        for ((turn, told), id) in turns.iter().zip(1..) {
            let facts = dump.task(id);
            facts.turn = Some(Small::new(*turn));
            facts.conversation = if *told { talk } else { Sym::NONE };
        }
        dump.build().forest.loss.turn_gaps
    };
    assert_eq!(of(&[(4, true), (7, true), (9, true)]), 3);
    assert_eq!(of(&[(4, false), (7, false)]), 0);
}

#[test]
fn losses_of_parts_add_up() {
    let one = crate::trace::Loss {
        absent_parents: 1,
        rootless: 2,
        steps_declared: 3,
        steps_seen: 4,
        step_gaps: 5,
        turn_gaps: 6,
        tokens_declared: 7,
        tokens_seen: 8,
    };
    let mut twice = one;
    twice.absorb(one);
    let expected = crate::trace::Loss {
        absent_parents: 2,
        rootless: 4,
        steps_declared: 6,
        steps_seen: 8,
        step_gaps: 10,
        turn_gaps: 12,
        tokens_declared: 14,
        tokens_seen: 16,
    };
    assert_eq!(twice, expected);
}

#[test]
fn traces_come_by_their_first_start_whatever_the_order_they_were_read_in() {
    let built = Dump::of(&[
        span(7, 0, Op::Task, 500, 600).of(3),
        span(9, 8, Op::Tool, 110, 120).of(2),
        span(8, 0, Op::Task, 100, 200).of(2),
        span(6, 5, Op::Tool, 100, 101).of(1),
        span(5, 0, Op::Task, 100, 200).of(1),
    ])
    .build();
    let ids = built.data.origins.iter().map(|s| s.id.0);
    assert_eq!(ids.collect::<Vec<_>>(), [5, 6, 8, 9, 7]);
    assert_eq!(built.forest.tree.traces, [0..2, 2..4, 4..5]);
    let starts = built.forest.requests.iter().map(|r| r.wall.start);
    assert_eq!(starts.collect::<Vec<_>>(), [at(100), at(100), at(500)]);
    assert_eq!((built.forest.traces, built.forest.roots), (3, 3));
}

#[test]
fn the_rest_of_a_trace_with_other_requests_is_shown_by_itself() {
    let built = Dump::of(&[
        span(1, 0, Op::Agent, 0, 100),
        span(2, 0, Op::Agent, 500, 600),
        span(3, 9, Op::Other, 900, 950),
        span(4, 9, Op::Other, 960, 970),
    ])
    .build();
    let rest = built
        .forest
        .requests
        .iter()
        .find(|r| r.root_state == RootState::Missing)
        .unwrap();
    let ids = tops(&built.data, &built.forest, rest).into_iter();
    let ids = ids.map(|span| built.data.origins[span as usize].id.0);
    assert_eq!(ids.collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn a_sub_agent_without_a_region_runs_where_the_agent_does_that_started_it() {
    let region = |service: &'static str, own: &'static str| {
        let mut dump = Dump::of(&[span(1, 0, Op::Task, 0, 9_000)]);
        let eu = dump.data.names.intern("eu");
        dump.data.resources[0].region = eu;
        let mut inner = Dump::of(&[]);
        std::mem::swap(&mut inner, &mut dump);
        let other = crate::model::Resource {
            service: inner.data.names.intern(service),
            region: inner.data.names.intern(own),
            ..crate::model::Resource::default()
        };
        inner.data.resources.push(other);
        inner.data.scopes.push(Scope::default());
        inner.data.emitters.push(Emitter {
            resource: 1,
            scope: 1,
        });
        inner.add(span(2, 1, Op::Agent, 100, 900));
        inner.add(span(3, 2, Op::Llm, 200, 300));
        for s in &mut inner.data.records[1..] {
            s.emitter = 1;
        }
        let built = inner.build();
        let lane = built
            .forest
            .lanes
            .iter()
            .find(|l| l.window.start == at(100))
            .unwrap();
        built.data.text(lane.region).to_owned()
    };
    assert_eq!(region("agent", ""), "eu");
    assert_eq!(region("other", ""), "eu");
    assert_eq!(region("other", "us"), "us");
}
