//! Sums over a small dump built by hand.

use super::*;
use crate::model::{
    CallIx, Digest, Known, LlmCall, LogRecord, Op, Origin, Place, Record, Resource, Span,
    SpanFlags, SpanId, SpanKind, Status, ToolCall, TraceId, TraceIx,
};
use crate::trace::{NO_LANE, Parts, RepairSet, Request, RootState, StepKind, StepOp};
use crate::units::{Nanos, Ratio, Sym, Usd, Window};

/// Midnight of 2026-05-12.
const DAY: u64 = 1_778_544_000_000_000_000;
const MS: u64 = 1_000_000;

#[derive(Default)]
struct Dump {
    data: Dataset,
    forest: Forest,
}

impl Dump {
    fn sym(&mut self, text: &str) -> Sym {
        self.data.names.intern(text)
    }

    fn span(&mut self, op: Op, call: usize, window: Window) -> u32 {
        let index = self.data.spans.len() as u32;
        self.data.spans.push(Span {
            trace: TraceIx::default(),
            start: window.start,
            end: window.end,
            name: Sym::NONE,
            emitter: 0,
            call: CallIx(call as u32),
            op,
            kind: SpanKind::Internal,
            status: Status::Ok,
            flags: SpanFlags::default(),
            error: None,
            weight: 0,
        });
        self.data.origins.push(Origin {
            id: SpanId(u64::from(index) + 1),
            parent: SpanId::NONE,
            place: Place::default(),
        });
        index
    }

    fn op(&mut self, kind: StepKind, span: u32) {
        self.forest.ops.push(StepOp {
            span,
            kind,
            lane: 0,
            opens: NO_LANE,
            window: self.data.spans[span as usize].window(),
        });
    }

    fn llm(&mut self, kind: StepKind, window: Window, call: LlmCall) {
        self.data.llm.push(call);
        let span = self.span(Op::Llm, self.data.llm.len() - 1, window);
        self.op(kind, span);
    }

    fn tool(&mut self, name: &str, window: Window) {
        let tool = ToolCall {
            tool: self.sym(name),
            arguments: Some(Digest::of(name.as_bytes())),
            ..ToolCall::default()
        };
        self.data.tools.push(tool);
        let span = self.span(Op::Tool, self.data.tools.len() - 1, window);
        self.op(StepKind::Tool, span);
    }

    /// A request over the operations added since the last one.
    fn request(&mut self, kind: &str, tenant: &str, wall: Window, state: RootState) {
        let first = self.forest.requests.last().map_or(0, |r| r.ops.end);
        let (kind, tenant) = (self.sym(kind), self.sym(tenant));
        let root = self.span(Op::Other, u32::MAX as usize, wall);
        self.forest.requests.push(Request {
            trace: TraceId(self.forest.requests.len() as u128 + 1),
            root,
            root_state: state,
            wall,
            kind,
            agent: Sym::NONE,
            tenant,
            service: Sym::NONE,
            conversation: Sym::NONE,
            ops: first..self.forest.ops.len() as u32,
            lanes: 0..0,
            parts: Parts::default(),
            spans: 1,
            errors: 0,
            llm_calls: 0,
            tool_calls: 0,
            retries: 0,
            input_tokens: None,
            cached_tokens: None,
            output_tokens: None,
            rolled_up: false,
            repairs: RepairSet::default(),
        });
    }

    fn call(&mut self, model: &str, input: u32, cached: u32, output: u32) -> LlmCall {
        LlmCall {
            provider: self.sym("openai"),
            answered: self.sym(model),
            input: Some(Known::attribute(input)),
            cached: Some(Known::attribute(cached)),
            output: Some(Known::attribute(output)),
            ..LlmCall::default()
        }
    }
}

fn window(start: u64, millis: u64) -> Window {
    Window {
        start: Nanos(DAY + start * MS),
        end: Nanos(DAY + (start + millis) * MS),
    }
}

const PRICES: &str = r#"{"unit": "per 1M tokens", "models": {"big": {"input": 2, "cached_input": 0.5, "output": 10}}}"#;

/// Two requests: one priced but for an unknown model, one with nothing but a failed call.
fn dump() -> Dump {
    let mut dump = Dump::default();
    dump.data.resources.push(Resource::default());
    let mut big = dump.call("big", 1000, 400, 101);
    big.first_token = Some(Known::attribute(Nanos(200 * MS)));
    dump.llm(StepKind::Model, window(0, 1200), big);
    dump.tool("search", window(1200, 50));
    let odd = dump.call("odd", 300, 0, 100);
    dump.llm(StepKind::Model, window(1300, 500), odd);
    dump.llm(StepKind::Model, window(1800, 100), LlmCall::default());
    dump.request("ask", "acme", window(0, 2000), RootState::Complete);
    dump.llm(StepKind::Failed, window(5000, 10), LlmCall::default());
    dump.request("ask", "", window(5000, 20), RootState::Missing);
    dump.data.logs.push(LogRecord {
        time: Nanos(DAY),
        trace: TraceId(1),
        span: SpanId::NONE,
        severity: 13,
        http_status: None,
        event: Sym::NONE,
        resource: 0,
        body_bytes: 0,
    });
    dump
}

fn sums(dump: &Dump) -> Aggregates {
    let prices = Prices::with_bytes("prices.json", PRICES.as_bytes()).unwrap();
    summarise(&dump.data, &dump.forest, &prices)
}

#[test]
fn a_request_costs_its_priced_calls_and_says_how_much_is_priced() {
    let all = sums(&dump());
    // 600 × 2 + 400 × 0.5 + 101 × 10 dollars per million
    let cost = Some(Usd(600 * 2000 + 400 * 500 + 101 * 10_000));
    let first = RequestCost {
        cost,
        priced: Ratio {
            part: 1101,
            whole: 1501,
        },
        unmetered: 1,
        wasted: Usd::ZERO,
        reported: None,
    };
    assert_eq!(all.per_request, [first, RequestCost::default()]);
    assert_eq!(all.cost.total.cost, cost);
    assert_eq!((all.cost.total.calls, all.cost.total.requests), (2, 1));
    assert_eq!(all.cost.unmetered, 1);
    assert_eq!(all.cost.sources, [(Source::File, 1)]);
}

#[test]
fn groups_are_dearest_first_and_unknown_models_are_listed() {
    let cost = sums(&dump()).cost;
    let keys = |totals: &[Total]| totals.iter().map(|t| t.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&cost.by_model), ["big", "odd"]);
    assert_eq!(cost.by_model[1].cost, None);
    assert_eq!(keys(&cost.by_task), ["ask"]);
    assert_eq!(keys(&cost.by_tenant), ["acme"]);
    assert_eq!(keys(&cost.by_agent), [""]);
    assert_eq!(keys(&cost.by_day), ["2026-05-12"]);
    let odd = UnknownModel {
        provider: "openai".into(),
        model: "odd".into(),
        calls: 1,
        tokens: 400,
    };
    assert_eq!(cost.unknown, [odd]);
}

#[test]
fn durations_of_whole_requests_models_and_tools() {
    let latency = sums(&dump()).latency;
    let requests = latency.requests.unwrap();
    assert_eq!((requests.n, requests.p50.value), (1, Nanos(2000 * MS)));
    assert_eq!(requests.p99.interval, None);
    let big = latency.models.iter().find(|m| m.model == "big").unwrap();
    assert_eq!(big.first_token.unwrap().max, Nanos(200 * MS));
    assert_eq!(big.inter_token.unwrap().p50.value, Nanos(10 * MS));
    assert_eq!(latency.tools[0].name, "search");
    assert_eq!(latency.tools[0].spread.max, Nanos(50 * MS));
}

#[test]
fn a_repeated_call_is_not_another_choice() {
    let mut dump = Dump::default();
    for i in 0..60 {
        let start = i * 10_000;
        let repeats = if i < 30 { 1 } else { 9 };
        for n in 0..repeats {
            dump.tool("search", window(start + n * 10, 5));
        }
        dump.tool("read", window(start + 900, 5));
        dump.request("ask", "", window(start, 1000), RootState::Complete);
    }
    let drift = sums(&dump).drift;
    assert!(!drift.drifted);
    assert_eq!((drift.calls_before, drift.calls_after), (60, 60));
}

#[test]
fn signals_count_calls_tools_and_requests() {
    let signals = sums(&dump()).signals;
    let of = |name: &str| {
        let signal = signals.iter().find(|s| s.name == name).unwrap();
        (signal.coverage.part, signal.coverage.whole)
    };
    assert_eq!(of("usage"), (2, 3));
    assert_eq!(of("first_token"), (1, 3));
    assert_eq!(of("tool_arguments"), (1, 1));
    assert_eq!(of("logs"), (1, 2));
    assert_eq!(of("metrics"), (0, 2));
    assert_eq!(of("tenant"), (1, 2));
    assert_eq!(of("complete_root"), (1, 2));
    assert!(signals.is_sorted_by_key(|s| s.layer));
}

#[test]
fn nothing_gives_nothing() {
    let all = sums(&Dump::default());
    assert_eq!(all.cost, Cost::default());
    assert_eq!(all.latency, Latency::default());
    assert!(!all.drift.drifted);
    assert!(all.signals.iter().all(|s| s.coverage.share().is_none()));
}

#[test]
fn the_numbering_of_names_does_not_show() {
    let mut other = Dump::default();
    for name in ["odd", "acme", "unused", "ask", "big", "openai"] {
        other.sym(name);
    }
    let numbered = dump();
    let mut data = other.data;
    let mut read = numbered.data.clone();
    let spans = std::mem::take(&mut read.spans).into_iter();
    let spans = spans.zip(std::mem::take(&mut read.origins));
    read.records = spans
        .map(|(span, origin)| Record::of(span, origin))
        .collect();
    data.absorb(read);
    data.settle();
    let mut forest = numbered.forest.clone();
    for request in &mut forest.requests {
        request.kind = data.names.find(numbered.data.text(request.kind)).unwrap();
        let tenant = numbered.data.text(request.tenant);
        request.tenant = data.names.find(tenant).unwrap_or_default();
    }
    let renumbered = Dump { data, forest };
    assert_eq!(sums(&renumbered), sums(&numbered));
}

#[test]
fn results_of_tools_are_paid_in_every_later_prompt() {
    let mut dump = Dump::default();
    let first = dump.call("big", 1000, 0, 100);
    dump.llm(StepKind::Model, window(0, 100), first);
    dump.tool("search", window(100, 10));
    let second = dump.call("big", 1600, 1000, 50);
    dump.llm(StepKind::Model, window(200, 100), second);
    let third = dump.call("big", 1700, 1600, 10);
    dump.llm(StepKind::Model, window(300, 100), third);
    // A prompt that shrank was cut: what is left of the results cannot be told.
    let fourth = dump.call("big", 900, 0, 10);
    dump.llm(StepKind::Model, window(400, 100), fourth);
    dump.request("ask", "", window(0, 600), RootState::Complete);
    let cost = sums(&dump).cost;
    let [tool] = cost.by_tool.as_slice() else {
        panic!("{:?}", cost.by_tool);
    };
    assert_eq!(
        (tool.tool.as_str(), tool.calls, tool.seen),
        ("search", 1, 1)
    );
    assert_eq!((tool.added_tokens, tool.carried_tokens), (500, 1000));
    // 500 new tokens at 2 $/M; then 500 of the 1,700 tokens of a prompt of 100 x 2 $ + 1,600 x 0.5 $.
    let carried = 500 * (100 * 2000 + 1600 * 500) / 1700;
    assert_eq!(tool.cost, Some(Usd(500 * 2000 + carried)));
}

/// Two requests of one trace may lie the other way round than they started.
#[test]
fn requests_may_stand_in_another_order_than_their_operations() {
    let mut dump = Dump::default();
    for (start, tool) in [(1000, "search"), (0, "read")] {
        let first = dump.call("big", 1000, 0, 100);
        dump.llm(StepKind::Model, window(start, 100), first);
        dump.tool(tool, window(start + 100, 10));
        let second = dump.call("big", 1600, 1000, 50);
        dump.llm(StepKind::Model, window(start + 200, 100), second);
        dump.request("ask", "", window(start, 300), RootState::Complete);
    }
    let straight = sums(&dump);
    dump.forest.requests.swap(0, 1);
    let swapped = sums(&dump);
    let seen = |all: &Aggregates| -> Vec<u64> { all.cost.by_tool.iter().map(|t| t.seen).collect() };
    assert_eq!(seen(&straight), [1, 1]);
    assert_eq!(swapped.cost, straight.cost);
    assert!(
        swapped
            .per_request
            .iter()
            .eq(straight.per_request.iter().rev())
    );
}

#[test]
fn prompts_that_the_cache_usually_holds_are_wasted_when_it_does_not() {
    let mut dump = Dump::default();
    for i in 0..17 {
        let cached = if (13..16).contains(&i) { 100 } else { 800 };
        let call = dump.call("big", 1000, cached, 10);
        dump.llm(StepKind::Model, window(i * 1000, 100), call);
        dump.request("ask", "", window(i * 1000, 200), RootState::Complete);
    }
    let failed = dump.call("big", 1000, 800, 0);
    dump.llm(StepKind::Failed, window(20_000, 100), failed);
    dump.llm(StepKind::Failed, window(20_100, 100), LlmCall::default());
    dump.request("ask", "", window(20_000, 300), RootState::Complete);
    let all = sums(&dump);
    let items = &all.cost.waste.items;
    let of = |reason| items.iter().find(|item| item.reason == reason).unwrap();
    let lost = of(WasteReason::LostCache);
    assert_eq!((lost.calls, lost.requests, lost.tokens), (3, 3, 2100));
    assert_eq!(lost.cost, Some(Usd(2100 * 1500)));
    let failed = of(WasteReason::FailedAttempts);
    assert_eq!(
        (failed.calls, failed.requests, failed.unpriced_calls),
        (2, 1, 1)
    );
    assert_eq!(failed.cost, Some(Usd(200 * 2000 + 800 * 500)));
    assert_eq!(all.cost.waste.cost, all.cost.total.wasted);
    let per_request: Usd = all.per_request.iter().map(|r| r.wasted).sum();
    assert_eq!(Some(per_request), all.cost.waste.cost);
}

#[test]
fn reported_cost_is_held_against_the_computed_one() {
    let mut dump = Dump::default();
    for reported in [2_000_000, 2_010_000, 5_000_000] {
        let mut call = dump.call("big", 1000, 0, 0);
        call.reported_cost = Some(Known::attribute(Usd(reported)));
        dump.llm(StepKind::Model, window(0, 100), call);
    }
    let mut odd = dump.call("odd", 1000, 0, 0);
    odd.reported_cost = Some(Known::attribute(Usd(7)));
    dump.llm(StepKind::Model, window(0, 100), odd);
    dump.request("ask", "", window(0, 600), RootState::Complete);
    let found = sums(&dump).cost.reconciliation;
    assert_eq!(
        (found.calls, found.differing, found.unpriced_calls),
        (3, 1, 1)
    );
    assert_eq!((found.computed, found.unpriced), (Usd(6_000_000), Usd(7)));
    let [difference] = found.differences.as_slice() else {
        panic!("{:?}", found.differences);
    };
    assert_eq!(
        (difference.model.as_str(), difference.worst.reported),
        ("big", Usd(5_000_000))
    );
}

#[test]
fn money_per_request_and_tokens_per_dollar() {
    let total = sums(&dump()).cost.total;
    // 600 x 2 $ + 400 x 0.5 $ + 101 x 10 $ per million, for 1,101 tokens of one request
    assert_eq!(total.cost, Some(Usd(2_410_000)));
    assert_eq!(total.per_thousand_requests(), Some(Usd(2_410_000_000)));
    let bought = total.tokens_per_dollar().unwrap();
    assert!((bought - 1101.0 / 0.00241).abs() < 1e-6, "{bought}");
    assert_eq!(Total::default().per_thousand_requests(), None);
    assert_eq!(Total::default().tokens_per_dollar(), None);
}
