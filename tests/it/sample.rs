//! Small analyses built by hand: what the stages would hand to the report, without running them.

use agentdiag::aggregate::{
    Aggregates, Estimate, Layer, ModelLatency, Named, Reading, RequestCost, Signal, SignalLayer,
    Source, Spread, State, TableUse, ToolShift, Total, UnknownModel, Vintage, Waste, WasteItem,
    WasteReason,
};
use agentdiag::diagnose::{Cause, Claim, Diagnosis, Evidence, Fact, Incident, Options, Outcome};
use agentdiag::model::{
    CallIx, Dataset, Input, Issue, IssueKind, Op, Origin, Place, Span, SpanFlags, SpanId, SpanKind,
    Status, TraceId,
};
use agentdiag::report::{Findings, Report};
use agentdiag::trace::{Forest, Parts, RepairSet, Request, RootState};
use agentdiag::units::{Nanos, Ratio, Sym, Usd, Window};

/// The first start: 2026-05-03 08:00 UTC.
const START: Nanos = Nanos(1_777_795_200_000_000_000);

/// Everything a report borrows from.
#[derive(Default)]
pub(crate) struct Sample {
    pub(crate) data: Dataset,
    pub(crate) forest: Forest,
    pub(crate) diagnoses: Vec<Diagnosis>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) notes: Vec<String>,
    pub(crate) sums: Aggregates,
    pub(crate) rule: Options,
}

impl Sample {
    /// Hands everything to the report.
    pub(crate) fn report(&self) -> Report<'_> {
        Report::assemble(Findings {
            dataset: &self.data,
            forest: &self.forest,
            diagnoses: &self.diagnoses,
            incidents: &self.incidents,
            notes: &self.notes,
            sums: &self.sums,
            rule: &self.rule,
        })
    }

    /// An input file.
    fn input(&mut self, path: &str, spans: u64) {
        self.data.inputs.push(Input {
            path: path.to_owned(),
            format: "otlp-json lines".to_owned(),
            bytes: spans * 818,
            unpacked: spans * 818,
            spans,
            ..Input::default()
        });
        *self.data.dialects.entry("otel-genai").or_default() += spans;
    }

    /// A request that starts `at` seconds after the first and has the given parts.
    fn request(&mut self, at: u64, parts: Parts) -> &mut Request {
        let number = self.forest.requests.len() as u32;
        let start = START + Nanos(at * Nanos::SECOND.0);
        let wall = Window {
            start,
            end: start + parts.total(),
        };
        let trace = TraceId(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_0000 + u128::from(number));
        let kind = self.data.names.intern("triage_ticket");
        self.data.spans.push(Span {
            trace: self.data.traces.number(trace),
            start,
            end: wall.end,
            name: kind,
            emitter: 0,
            call: CallIx::NONE,
            op: Op::Task,
            kind: SpanKind::Server,
            status: Status::Unset,
            flags: SpanFlags::default(),
            error: None,
            weight: 1,
        });
        self.data.origins.push(Origin {
            id: SpanId(0x00f0_67aa_0ba9_0000 + u64::from(number)),
            parent: SpanId::NONE,
            place: Place::at(0, u64::from(number) * 4_000),
        });
        self.forest.traces += 1;
        self.forest.roots += 1;
        self.sums.per_request.push(RequestCost {
            cost: Some(Usd(12_500_000)),
            priced: Ratio {
                part: 5_880,
                whole: 8_820,
            },
            ..RequestCost::default()
        });
        self.forest.requests.push(Request {
            trace,
            root: number,
            root_state: RootState::Complete,
            wall,
            kind,
            agent: Sym::NONE,
            tenant: Sym::NONE,
            service: Sym::NONE,
            conversation: Sym::NONE,
            ops: 0..0,
            lanes: 0..0,
            parts,
            spans: 9,
            errors: 0,
            llm_calls: 3,
            tool_calls: 2,
            retries: 0,
            input_tokens: Some(8_400),
            cached_tokens: Some(6_000),
            output_tokens: Some(420),
            rolled_up: false,
            repairs: RepairSet::default(),
        });
        self.forest.requests.last_mut().expect("just pushed")
    }

    /// An account of the last request; the claims, largest first, sum to `excess`.
    fn account(&mut self, excess: Nanos, slow: bool, confidence: f64, claims: Vec<Claim>) {
        let request = self.forest.requests.len() as u32 - 1;
        let wall = self.forest.requests[request as usize].duration();
        let primary = claims.first().map(|c| c.cause).filter(|_| slow);
        self.diagnoses.push(Diagnosis {
            request,
            expected: Some(wall - excess),
            excess,
            slow,
            primary,
            confidence,
            claims,
            considered: Vec::new(),
            missing: Vec::new(),
        });
    }

    /// `count` requests that take what they normally take.
    fn normal(&mut self, count: u64) {
        for number in 0..count {
            self.request(number * 20, usual());
            self.account(Nanos(number * 1_000_003), false, 0.0, Vec::new());
        }
    }
}

fn secs(seconds: f64) -> Nanos {
    Nanos::from_secs(seconds).expect("a duration")
}

fn usual() -> Parts {
    Parts {
        prefill: secs(0.9),
        decode: secs(2.6),
        tool: secs(1.7),
        gap: secs(0.12),
        ..Parts::default()
    }
}

fn fact(span: u32, fact: &'static str, values: (f64, f64), unit: &'static str, note: &str) -> Fact {
    Fact {
        span: Some(span),
        fact,
        observed: values.0,
        expected: Some(values.1),
        unit,
        via: "attribute",
        note: note.to_owned(),
    }
}

fn claim(cause: Cause, explains: Nanos, first: Fact) -> Claim {
    Claim {
        cause,
        explains,
        evidence: Evidence::new(first),
    }
}

/// No request is slow.
pub(crate) fn healthy() -> Sample {
    let mut sample = Sample::default();
    sample.input("traces.jsonl", 1_080);
    sample.normal(120);
    models(&mut sample);
    sample
}

/// Many requests, a tenth of them slow.
pub(crate) fn large(requests: u64) -> Sample {
    let mut sample = Sample::default();
    sample.input("traces.jsonl", requests * 9);
    sample.normal(requests - requests / 10);
    for number in 0..requests / 10 {
        noisy(&mut sample, number % 600);
    }
    models(&mut sample);
    sample
}

/// Two disturbances, a request nothing explains, and an unfinished one.
pub(crate) fn mixed() -> Sample {
    let mut sample = healthy();
    sample.data.inputs[0].spans = 1_320;
    sample.normal(0);
    for number in 0..5 {
        noisy(&mut sample, number);
    }
    for number in 0..3 {
        slow_tool(&mut sample, number);
    }
    puzzling(&mut sample);
    sample.request(5_000, usual()).root_state = RootState::Unfinished;
    incidents(&mut sample);
    drifted(&mut sample);
    sample.notes.push("group triage_ticket / mistral-small has 6 calls only; the model's figures over all agents were used instead".to_owned());
    sample
}

fn noisy(sample: &mut Sample, number: u64) {
    let waited = secs(6.0 + number as f64 * 0.75);
    let parts = Parts {
        queue: waited,
        ..usual()
    };
    sample.request(2_500 + number * 7, parts);
    let root = sample.forest.requests.len() as u32 - 1;
    let mut first = fact(
        root,
        "queue_time",
        (waited.as_millis(), 12.0),
        "ms",
        "waited for a slot while 9 unrelated calls on the same endpoint were slow",
    );
    first.via = "metric";
    let extra = fact(
        root,
        "cached_tokens",
        (512.0, 2_048.0),
        "tokens",
        "part of the prefix was evicted",
    );
    let claims = vec![
        claim(Cause::NoisyNeighbour, waited - secs(0.4), first),
        claim(Cause::ColdCache, secs(0.4), extra),
    ];
    sample.account(waited, true, 0.86, claims);
    let refuted = fact(
        root,
        "uncached_tokens",
        (2_100.0, 2_050.0),
        "tokens",
        "the prompt is no larger than usual",
    );
    let account = sample.diagnoses.last_mut().expect("just pushed");
    account.considered = vec![
        Outcome::Refuted(Cause::PrefillSurge, refuted),
        Outcome::CannotTell(Cause::RoutingChange, vec!["server_address"]),
    ];
    account.missing = vec!["server_address"];
}

fn slow_tool(sample: &mut Sample, number: u64) {
    let parts = Parts {
        tool: secs(9.3 + number as f64),
        ..usual()
    };
    sample.request(3_100 + number * 11, parts);
    let root = sample.forest.requests.len() as u32 - 1;
    let took = fact(
        root,
        "tool_time",
        (parts.tool.as_millis(), 1_700.0),
        "ms",
        "search_docs took longer than it usually does",
    );
    let excess = parts.tool - secs(1.7);
    sample.account(
        excess,
        true,
        0.93,
        vec![claim(Cause::ToolBottleneck, excess, took)],
    );
}

/// A request nothing explains: there is no claim at all, so the whole excess is a remainder.
fn puzzling(sample: &mut Sample) {
    let parts = Parts {
        model_unsplit: secs(4.0),
        ..usual()
    };
    sample.request(4_000, parts);
    sample.account(secs(4.0), true, 0.31, Vec::new());
    let account = sample.diagnoses.last_mut().expect("just pushed");
    account.missing = vec!["first_token", "server_address"];
}

fn incidents(sample: &mut Sample) {
    let scopes = [
        (
            Cause::NoisyNeighbour,
            "endpoint",
            "llm-eu.internal:8000",
            120..125,
        ),
        (Cause::ToolBottleneck, "tool", "search_docs", 125..128),
    ];
    for (cause, scope_kind, name, requests) in scopes {
        let requests: Vec<u32> = requests.collect();
        let walls = requests
            .iter()
            .map(|r| sample.forest.requests[*r as usize].wall);
        let window = walls.reduce(|a, b| Window {
            start: a.start.min(b.start),
            end: a.end.max(b.end),
        });
        let lost = requests
            .iter()
            .map(|r| sample.diagnoses[*r as usize].excess);
        sample.incidents.push(Incident {
            cause,
            scope: sample.data.names.intern(name),
            scope_kind,
            onset: window.expect("not empty").start,
            window: window.expect("not empty"),
            excess: lost.sum(),
            requests,
            cost: None,
            without: None,
        });
    }
}

fn models(sample: &mut Sample) {
    let total = |key: &str, calls, tokens: (u64, u64, u64), cost| Total {
        key: key.to_owned(),
        requests: 120,
        calls,
        input_tokens: tokens.0,
        cached_tokens: tokens.1,
        output_tokens: tokens.2,
        cost,
        wasted: cost.map(|_| Usd(21_000_000)),
        priced: Ratio::default(),
    };
    let long = "internal/triage-lora-with-a-rather-long-deployment-name";
    let cost = &mut sample.sums.cost;
    cost.by_model = vec![
        total(
            "gpt-5.2",
            240,
            (680_000, 480_000, 33_000),
            Some(Usd(1_500_000_000)),
        ),
        total(long, 120, (328_000, 240_000, 17_400), None),
    ];
    cost.unknown = vec![UnknownModel {
        provider: String::new(),
        model: long.to_owned(),
        calls: 120,
        tokens: 345_400,
    }];
    cost.sources = vec![(Source::GenaiPrices, 240)];
    cost.waste = Waste {
        cost: Some(Usd(42_000_000)),
        items: vec![WasteItem {
            reason: WasteReason::LostCache,
            calls: 12,
            requests: 7,
            tokens: 51_000,
            cost: Some(Usd(42_000_000)),
            unpriced_calls: 0,
        }],
    };
    cost.tables = vec![TableUse {
        vintage: Vintage {
            source: Source::GenaiPrices,
            path: None,
            form: "built-in",
            version: Some("0.1.0".to_owned()),
            as_of: Some(20_500),
            models: 2_000,
        },
        calls: 240,
        age_days: Some(76),
        warning: Some("The prices are old.".to_owned()),
    }];
    sample.sums.readings = vec![
        reading(
            SignalLayer::Standard,
            "error_rate",
            Some(0.021),
            State::Derived,
        ),
        reading(
            SignalLayer::LlmNative,
            "hallucinations",
            None,
            State::Absent("count them"),
        ),
        reading(
            SignalLayer::Machine,
            "gpu_utilisation",
            Some(0.93),
            State::Present("DCGM_FI_DEV_GPU_UTIL".to_owned()),
        ),
    ];
    latencies(sample);
    sample.sums.signals = vec![
        signal("endpoint", Layer::Infrastructure, 0),
        signal("logs", Layer::Infrastructure, 0),
        signal("usage", Layer::Model, 360),
        signal("first_token", Layer::Model, 358),
        signal("tool_name", Layer::Agent, 360),
    ];
}

fn reading(layer: SignalLayer, name: &'static str, value: Option<f64>, state: State) -> Reading {
    Reading {
        layer,
        name,
        unit: "1",
        value,
        state,
    }
}

fn signal(name: &'static str, layer: Layer, part: u64) -> Signal {
    Signal {
        name,
        layer,
        per: "calls",
        coverage: Ratio { part, whole: 360 },
        gap: "less can be told",
        remedy: "record it",
    }
}

fn latencies(sample: &mut Sample) {
    let at = |seconds| Estimate {
        value: secs(seconds),
        interval: Some((secs(seconds * 0.9), secs(seconds * 1.2))),
    };
    let spread = |n, seconds: f64| Spread {
        n,
        p50: at(seconds),
        p90: at(seconds * 1.2),
        p95: at(seconds * 1.4),
        p99: at(seconds * 2.5),
        max: secs(seconds * 3.0),
    };
    let latency = &mut sample.sums.latency;
    latency.requests = Some(spread(120, 5.4));
    latency.models = vec![ModelLatency {
        model: "gpt-5.2".to_owned(),
        call: spread(240, 1.2),
        first_token: Some(spread(240, 0.3)),
        inter_token: None,
    }];
    latency.tools = vec![Named {
        name: "search_docs".to_owned(),
        spread: spread(240, 0.85),
    }];
}

/// The tools are not chosen as they were.
fn drifted(sample: &mut Sample) {
    let tool = |tool: &str, before, after, drifted| ToolShift {
        tool: tool.to_owned(),
        before: Ratio {
            part: before,
            whole: 130,
        },
        after: Ratio {
            part: after,
            whole: 128,
        },
        p_value: Some(if drifted { 0.0001 } else { 0.4 }),
        due: before as f64,
        drifted,
    };
    let drift = &mut sample.sums.drift;
    drift.drifted = true;
    drift.p_value = Some(0.0001);
    drift.split = Some(START + Nanos(2_000 * Nanos::SECOND.0));
    drift.tools = vec![
        tool("search_docs", 30, 74, true),
        tool("fetch_ticket", 100, 54, false),
    ];
}

/// Spans, but no model call among them.
pub(crate) fn no_model_calls() -> Sample {
    let mut sample = Sample::default();
    sample.input("web.jsonl", 240);
    sample.data.dialects.clear();
    for number in 0..12 {
        let request = sample.request(
            number * 20,
            Parts {
                other: secs(0.2),
                ..Parts::default()
            },
        );
        (request.llm_calls, request.tool_calls) = (0, 0);
        (
            request.input_tokens,
            request.cached_tokens,
            request.output_tokens,
        ) = (None, None, None);
    }
    sample
        .sums
        .per_request
        .iter_mut()
        .for_each(|cost| *cost = RequestCost::default());
    let key = sample.data.names.intern("my.llm.tokens");
    sample.data.strange_keys.insert(key, 31);
    sample
}

/// One input damaged, one unreadable, and names that try to talk to the terminal.
pub(crate) fn damaged() -> Sample {
    let mut sample = Sample::default();
    sample.input("exports/eu \x1b[31m red\n.jsonl", 90);
    sample.input("exports/us.jsonl.gz", 0);
    sample.normal(10);
    sample.forest.requests[3].repairs.mark(4);
    for (kind, file, offset, count) in [
        (IssueKind::TruncatedRecord, 0, 73_221, 1),
        (IssueKind::OrphanSpan, 0, 1_024, 4),
        (IssueKind::DamagedCompression, 1, 0, 1),
        (IssueKind::Unreadable, 1, 0, 1),
        (IssueKind::OddId, 0, 0, 12),
    ] {
        let issue = Issue {
            kind,
            place: Place::at(file, offset),
            offset: Some(offset),
            detail: "field startTimeUnixNano".to_owned(),
        };
        sample.data.ledger.add_many(issue, count);
    }
    sample
}
