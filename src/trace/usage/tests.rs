//! Traces built by hand, and who owns the calls in them.

use super::*;
use crate::model::{
    CallIx, Digest, Emitter, HttpCall, Known, LlmCall, Scope, Span, SpanId, SpanKind, Status,
    TaskFacts, ToolCall, TraceIx, Via,
};
use crate::trace::NO_SPAN;
use crate::units::{Nanos, Sym};

/// Builds a trace span by span: parent, operation, scope, start and end in milliseconds.
#[derive(Default)]
struct Trace {
    data: Dataset,
    parent: Vec<SpanIx>,
}

impl Trace {
    fn span(&mut self, parent: SpanIx, op: Op, scope: u32, start: u64, end: u64) -> SpanIx {
        while self.data.scopes.len() <= scope as usize {
            let name = self
                .data
                .names
                .intern(&format!("s{}", self.data.scopes.len()));
            self.data.scopes.push(Scope {
                name,
                version: Sym::NONE,
            });
            let scope = self.data.emitters.len() as u32;
            self.data.emitters.push(Emitter { resource: 0, scope });
        }
        let data = &mut self.data;
        let call = match op {
            op if op.is_model() => data.llm.push(LlmCall::default()) + 1,
            op if op.is_tool() => {
                data.tools.push(ToolCall::default());
                data.tools.len()
            }
            op if op.is_group() => {
                data.tasks.push(TaskFacts::default());
                data.tasks.len()
            }
            Op::Http => {
                data.https.push(HttpCall::default());
                data.https.len()
            }
            _ => 0,
        };
        let index = data.spans.len() as SpanIx;
        data.spans.push(Span {
            trace: TraceIx::default(),
            start: Nanos(start * 1_000_000),
            end: Nanos(end * 1_000_000),
            name: Sym::NONE,
            emitter: scope,
            call: CallIx((call as u32).wrapping_sub(1)),
            op,
            kind: SpanKind::Client,
            status: Status::Unset,
            flags: SpanFlags::default(),
            error: None,
            weight: 1,
        });
        data.origins.push(Origin {
            id: SpanId(u64::from(index) + 1),
            parent: SpanId::NONE,
            place: crate::model::Place::default(),
        });
        self.parent.push(parent);
        index
    }

    fn used(&mut self, span: SpanIx, input: u32, output: u32) -> SpanIx {
        self.change(span, |call| {
            call.input = Some(Known::attribute(input));
            call.output = Some(Known::attribute(output));
        });
        span
    }

    fn change(&mut self, span: SpanIx, change: impl FnOnce(&mut LlmCall)) {
        let at = self.data.spans[span as usize].call.get().unwrap();
        self.data.llm.change(at, change);
    }

    fn call(&self, span: SpanIx) -> LlmCall {
        self.data.llm_of(&self.data.spans[span as usize]).unwrap()
    }

    fn tool(&mut self, span: SpanIx, name: &str) -> SpanIx {
        let name = self.data.names.intern(name);
        let at = self.data.spans[span as usize].call.get().unwrap();
        self.data.tools.change(at, |tool| tool.tool = name);
        span
    }

    fn count(&mut self) -> Vec<Counted> {
        let all = 0..self.data.spans.len() as SpanIx;
        let tree = Tree::link(self.parent.clone(), vec![all]);
        count_once(&mut self.data, &tree)
    }
}

use Counted::{NotACall, Owner, Rollup, Twin};

#[test]
fn nested_records_of_one_call_are_one_and_share_what_they_measured() {
    let mut t = Trace::default();
    let agent = t.span(NO_SPAN, Op::Agent, 0, 0, 100);
    let outer = t.span(agent, Op::Llm, 1, 10, 90);
    let inner = t.span(outer, Op::Llm, 2, 12, 89);
    let server = t.span(inner, Op::Engine, 3, 14, 88);
    for span in [outer, inner, server] {
        t.used(span, 100, 10);
    }
    t.change(inner, |call| {
        call.first_token = Some(Known::attribute(Nanos(5_000_000)));
    });
    t.change(server, |call| call.queue = Some(Known::attribute(Nanos(7))));
    assert_eq!(t.count(), [NotACall, Owner, Twin(outer), Twin(outer)]);
    let call = t.call(outer);
    let first = call.first_token.unwrap();
    assert_eq!((first.value, first.via), (Nanos(7_000_000), Via::Child));
    assert_eq!(call.queue.unwrap().value, Nanos(7));
    assert_eq!(call.engine, server);
}

#[test]
fn records_side_by_side_pair_up_one_to_one_across_scopes_only() {
    let mut t = Trace::default();
    let agent = t.span(NO_SPAN, Op::Agent, 0, 0, 400);
    let mut twins = Vec::new();
    for start in [0, 100] {
        let wide = t.span(agent, Op::Llm, 1, start, start + 90);
        let narrow = t.span(agent, Op::Llm, 2, start + 2, start + 89);
        t.used(wide, 50, 5);
        t.used(narrow, 50, 5);
        twins.push((wide, narrow));
    }
    let parallel = [0, 1].map(|_| {
        let span = t.span(agent, Op::Llm, 1, 200, 300);
        t.used(span, 50, 5)
    });
    let counted = t.count();
    for (wide, narrow) in twins {
        assert_eq!(
            (counted[wide as usize], counted[narrow as usize]),
            (Owner, Twin(wide))
        );
    }
    assert_eq!(parallel.map(|i| counted[i as usize]), [Owner, Owner]);
}

#[test]
fn a_record_that_lost_its_context_pairs_with_the_one_that_did_not() {
    let mut t = Trace::default();
    let root = t.span(NO_SPAN, Op::Agent, 0, 0, 400);
    let step = t.span(root, Op::Step, 0, 0, 200);
    let framework = t.span(step, Op::Llm, 1, 10, 110);
    let library = t.span(root, Op::Llm, 2, 12, 109);
    let later = t.span(root, Op::Llm, 2, 60, 160);
    let counted = t.count();
    assert_eq!(counted[framework as usize], Owner);
    assert_eq!(counted[library as usize], Twin(framework));
    assert_eq!(counted[later as usize], Owner);
}

#[test]
fn a_wrapper_over_several_calls_is_a_rollup() {
    let mut t = Trace::default();
    let wrapper = t.span(NO_SPAN, Op::Llm, 0, 0, 100);
    t.used(wrapper, 30, 3);
    for start in [0, 50] {
        let call = t.span(wrapper, Op::Llm, 0, start, start + 40);
        t.used(call, 15, 1);
    }
    assert_eq!(t.count(), [Rollup, Owner, Owner]);
}

#[test]
fn one_call_inside_with_other_figures_is_a_call_of_its_own() {
    let mut t = Trace::default();
    let outer = t.span(NO_SPAN, Op::Llm, 0, 0, 100);
    let inner = t.span(outer, Op::Llm, 1, 50, 100);
    t.used(outer, 200, 10);
    t.used(inner, 100, 10);
    assert_eq!(t.count(), [Rollup, Owner]);
}

#[test]
fn calls_of_a_sub_agent_under_a_tool_are_not_twins() {
    let mut t = Trace::default();
    let outer = t.span(NO_SPAN, Op::Llm, 0, 0, 100);
    let tool = t.span(outer, Op::Tool, 0, 10, 90);
    let inner = t.span(tool, Op::Llm, 0, 20, 80);
    t.used(outer, 9, 1);
    t.used(inner, 9, 1);
    assert_eq!(t.count(), [Owner, Owner, Owner]);
}

#[test]
fn several_attempts_on_the_server_are_twins_of_one_call() {
    let mut t = Trace::default();
    let client = t.span(NO_SPAN, Op::Llm, 0, 0, 100);
    let _ = (
        t.span(client, Op::Engine, 1, 0, 10),
        t.span(client, Op::Engine, 1, 50, 99),
    );
    assert_eq!(t.count(), [Owner, Twin(client), Twin(client)]);
}

#[test]
fn transport_gives_status_host_and_hidden_resends() {
    let mut t = Trace::default();
    let client = t.span(NO_SPAN, Op::Llm, 0, 0, 100);
    for (start, status) in [(0, 429), (50, 200)] {
        let http = t.span(client, Op::Http, 1, start, start + 40);
        let at = t.data.spans[http as usize].call.get().unwrap();
        t.data.https[at].status = Some(status);
        t.data.https[at].host = t.data.names.intern("llm.example");
    }
    let _ = t.count();
    let call = t.call(client);
    assert_eq!((call.http_status, call.resends), (Some(200), Some(1)));
    assert_eq!(t.data.text(call.endpoint), "llm.example");
}

#[test]
fn an_engine_of_another_trace_is_joined_by_its_id() {
    let mut t = Trace::default();
    let client = t.span(NO_SPAN, Op::Llm, 0, 0, 100);
    let engine = t.span(NO_SPAN, Op::Engine, 1, 5, 95);
    let alone = t.span(NO_SPAN, Op::Engine, 1, 5, 95);
    for span in [client, engine] {
        t.change(span, |call| {
            call.response_id = Some(Digest::of(b"chatcmpl-1"));
        });
    }
    t.change(alone, |call| {
        call.response_id = Some(Digest::of(b"chatcmpl-2"));
    });
    assert_eq!(t.count(), [Owner, Twin(client), Owner]);
}

#[test]
fn a_chain_of_tool_spans_is_one_tool_call() {
    let mut t = Trace::default();
    let top = t.span(NO_SPAN, Op::Tool, 0, 0, 100);
    let send = t.span(top, Op::Mcp, 1, 1, 99);
    let serve = t.span(send, Op::Mcp, 2, 2, 98);
    let other = t.span(serve, Op::Tool, 3, 3, 50);
    for (span, name) in [
        (top, "files__read"),
        (send, "read"),
        (serve, "read"),
        (other, "stat"),
    ] {
        t.tool(span, name);
    }
    let lone = t.span(NO_SPAN, Op::Mcp, 1, 200, 300);
    let hello = t.span(NO_SPAN, Op::Mcp, 1, 300, 310);
    t.tool(lone, "write");
    let counted = t.count();
    assert_eq!(counted[..4], [Owner, Twin(top), Twin(top), Owner]);
    assert_eq!(
        (counted[lone as usize], t.data.spans[lone as usize].op),
        (Owner, Op::Tool)
    );
    assert_eq!(counted[hello as usize], NotACall);
}

#[test]
fn sums_are_compared_and_used_only_where_no_call_shows_any() {
    let mut t = Trace::default();
    let root = t.span(NO_SPAN, Op::Agent, 0, 0, 100);
    let call = t.span(root, Op::Llm, 0, 0, 100);
    t.data.tasks[0].rollup_input = Some(70.into());
    t.used(call, 50, 5);
    assert_eq!(t.count(), [Rollup, Owner]);
    assert_eq!(t.data.ledger.total(IssueKind::RollupMismatch), 1);
    assert!(!t.data.spans[0].flags.has(SpanFlags::ROLLUP));
    t.change(call, |call| *call = LlmCall::default());
    let _ = t.count();
    assert!(t.data.spans[0].flags.has(SpanFlags::ROLLUP));
}

/// What two records of different instrumentations side by side are, the second from `start` to `end`.
fn beside(start: u64, end: u64, scope: u32, used: [Option<u32>; 2]) -> Counted {
    let mut t = Trace::default();
    let agent = t.span(NO_SPAN, Op::Agent, 0, 0, 20_000);
    let first = t.span(agent, Op::Llm, 1, 1_000, 9_000);
    let second = t.span(agent, Op::Llm, scope, start, end);
    for (span, used) in [first, second].into_iter().zip(used) {
        if let Some(used) = used {
            t.used(span, used, 7);
        }
    }
    t.count()[second as usize]
}

#[test]
fn of_two_records_side_by_side_one_lies_in_the_other() {
    let within = |start, end| beside(start, end, 2, [Some(50), None]) == Twin(1);
    assert!(within(1_100, 8_900));
    // Up to 5 milliseconds and one percent of 8 seconds; of the inner one where that is the longer.
    assert!(within(1_100, 9_085) && !within(1_200, 9_086));
    assert!(!within(8_000, 12_000), "one after the other, nearly");
    assert!(!within(9_100, 12_000));
}

#[test]
fn records_side_by_side_are_one_call_where_their_figures_agree_or_one_shows_none() {
    let within = |scope, used| beside(1_100, 8_900, scope, used);
    assert_eq!(within(2, [Some(50), Some(50)]), Twin(1));
    assert_eq!(within(2, [None, Some(50)]), Twin(1));
    assert_eq!(within(2, [Some(50), None]), Twin(1));
    assert_eq!(within(2, [None, None]), Twin(1));
    assert_eq!(within(2, [Some(50), Some(90)]), Owner);
    assert_eq!(
        within(1, [Some(50), Some(50)]),
        Owner,
        "one instrumentation records a call once"
    );
}

#[test]
fn a_sum_of_nothing_is_no_sum() {
    let mut t = Trace::default();
    let agent = t.span(NO_SPAN, Op::Agent, 0, 0, 100);
    let call = t.span(agent, Op::Llm, 1, 10, 90);
    t.data.tasks[0].rollup_input = Some(crate::units::Small::new(0));
    let counted = t.count();
    assert_eq!(
        (counted[agent as usize], counted[call as usize]),
        (NotACall, Owner)
    );
    assert!(!t.data.spans[agent as usize].flags.has(SpanFlags::ROLLUP));
}
