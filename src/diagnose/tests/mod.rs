//! Dumps built by hand, and what the diagnosis says of them.

mod account;
mod causes;
mod delegated;
mod incidents;
mod learned;
mod margins;
mod sayings;
mod unshown_cache;

use super::account::{Account, Proof};
use super::ground::{Ground, Survey};
use super::scene::{Found, Scene};
use super::{Cause, Options, Verdicts, diagnose};
use crate::baseline::{Baselines, CallIx, Excluded, Expected};
use crate::model::{
    Dataset, Digest, Emitter, Known, LlmCall, Op, Place, Record, Resource, Scope, Span, SpanFlags,
    SpanId, SpanKind, Status, TaskFacts, ToolCall, TraceId,
};
use crate::trace::{self, Forest};
use crate::units::{Millis, Nanos, Sym};

/// Milliseconds since the beginning of the dump.
pub(super) fn at(millis: f64) -> Nanos {
    Nanos(1_778_572_800_000_000_000_u64.saturating_add_signed((millis * 1e6) as i64))
}

/// A model call: tokens and milliseconds. A server computes five tokens a millisecond and writes one in twenty
/// milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) input: Option<u32>,
    pub(super) cached: Option<u32>,
    pub(super) output: Option<u32>,
    /// To the first token; not shown where absent.
    pub(super) first: Option<f64>,
    /// In all.
    pub(super) takes: f64,
    pub(super) model: &'static str,
    pub(super) address: &'static str,
    pub(super) resends: u16,
}

pub(super) const CALL: Call = Call {
    input: Some(2_000),
    cached: Some(1_500),
    output: Some(60),
    first: Some(200.0),
    takes: 1_400.0,
    model: "m",
    address: "",
    resends: 0,
};

impl Call {
    /// The same, late by so much before the first token, and after it.
    pub(super) fn late(self, before: f64, after: f64) -> Self {
        Self {
            first: self.first.map(|first| first + before),
            takes: self.takes + before + after,
            ..self
        }
    }
}

/// What an agent does next; times in milliseconds.
#[derive(Clone, Copy)]
pub(super) enum Step {
    Model(Call),
    /// An attempt that failed.
    Failed(f64),
    /// A tool, its argument, and how long it took.
    Tool(&'static str, u32, f64),
    Pause(f64),
}

/// A dump under construction.
#[derive(Default)]
pub(super) struct Fleet {
    pub(super) data: Dataset,
    /// Of the spans that follow; a service that is not told is the agent's.
    pub(super) service: &'static str,
    pub(super) region: &'static str,
    pub(super) rule: Options,
    pub(super) requests: u64,
}

impl Fleet {
    /// As many healthy requests as told, so many milliseconds from one start to the next: two rounds with a
    /// tool between them.
    pub(super) fn healthy(count: u32, apart: f64) -> Self {
        let mut fleet = Self::default();
        for number in 0..count {
            fleet.request(f64::from(number) * apart, &usual(number));
        }
        fleet
    }

    /// Adds a request that starts so many milliseconds from the beginning. Returns its number, by order of start.
    pub(super) fn request(&mut self, start: f64, steps: &[Step]) -> u64 {
        let root = self.root(Op::Task, start, "task");
        let end = self.steps(1, start, steps);
        self.data.records[root].end = at(end);
        self.requests - 1
    }

    /// The same with a sub-agent after the first steps, which takes the others.
    pub(super) fn delegated(&mut self, start: f64, steps: &[Step], inner: &[Step]) {
        let root = self.root(Op::Task, start, "task");
        let now = self.steps(1, start, steps);
        let agent = self.span(Op::Agent, 1, now, now, "agent");
        let id = self.data.records[agent].id.0 & 0xffff_ffff;
        let end = self.steps(id, now, inner);
        self.data.records[agent].end = at(end);
        self.data.records[root].end = at(end);
    }

    /// Adds steps below span `parent` of the last request; the answer is when they end.
    fn steps(&mut self, parent: u64, start: f64, steps: &[Step]) -> f64 {
        let mut now = start;
        for step in steps {
            match *step {
                Step::Pause(length) => now += length,
                Step::Model(call) => {
                    self.span(Op::Llm, parent, now, now + call.takes, "chat");
                    self.called(call);
                    now += call.takes;
                }
                Step::Failed(length) => {
                    let span = self.span(Op::Llm, parent, now, now + length, "chat");
                    self.data.records[span].status = Status::Error;
                    self.called(Call {
                        input: None,
                        cached: None,
                        output: None,
                        first: None,
                        ..CALL
                    });
                    now += length;
                }
                Step::Tool(name, argument, length) => {
                    self.span(Op::Tool, parent, now, now + length, name);
                    let tool = self.data.names.intern(name);
                    let arguments = Some(Digest::of(&argument.to_le_bytes()));
                    let last = self.data.tools.len() - 1;
                    self.data.tools.change(last, |call| {
                        (call.tool, call.arguments) = (tool, arguments);
                    });
                    now += length;
                }
            }
        }
        now
    }

    /// Begins a request; returns the index of its root.
    pub(super) fn root(&mut self, op: Op, start: f64, name: &str) -> usize {
        self.requests += 1;
        self.span(op, 0, start, start, name)
    }

    /// Adds a span to the last request; returns its index.
    pub(super) fn span(&mut self, op: Op, parent: u64, start: f64, end: f64, name: &str) -> usize {
        let emitter = self.emitter();
        let data = &mut self.data;
        let call = match op {
            op if op.is_model() => data.llm.push(LlmCall::default()),
            op if op.is_tool() => {
                data.tools.push(ToolCall::default());
                data.tools.len() - 1
            }
            op if op.is_group() => {
                data.tasks.push(TaskFacts::default());
                data.tasks.len() - 1
            }
            _ => u32::MAX as usize,
        };
        let trace = TraceId(u128::from(self.requests));
        let base = self.requests << 32;
        let own = data
            .records
            .iter()
            .filter(|s| s.id.0 >> 32 == self.requests);
        let id = base + own.count() as u64 + 1;
        let span = Span {
            trace: data.traces.number(trace),
            start: at(start),
            end: at(end),
            name: data.names.intern(name),
            emitter,
            call: crate::model::CallIx(call as u32),
            op,
            kind: SpanKind::Internal,
            status: Status::Unset,
            flags: SpanFlags::default(),
            error: None,
            weight: 1,
        };
        data.records.push(Record {
            span,
            id: SpanId(id),
            parent: SpanId(if parent == 0 { 0 } else { base + parent }),
            place: Place::default(),
        });
        data.records.len() - 1
    }

    /// The facts of the last model call.
    pub(super) fn called(&mut self, call: Call) {
        let data = &mut self.data;
        let (answered, endpoint) = (data.names.intern(call.model), intern(data, call.address));
        let last = data.llm.len() - 1;
        data.llm.change(last, |facts| {
            facts.answered = answered;
            facts.endpoint = endpoint;
            facts.input = call.input.map(Known::attribute);
            facts.cached = call.cached.map(Known::attribute);
            facts.output = call.output.map(Known::attribute);
            let first = call.first.map(|first| Nanos((first * 1e6) as u64));
            facts.first_token = first.map(Known::attribute);
            facts.resends = Some(call.resends);
        });
    }

    fn emitter(&mut self) -> u32 {
        let data = &mut self.data;
        let resource = Resource {
            service: data.names.intern(match self.service {
                "" => "agent",
                other => other,
            }),
            region: intern(data, self.region),
            ..Resource::default()
        };
        let known = data.resources.iter().position(|known| *known == resource);
        let number = known.unwrap_or_else(|| {
            data.resources.push(resource);
            data.scopes.push(Scope::default());
            let number = data.resources.len() as u32 - 1;
            data.emitters.push(Emitter {
                resource: number,
                scope: number,
            });
            number as usize
        });
        number as u32
    }

    pub(super) fn diagnose(self) -> (Dataset, Forest, Verdicts) {
        let rule = self.rule;
        let (data, forest) = self.build();
        let verdicts = diagnose(&data, &forest, &rule);
        (data, forest, verdicts)
    }

    pub(super) fn build(mut self) -> (Dataset, Forest) {
        let forest = Forest::build(&mut self.data, &trace::Options::default());
        self.data.check_valid().unwrap();
        (self.data, forest)
    }

    /// What a pass sees of it: what is measured may be changed first, then what was learned.
    pub(super) fn seen<T>(
        self,
        measured: impl FnOnce(&mut Ground<'_>, &mut Baselines),
        learned: impl FnOnce(&mut Scene<'_>),
        look: impl FnOnce(&Scene<'_>) -> T,
    ) -> T {
        let options = self.rule;
        let (data, forest) = self.build();
        let mut ground = Ground {
            dataset: &data,
            forest: &forest,
            survey: Survey::of(&data, &forest),
        };
        let mut base = Baselines::learn(&forest, &ground.measured, &Excluded::default());
        measured(&mut ground, &mut base);
        let mut scene = Scene::new(&ground, &base, &options, Found::default());
        scene.find_losses();
        learned(&mut scene);
        look(&scene)
    }
}

fn intern(data: &mut Dataset, text: &str) -> Sym {
    match text {
        "" => Sym::NONE,
        _ => data.names.intern(text),
    }
}

/// Two rounds with a tool between them, which asks for something else each time.
pub(super) fn usual(number: u32) -> Vec<Step> {
    let second = Call {
        input: Some(2_400),
        cached: Some(2_000),
        first: Some(180.0),
        takes: 1_380.0,
        ..CALL
    };
    vec![
        Step::Pause(5.0),
        Step::Model(CALL),
        Step::Pause(5.0),
        Step::Tool("search", number, 400.0),
        Step::Pause(5.0),
        Step::Model(second),
    ]
}

/// What `look` charges a request: cause, position of the operation, milliseconds, fact.
pub(super) fn charges(
    scene: &Scene<'_>,
    request: u32,
    look: super::causes::Look,
) -> Vec<(Cause, f64, &'static str)> {
    let mut account = Account::default();
    look(scene, request, &mut account);
    let charges = account.charges.iter();
    charges
        .map(|c| (c.cause, (c.millis * 1e3).round() / 1e3, c.proof.fact))
        .collect()
}

/// As if a call were expected to take so many milliseconds to its first token, and after.
pub(super) fn expect(scene: &mut Scene<'_>, index: CallIx, first: f64, rest: f64) {
    let call = *scene.calls.get(index);
    let seen = &mut scene.seen[index as usize];
    seen.expected = Some(Expected {
        uncached: 0.0,
        first,
        rest: Millis::new(rest),
    });
    seen.log_ratio = (call.total() / (first + rest)).ln();
}

/// That something was seen, and nothing more.
pub(super) fn proof(fact: &'static str) -> Proof {
    Proof {
        span: None,
        fact,
        observed: 0.0,
        expected: None,
        unit: "ms",
        via: "derived",
        note: "",
    }
}
