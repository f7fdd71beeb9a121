//! A model call as the expectation models see it: its work, its time, and whose it is.

use rayon::prelude::*;

use crate::model::{Dataset, Op, SpanIx};
use crate::trace::{Forest, StepKind};
use crate::units::{Millis, Nanos, Small, Sym, Window, roomy};

/// Index into [`Calls::all`].
pub type CallIx = u32;

/// A call that finds this share of the prompt before it cached follows on that prompt.
const FOLLOWS_ON: f64 = 0.9;

/// One answered model call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its operation in [`Forest::ops`].
    pub op: u32,
    /// Its request.
    pub request: u32,
    /// The owning span.
    pub span: SpanIx,
    /// The call before it in its lane, if any.
    pub previous: Option<Small>,
    /// How many calls of its lane came before.
    pub round: u32,
    /// When it ran.
    pub window: Window,
    /// Prompt tokens.
    pub input: Option<Small>,
    /// Cached prompt tokens, where the dump shows them.
    pub cached: Option<Small>,
    /// Generated tokens.
    pub output: Option<Small>,
    /// Time to first token, where the dump shows it.
    pub first_token: Option<Millis>,
    /// Model that answered.
    pub model: Sym,
    /// Address it went to; absent at tiers that do not show one.
    pub endpoint: Sym,
    /// Client region.
    pub region: Sym,
    /// Service that called.
    pub service: Sym,
    /// Kind of the request.
    pub kind: Sym,
    /// Agent of the lane.
    pub agent: Sym,
    /// Why generation ended.
    pub finish: Sym,
    /// Tenant, else conversation: whose prefix a cache may hold.
    pub tenant: Sym,
    /// True where only the serving side recorded the call: whose it is, and what step it belongs to,
    /// nobody can tell.
    pub server_side_only: bool,
    /// Attempts before it that failed inside its span.
    pub resends: u16,
    /// The serving side's span, where joined.
    pub engine: Option<Small>,
}

impl Call {
    /// Duration, milliseconds.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.window.len().as_millis()
    }

    /// The call before it in its lane, if any.
    #[must_use]
    pub fn before<'a>(&self, calls: &'a Calls) -> Option<&'a Self> {
        self.previous.map(|before| calls.get(before.get()))
    }

    /// Whether the call came next after `before`, as far as the cache tells. One that finds the prompt of the call
    /// before it cached, and no more than that had sent and written, did; one that finds more followed on a call
    /// that left no span.
    #[must_use]
    pub fn follows(&self, before: &Self) -> Option<bool> {
        let (cached, input) = (f64::from(self.cached?), f64::from(before.input?));
        if cached > input + before.output.map_or(0.0, f64::from) {
            return Some(false);
        }
        (cached >= FOLLOWS_ON * input).then_some(true)
    }

    /// Growth of the prompt since the call before: what a tool or a person added. Unknown where a call in between
    /// left no span.
    #[must_use]
    pub fn growth(&self, calls: &Calls) -> Option<f64> {
        let before = self.before(calls)?;
        if self.follows(before) == Some(false) {
            return None;
        }
        Some(
            f64::from(self.input?)
                - f64::from(before.input?)
                - before.output.map_or(0.0, f64::from),
        )
    }
}

/// All answered model calls, request by request, lane by lane, in order of start.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// The calls.
    pub all: Vec<Call>,
    /// Call of each operation, `u32::MAX` for operations that are none.
    pub of_op: Vec<CallIx>,
}

impl Calls {
    /// Collects the calls of `forest`.
    #[must_use]
    pub fn collect(dataset: &Dataset, forest: &Forest) -> Self {
        let turns = Turn::all(forest);
        let mut calls = Self {
            all: roomy(turns.len()),
            of_op: roomy(forest.ops.len()),
        };
        calls.of_op.resize(forest.ops.len(), u32::MAX);
        for (turn, index) in turns.iter().zip(0..) {
            calls.of_op[turn.op as usize] = index;
        }
        turns
            .par_iter()
            .zip(0..turns.len() as CallIx)
            .map(|(turn, index)| call_of(dataset, forest, turn, index))
            .collect_into_vec(&mut calls.all);
        calls
    }

    /// The call at `index`.
    #[must_use]
    pub fn get(&self, index: CallIx) -> &Call {
        &self.all[index as usize]
    }

    /// The call that operation `op` is, if any.
    #[must_use]
    pub fn of(&self, op: u32) -> Option<(CallIx, &Call)> {
        let index = *self.of_op.get(op as usize)?;
        Some((index, self.all.get(index as usize)?))
    }
}

/// Where a call stands.
struct Turn {
    op: u32,
    lane: u32,
    request: u32,
    round: u32,
}

impl Turn {
    /// All calls, request by request, lane by lane.
    fn all(forest: &Forest) -> Vec<Self> {
        let is_call = |op: u32| forest.ops[op as usize].kind == StepKind::Model;
        let count = (0..forest.ops.len() as u32).filter(|op| is_call(*op));
        let mut turns = roomy(count.count());
        for (request, index) in forest.requests.iter().zip(0..) {
            for lane in request.lanes.clone() {
                let calls = forest.lanes[lane as usize].ops.clone();
                let calls = calls.filter(|op| is_call(*op)).zip(0..);
                turns.extend(calls.map(|(op, round)| Self {
                    op,
                    lane,
                    request: index,
                    round,
                }));
            }
        }
        turns
    }
}

fn call_of(dataset: &Dataset, forest: &Forest, turn: &Turn, index: CallIx) -> Call {
    let request = &forest.requests[turn.request as usize];
    let lane = &forest.lanes[turn.lane as usize];
    let op = &forest.ops[turn.op as usize];
    let span = &dataset.spans[op.span as usize];
    let facts = dataset.llm_of(span).unwrap_or_default();
    let conversation = facts.conversation.or(request.conversation);
    Call {
        op: turn.op,
        request: turn.request,
        span: op.span,
        previous: (turn.round > 0).then(|| Small::new(index - 1)),
        round: turn.round,
        window: op.window,
        input: facts.input.map(|k| k.value.into()),
        cached: facts.cached.map(|k| k.value.into()),
        output: facts.output.map(|k| k.value.into()),
        first_token: facts
            .first_token
            .map(|k| k.value)
            .filter(|t| *t <= op.window.len() + Nanos::MILLI)
            .map(|t| Millis::new(t.as_millis())),
        model: facts.model(),
        endpoint: facts.endpoint,
        region: lane.region,
        service: lane.service,
        kind: request.kind,
        agent: lane.agent,
        finish: facts.finish,
        server_side_only: span.op == Op::Engine,
        resends: facts.resends.unwrap_or(0),
        tenant: request.tenant.or(conversation),
        engine: (facts.engine != u32::MAX).then(|| facts.engine.into()),
    }
}
