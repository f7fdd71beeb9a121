//! Traces that belong together.

use super::mending::built;
use super::*;
use crate::model::{Digest, Link};
use crate::trace::{Sorted, broken};

const FAR: u64 = 1 << 40;

#[test]
fn a_trace_that_kept_the_parent_it_was_called_by_is_joined() {
    let joined = |id: u64, start, copies: u64| {
        let mut spans = vec![
            span(FAR + 1, 0, Op::Agent, 0, 1_000).of(1),
            span(id, FAR + 1, Op::Tool, 100, 500).of(1),
            span(FAR + 9, id, Op::Agent, start, 450).of(2).by("other"),
        ];
        for n in 0..copies {
            spans.push(span(id, 0, Op::Agent, 0, 1_000).of(10 + n));
        }
        let built = built(&spans);
        (
            built.parent(FAR + 9),
            built.total(IssueKind::StitchedFragment),
        )
    };
    assert_eq!(joined(FAR + 2, 120, 0), (FAR + 2, 1));
    assert_eq!(joined(FAR + 2, 50, 0), (FAR + 2, 1), "clocks of two hosts");
    assert_eq!(joined(FAR + 2, 49, 0), (0, 0));
    assert_eq!(joined(FAR + 2, 120, 1), (0, 0), "two spans have that id");
    assert_eq!(joined(1 << 32, 120, 0), (1 << 32, 1));
    assert_eq!(
        joined((1 << 32) - 1, 120, 0),
        (0, 0),
        "a number that was not drawn"
    );
}

fn talk(second: Option<(u64, u64)>, conversation: &str, service: &'static str, start: u64) -> u64 {
    let mut spans = vec![
        span(1, 0, Op::Agent, 0, 1_000).of(1),
        span(2, 1, Op::Tool, 100, 500).of(1),
        span(9, 0, Op::Agent, start, 450).of(2).by(service),
    ];
    spans.extend(second.map(|(start, end)| span(3, 1, Op::Tool, start, end).of(1)));
    let mut dump = Dump::of(&spans);
    for (id, said) in [(1, "c"), (9, conversation)] {
        let said = dump.data.names.intern(said);
        dump.task(id).conversation = said;
    }
    dump.build().parent(9)
}

#[test]
fn a_trace_of_one_conversation_is_joined_to_the_only_call_that_can_have_made_it() {
    assert_eq!(talk(None, "c", "other", 120), 2);
    assert_eq!(talk(None, "d", "other", 120), 0, "another conversation");
    assert_eq!(talk(None, "c", "agent", 120), 0, "the same service");
    assert_eq!(talk(Some((110, 480)), "c", "other", 120), 0, "two calls");
    assert_eq!(
        talk(Some((600, 900)), "c", "other", 120),
        2,
        "the other was over"
    );
    assert_eq!(
        (talk(None, "c", "other", 50), talk(None, "c", "other", 49)),
        (2, 0)
    );
}

#[test]
fn traces_may_hang_under_a_conversation_that_ran_all_the_while() {
    let talks = |start: u64, end: u64| {
        let spans = [
            span(1, 0, Op::Agent, 0, 1_000).of(1),
            span(2, 1, Op::Tool, 100, 500).of(1),
            span(9, 0, Op::Agent, start, end).of(2).by("other"),
        ];
        let mut dump = Dump::of(&spans);
        for id in [1, 9] {
            let said = dump.data.names.intern("c");
            dump.task(id).conversation = said;
        }
        let sorted = Sorted::of(&mut dump.data);
        let loose = sorted.loose(&dump.data, &Options::default());
        let mut talks = loose.talks;
        talks.sort_by_key(|t| t.trace);
        let [a, b] = &talks[..] else {
            panic!("{talks:?}")
        };
        assert!(!a.may_hang_under(a) && !b.may_hang_under(b) && !a.may_hang_under(b));
        b.may_hang_under(a)
    };
    assert!(talks(100, 500) && talks(50, 550));
    assert!(!talks(49, 500) && !talks(100, 551));
}

#[test]
fn a_linked_trace_hangs_under_the_span_that_ran_all_the_while() {
    let linked = |start, parent, options: &Options| {
        let spans = [
            span(1, 0, Op::Agent, 0, 1_000).of(1),
            span(2, 1, Op::Tool, 100, 500).of(1),
            span(9, parent, Op::Agent, start, 450).of(2).by("other"),
        ];
        let mut dump = Dump::of(&spans);
        let (from, to) = ((TraceId(2), SpanId(9)), (TraceId(1), SpanId(2)));
        dump.data.links.push(Link { from, to });
        dump.built(options).parent(9)
    };
    let (all, apart) = (
        Options::default(),
        Options {
            stitch: false,
            ..Options::default()
        },
    );
    assert_eq!((linked(50, 0, &all), linked(49, 0, &all)), (2, 0));
    assert_eq!(linked(50, 0, &apart), 0);
    assert_eq!(linked(50, 7, &all), 0, "no root");
}

#[test]
fn traces_that_are_not_evidently_whole_are_named() {
    let broken_of = |spans: &[S]| {
        let mut data = Dump::of(spans).data;
        let (_, _, ids) = broken(&mut data);
        ids.iter().map(|id| id.0).collect::<Vec<_>>()
    };
    let root = |trace| span(1, 0, Op::Agent, 0, 100).of(trace);
    assert_eq!(
        broken_of(&[root(1), span(2, 1, Op::Tool, 1, 2).of(1)]),
        [0; 0]
    );
    assert_eq!(
        broken_of(&[root(1), span(2, 9, Op::Tool, 1, 2).of(1), root(2)]),
        [1]
    );
    assert_eq!(
        broken_of(&[root(1), span(2, 0, Op::Tool, 1, 2).of(1)]),
        [1],
        "two roots"
    );
    assert_eq!(broken_of(&[span(1, 9, Op::Agent, 0, 100)]), [1]);
    let piece = span(2, 1, Op::Tool, 1, 2).flagged(SpanFlags::PARTIAL);
    assert_eq!(broken_of(&[root(1), piece]), [1]);
}

#[test]
fn what_hints_at_other_traces_is_listed() {
    let mut dump = Dump::of(&[
        span(FAR, FAR + 7, Op::Agent, 0, 1_000).of(1),
        span(FAR + 1, FAR, Op::Llm, 100, 500).of(1),
        span(FAR + 2, FAR + 1, Op::Engine, 110, 490)
            .of(1)
            .by("server"),
        span(FAR + 3, 5, Op::Engine, 110, 490).of(2).by("server"),
    ]);
    for id in [FAR + 2, FAR + 3] {
        dump.call(id, |call| call.response_id = Some(Digest::of(b"answer")));
    }
    let link = |from: u128, to: u128| Link {
        from: (TraceId(from), SpanId(1)),
        to: (TraceId(to), SpanId(2)),
    };
    dump.data.links.extend([link(1, 2), link(2, 2)]);
    let sorted = Sorted::of(&mut dump.data);
    let loose = sorted.loose(&dump.data, &Options::default());
    assert_eq!(loose.links, [(TraceId(1), TraceId(2))]);
    assert_eq!(
        loose.parents,
        [(FAR + 7, TraceId(1))],
        "the other is no drawn id"
    );
    let answer = Digest::of(b"answer").0.get();
    assert_eq!(
        loose.answers,
        [(answer, TraceId(2))],
        "the first is below its client"
    );
    let apart = Options {
        stitch: false,
        ..Options::default()
    };
    let loose = sorted.loose(&dump.data, &apart);
    assert_eq!(
        (loose.links.len(), loose.parents.len(), loose.answers.len()),
        (0, 0, 1)
    );
    let mut twice = loose.clone();
    twice.absorb(loose);
    assert_eq!(twice.answers.len(), 2);
}
