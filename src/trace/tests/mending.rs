//! Broken traces, and what is mended of them.

use super::*;
use crate::model::SpanIx;
use crate::trace::Sorted;
use crate::trace::repair::{HabitCounts, Habits};

pub(super) const AGENT: u64 = 1;
const LOST: u64 = 99;

/// Whole traces of an agent, a step, a call and a request below it, numbered from 100 on.
fn whole(count: u64) -> Vec<S> {
    let of = |n: u64| {
        let (trace, id) = (100 + n, 1_000 + 10 * n);
        let begin = 100_000 * (n + 1);
        [
            span(id, 0, Op::Agent, begin, begin + 1_000),
            span(id + 1, id, Op::Step, begin + 50, begin + 900).named("step"),
            span(id + 2, id + 1, Op::Llm, begin + 100, begin + 800),
            span(id + 3, id + 2, Op::Http, begin + 110, begin + 790).named("POST"),
        ]
        .map(|s| s.of(trace))
    };
    (0..count).flat_map(of).collect()
}

pub(super) fn built(spans: &[S]) -> Built {
    Dump::of(spans).build()
}

#[test]
fn what_lost_its_parent_hangs_under_the_tightest_container_of_its_trace() {
    let tool = |start, end| {
        let spans = [
            span(AGENT, 0, Op::Agent, 0, 1_000),
            span(2, AGENT, Op::Step, 100, 500),
            span(3, LOST, Op::Tool, start, end),
        ];
        built(&spans).parent(3)
    };
    assert_eq!(tool(150, 300), 2);
    assert_eq!(
        (tool(150, 501), tool(150, 502)),
        (2, AGENT),
        "a millisecond of rounding"
    );
    assert_eq!((tool(99, 300), tool(98, 300)), (2, AGENT));
    assert_eq!(
        tool(5_000, 5_100),
        AGENT,
        "nothing contains it: the one root"
    );
}

#[test]
fn clocks_of_two_hosts_may_differ_by_fifty_milliseconds() {
    let engine = |start, end| {
        let spans = [
            span(AGENT, 0, Op::Agent, 0, 1_000),
            span(2, AGENT, Op::Llm, 100, 500),
            span(3, LOST, Op::Engine, start, end).by("server"),
        ];
        built(&spans).parent(3)
    };
    assert_eq!((engine(150, 550), engine(150, 551)), (2, AGENT));
    assert_eq!((engine(50, 300), engine(49, 300)), (2, AGENT));
}

#[test]
fn a_serving_side_hangs_under_a_client_that_has_none_yet() {
    let spans = [
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, AGENT, Op::Tool, 90, 510),
        span(3, AGENT, Op::Llm, 80, 520),
        span(4, LOST, Op::Engine, 100, 500),
    ];
    assert_eq!(built(&spans).parent(4), 3, "no tool is a client");
    let taken = [
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, AGENT, Op::Llm, 90, 510),
        span(5, 2, Op::Engine, 95, 505),
        span(3, AGENT, Op::Llm, 80, 520),
        span(4, LOST, Op::Engine, 100, 500),
    ];
    assert_eq!(built(&taken).parent(4), 3);
}

#[test]
fn of_parents_that_have_one_such_child_each_a_taken_one_is_passed_over() {
    let mut spans = whole(6);
    spans.extend([
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, AGENT, Op::Step, 10, 990).named("step"),
        span(3, 2, Op::Llm, 100, 600),
        span(4, 3, Op::Http, 110, 590).named("POST"),
        span(5, 2, Op::Llm, 50, 700),
        span(6, LOST, Op::Http, 120, 580).named("POST"),
    ]);
    assert_eq!(built(&spans).parent(6), 5);
    let free: Vec<S> = spans.into_iter().filter(|s| s.id != 4).collect();
    assert_eq!(built(&free).parent(6), 3);
}

#[test]
fn a_call_that_would_run_beside_another_of_its_place_goes_elsewhere() {
    let orphan = |op| {
        let spans = [
            span(AGENT, 0, Op::Agent, 0, 1_000),
            span(2, AGENT, Op::Step, 90, 400),
            span(3, AGENT, Op::Step, 80, 500),
            span(4, 2, op, 100, 300),
            span(5, LOST, op, 150, 250),
        ];
        built(&spans).parent(5)
    };
    assert_eq!((orphan(Op::Llm), orphan(Op::Tool)), (3, 2));
    let after = [
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, AGENT, Op::Step, 90, 400),
        span(3, AGENT, Op::Step, 80, 500),
        span(4, 2, Op::Llm, 100, 150),
        span(5, LOST, Op::Llm, 150, 250),
    ];
    assert_eq!(built(&after).parent(5), 2, "one after the other");
}

#[test]
fn what_lies_inside_an_orphan_finds_it_in_its_place() {
    let spans = [
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, LOST, Op::Step, 100, 500),
        span(3, 98, Op::Tool, 150, 300),
    ];
    let built = built(&spans);
    assert_eq!((built.parent(2), built.parent(3)), (AGENT, 2));
    assert_eq!(
        (built.forest.orphans, built.total(IssueKind::OrphanSpan)),
        (2, 2)
    );
    assert_eq!(built.total(IssueKind::LostParent), 0);
}

#[test]
fn without_repairs_orphans_are_counted_and_stay() {
    let spans = [
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, LOST, Op::Step, 100, 500),
    ];
    let options = Options {
        repair: false,
        ..Options::default()
    };
    let built = Dump::of(&spans).built(&options);
    assert_eq!((built.parent(2), built.forest.orphans), (0, 1));
}

#[test]
fn a_call_that_names_no_parent_belongs_to_what_contains_it_and_to_nothing_else() {
    let tool = |start| {
        let spans = [
            span(AGENT, 0, Op::Agent, 0, 1_000),
            span(2, 0, Op::Tool, start, start + 100),
        ];
        let built = built(&spans);
        (built.parent(2), built.total(IssueKind::LostParent))
    };
    assert_eq!(tool(200), (AGENT, 1));
    assert_eq!(tool(5_000), (0, 0));
}

#[test]
fn a_container_without_a_parent_is_adopted_where_most_of_its_kind_name_one() {
    let parentless = |wholes, op| {
        let mut spans = whole(wholes);
        let step = span(2, 0, op, 100, 500).named("step");
        spans.extend([span(AGENT, 0, Op::Agent, 0, 1_000), step]);
        built(&spans).parent(2)
    };
    assert_eq!(
        parentless(4, Op::Step),
        AGENT,
        "five, of which four name one"
    );
    assert_eq!(parentless(3, Op::Step), 0, "four are too few to tell");
    assert_eq!(parentless(9, Op::Agent), 0, "agents name none");
}

fn relations(spans: &[S], child: u64, over: u64) -> String {
    let mut data = Dump::of(spans).data;
    let sorted = Sorted::of(&mut data);
    let habits = Habits::learn(&data, &sorted.parent, &sorted.traces);
    let by_id = |id| *data.records.iter().find(|s| s.id.0 == id).unwrap();
    format!("{:?}", habits.relation(&data, &by_id(child), &by_id(over)))
}

#[test]
fn habits_are_the_same_from_any_number_of_groups() {
    let mut spans = Vec::new();
    for trace in 0..1_500 {
        let id = 10 * trace;
        spans.push(span(id + 1, 0, Op::Task, 0, 1_000).of(trace + 1));
        for child in 2..3 + trace % 4 {
            let step = span(id + child, id + 1, Op::Step, child, 10).of(trace + 1);
            spans.push(step.named(["plan", "act"][child as usize % 2]));
        }
    }
    let mut data = Dump::of(&spans).data;
    let sorted = Sorted::of(&mut data);
    let all = std::iter::once(0..data.records.len() as SpanIx);
    let [grouped, at_once] = [sorted.traces.clone(), all.collect()].map(|traces| {
        let habits = Habits::learn(&data, &sorted.parent, &traces);
        HabitCounts::of(&data, &habits)
    });
    assert_eq!(grouped, at_once);
    assert_ne!(grouped, HabitCounts::default());
}

#[test]
fn habits_are_what_a_twentieth_of_a_kind_hangs_under() {
    let spans = whole(5);
    assert_eq!(relations(&spans, 1_003, 1_002), "OneEach");
    assert_eq!(relations(&spans, 1_003, 1_000), "Strange");
    assert_eq!(relations(&whole(4), 1_003, 1_002), "Unknown");
    // Twenty steps below agents, and some below a task.
    let with = |tasks: u64| {
        let mut spans = whole(20);
        for n in 0..tasks {
            spans.push(span(10 + n, 0, Op::Task, n, 100).of(5_000 + n));
            spans.push(
                span(50 + n, 10 + n, Op::Step, n, 90)
                    .of(5_000 + n)
                    .named("step"),
            );
        }
        relations(&spans, 1_001, 10)
    };
    assert_eq!(with(1), "Strange");
    assert_eq!(with(2), "OneEach");
}

#[test]
fn parents_with_more_than_one_such_child_in_ten_may_have_several() {
    let with = |second: u64| {
        let mut spans = whole(20);
        for n in 0..second {
            let begin = 100_000 * (n + 1);
            let more = span(7_000 + n, 1_001 + 10 * n, Op::Llm, begin + 820, begin + 840);
            spans.push(more.of(100 + n));
        }
        relations(&spans, 1_002, 1_001)
    };
    assert_eq!(
        (with(2), with(3)),
        ("OneEach".to_owned(), "Many".to_owned())
    );
}

#[test]
fn habits_of_parts_add_up_to_those_of_the_whole() {
    let counts = |spans: &[S]| {
        let mut data = Dump::of(spans).data;
        let sorted = Sorted::of(&mut data);
        sorted.habits(&data)
    };
    let all = whole(8);
    let mut sum = HabitCounts::default();
    sum.absorb(counts(&all[..12]));
    sum.absorb(counts(&all[12..]));
    assert_eq!(sum, counts(&all));
    let mut data = Dump::of(&all).data;
    let again = sum.habits(&mut data);
    let (child, over) = (data.records[3], data.records[2]);
    assert_eq!(
        format!("{:?}", again.relation(&data, &child, &over)),
        "OneEach"
    );
}

/// A client's call to another service, which ran so by its own clock.
fn remote(kinds: [SpanKind; 2], start: u64, end: u64, below: (u64, u64)) -> Built {
    built(&[
        span(AGENT, 0, Op::Agent, 1_000_000, 1_002_000),
        span(2, AGENT, Op::Http, 1_000_100, 1_001_100).kind(kinds[0]),
        span(3, 2, Op::Other, start, end)
            .by("server")
            .kind(kinds[1]),
        span(4, 3, Op::Other, below.0, below.1).by("server"),
    ])
}

const CALLS: [SpanKind; 2] = [SpanKind::Client, SpanKind::Server];

#[test]
fn a_service_that_starts_before_it_was_called_is_moved_with_all_below_it() {
    let moved = remote(CALLS, 1_000_094, 1_000_500, (1_000_200, 1_000_300));
    assert_eq!(moved.ran(3), (1_000_100, 1_000_506));
    assert_eq!(moved.ran(4), (1_000_206, 1_000_306));
    assert_eq!(moved.total(IssueKind::ClockSkew), 1);
    let within = remote(CALLS, 1_000_095, 1_000_500, (1_000_200, 1_000_300));
    assert_eq!(
        (within.ran(3), within.total(IssueKind::ClockSkew)),
        ((1_000_095, 1_000_500), 0)
    );
}

#[test]
fn a_server_that_ends_after_its_client_is_moved_back_where_the_client_waited() {
    let moved = remote(CALLS, 1_000_400, 1_001_106, (1_000_500, 1_000_600));
    assert_eq!(
        (moved.ran(3), moved.ran(4)),
        ((1_000_394, 1_001_100), (1_000_494, 1_000_594))
    );
    let within = remote(CALLS, 1_000_400, 1_001_105, (1_000_500, 1_000_600));
    assert_eq!(within.ran(3), (1_000_400, 1_001_105));
    for kinds in [
        [SpanKind::Client, SpanKind::Consumer],
        [SpanKind::Producer, SpanKind::Server],
    ] {
        let later = remote(kinds, 1_000_400, 1_001_300, (1_000_500, 1_000_600));
        assert_eq!(later.ran(3), (1_000_400, 1_001_300), "{kinds:?}");
    }
}

#[test]
fn what_no_clock_explains_is_left_alone() {
    let early = |start| {
        remote(CALLS, start, start + 10, (start + 1, start + 2))
            .ran(3)
            .0
    };
    assert_eq!(early(700_100), 1_000_100, "five minutes");
    assert_eq!(early(700_099), 700_099);
    // Longer than its client by more than clocks are out: it was not waited for.
    assert_eq!(
        remote(CALLS, 1_000_000, 1_001_005, (0, 1)).ran(3).0,
        1_000_100
    );
    assert_eq!(
        remote(CALLS, 1_000_000, 1_001_006, (0, 1)).ran(3).0,
        1_000_000
    );
    let same = built(&[
        span(AGENT, 0, Op::Agent, 1_000, 2_000),
        span(2, AGENT, Op::Other, 500, 900),
    ]);
    assert_eq!(same.ran(2), (500, 900), "one process has one clock");
}

#[test]
fn a_span_without_an_end_lasts_as_long_as_what_it_contains() {
    let open = |s: S| s.flagged(SpanFlags::NO_END);
    let built = built(&[
        open(span(AGENT, 0, Op::Agent, 0, 0)),
        open(span(2, AGENT, Op::Step, 100, 0)),
        span(3, 2, Op::Tool, 200, 700),
        span(4, AGENT, Op::Step, 300, 600),
        open(span(5, 4, Op::Tool, 350, 0)),
    ]);
    assert_eq!((built.ran(AGENT), built.ran(2)), ((0, 700), (100, 700)));
    assert_eq!((built.ran(4), built.ran(5)), ((300, 600), (350, 350)));
    assert_eq!(built.total(IssueKind::UnfinishedSpan), 3);
}

#[test]
fn an_orphan_beside_a_lone_root_hangs_under_it() {
    let spans = [
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, LOST, Op::Tool, 100, 200),
    ];
    assert_eq!(built(&spans).parent(2), AGENT);
    let lone = built(&[span(2, LOST, Op::Tool, 100, 200)]);
    assert_eq!((lone.parent(2), lone.forest.orphans), (0, 1));
}

#[test]
fn a_child_of_another_kind_takes_no_ones_place() {
    let mut spans = whole(6);
    spans.extend([
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, AGENT, Op::Step, 10, 990).named("step"),
        span(3, 2, Op::Llm, 100, 600),
        span(4, 3, Op::Other, 110, 590),
        span(5, 2, Op::Llm, 50, 700),
        span(6, LOST, Op::Http, 120, 580).named("POST"),
    ]);
    assert_eq!(built(&spans).parent(6), 3);
}

#[test]
fn where_half_of_a_kind_name_no_parent_none_is_looked_for() {
    let with = |roots: u64| {
        let mut spans = whole(4);
        for n in 0..roots {
            spans.push(
                span(60 + n, 0, Op::Step, n, n + 10)
                    .named("step")
                    .of(6_000 + n),
            );
        }
        spans.extend([
            span(AGENT, 0, Op::Agent, 0, 1_000),
            span(2, 0, Op::Step, 100, 500).named("step"),
        ]);
        built(&spans).parent(2)
    };
    // Four name one, and with this one as many do not.
    assert_eq!((with(2), with(3)), (AGENT, 0));
}

#[test]
fn only_broken_traces_need_the_habits_of_all() {
    let needs = |spans: &[S], repair| {
        let mut data = Dump::of(spans).data;
        let options = Options {
            repair,
            ..Options::default()
        };
        let joined = Sorted::of(&mut data).join(&mut data, &options);
        joined.needs_habits(&data, &options)
    };
    let orphan = [
        span(AGENT, 0, Op::Agent, 0, 1_000),
        span(2, LOST, Op::Tool, 100, 200),
    ];
    assert!(needs(&orphan, true) && !needs(&orphan, false));
    assert!(!needs(&whole(2), true));
    assert!(
        !needs(&[span(2, LOST, Op::Tool, 100, 200)], true),
        "alone it has nowhere to hang"
    );
    assert!(needs(
        &[
            span(2, LOST, Op::Step, 100, 200),
            span(3, 2, Op::Tool, 110, 120)
        ],
        true
    ));
}
