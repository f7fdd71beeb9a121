//! Several records of one span.

use super::mending::{AGENT, built};
use super::*;

/// Two records of span 2: what is kept of them.
fn folded(first: S, second: S) -> (Built, usize) {
    let built = built(&[span(AGENT, 0, Op::Agent, 0, 1_000), first, second]);
    let count = built.data.spans.len();
    (built, count)
}

#[test]
fn start_and_end_of_one_span_are_put_together() {
    let start = span(2, AGENT, Op::Llm, 100, 0).flagged(SpanFlags::PARTIAL | SpanFlags::NO_END);
    let end = span(2, 0, Op::Other, 0, 400).flagged(SpanFlags::PARTIAL | SpanFlags::NO_START);
    for (a, b) in [
        (start, end.named("chat").failed()),
        (end.named("chat").failed(), start),
    ] {
        let (built, count) = folded(a, b);
        assert_eq!(
            (count, built.ran(2), built.parent(2)),
            (2, (100, 400), AGENT)
        );
        let span = &built.data.spans[built.index(2)];
        assert_eq!((built.data.text(span.name), span.op), ("chat", Op::Llm));
        assert!(span.failed() && !span.is_open());
        assert_eq!(span.weight, 2);
        assert_eq!(built.total(IssueKind::DuplicateSpan), 1);
    }
}

#[test]
fn the_first_name_and_parent_stay() {
    let whole = span(2, AGENT, Op::Tool, 100, 400).named("search");
    let late = span(2, 77, Op::Llm, 100, 300)
        .named("late")
        .flagged(SpanFlags::PARTIAL);
    let (built, count) = folded(whole, late);
    let span = &built.data.spans[built.index(2)];
    assert_eq!(
        (count, built.ran(2), built.parent(2)),
        (2, (100, 400), AGENT)
    );
    assert_eq!((built.data.text(span.name), span.op), ("search", Op::Tool));
}

#[test]
fn a_partial_record_that_knows_no_time_is_left_out() {
    let lone = span(2, AGENT, Op::Llm, 0, 0)
        .flagged(SpanFlags::PARTIAL | SpanFlags::NO_START | SpanFlags::NO_END);
    let built = built(&[span(AGENT, 0, Op::Agent, 0, 1_000), lone]);
    assert_eq!(
        (built.data.spans.len(), built.total(IssueKind::NoStart)),
        (1, 1)
    );
}

#[test]
fn whole_records_of_one_id_are_copies_and_not_parts() {
    let a = span(2, AGENT, Op::Tool, 100, 400);
    let (built, count) = folded(a, a.flagged(SpanFlags::SHARED_ID));
    assert_eq!((count, built.total(IssueKind::DuplicateSpan)), (2, 1));
}

#[test]
fn the_servers_half_of_a_shared_id_hangs_below_the_clients_and_takes_its_work_along() {
    let built = built(&[
        span(AGENT, 0, Op::Agent, 0, 1_000).by("front"),
        span(2, AGENT, Op::Other, 100, 400)
            .by("front")
            .kind(SpanKind::Client),
        span(2, AGENT, Op::Other, 110, 390)
            .by("back")
            .kind(SpanKind::Server)
            .flagged(SpanFlags::SHARED_ID),
        span(3, 2, Op::Tool, 120, 200).by("back"),
        span(4, 2, Op::Tool, 130, 140).by("front"),
    ]);
    let server = |s: &Span| s.kind == SpanKind::Server;
    let half = built.data.spans.iter().position(server).unwrap();
    let half = built.data.origins[half].id.0;
    assert_ne!(half, 2);
    assert_eq!(
        (built.parent(half), built.parent(3), built.parent(4)),
        (2, half, 2)
    );
    let alone = built_alone();
    assert_eq!(alone, 2, "alone it is the only one of its id");
}

fn built_alone() -> u64 {
    let built = built(&[
        span(AGENT, 0, Op::Agent, 0, 1_000).by("front"),
        span(2, AGENT, Op::Other, 110, 390)
            .by("back")
            .kind(SpanKind::Server)
            .flagged(SpanFlags::SHARED_ID),
    ]);
    built.data.origins[1].id.0
}

#[test]
fn of_copies_the_one_with_an_end_and_the_most_to_say_is_kept() {
    let a = span(2, AGENT, Op::Tool, 100, 400);
    let open = a.flagged(SpanFlags::NO_END);
    let heavy = S { weight: 5, ..a };
    let later = S { end: 450, ..a };
    for (one, other, end, weight, kind) in [
        (a, a, 400, 1, IssueKind::DuplicateSpan),
        (open, a, 400, 1, IssueKind::ConflictingSpan),
        (
            S { weight: 9, ..open },
            a,
            400,
            1,
            IssueKind::ConflictingSpan,
        ),
        (a, heavy, 400, 5, IssueKind::ConflictingSpan),
        (a, later, 450, 1, IssueKind::ConflictingSpan),
        (heavy, later, 400, 5, IssueKind::ConflictingSpan),
    ] {
        for (first, second) in [(one, other), (other, one)] {
            let (built, count) = folded(first, second);
            let kept = &built.data.spans[built.index(2)];
            assert_eq!((count, built.ran(2).1, kept.weight), (2, end, weight));
            assert_eq!(built.total(kind), 1);
            assert_eq!(built.forest.requests[0].repairs.0, 1);
        }
    }
    let apart = built(&[span(AGENT, 0, Op::Agent, 0, 1_000), a, a.of(2)]);
    assert_eq!(apart.data.spans.len(), 3, "ids are the trace's own");
}
