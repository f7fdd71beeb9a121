//! One user request: a root, what happened under it, and what had to be mended to see it.

use std::ops::Range;

use super::Parts;
use crate::model::{SpanIx, Symbols, TraceId};
use crate::units::{Nanos, Sym, Window};

/// What is known of a request's root span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum RootState {
    /// Present, with an end.
    Complete,
    /// Present, never ended.
    Unfinished,
    /// Not in the dump: the request runs from its first to its last span.
    Missing,
}

/// What an operation of a request is.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum StepKind {
    /// A model call that answered.
    Model,
    /// A model call that failed.
    Failed,
    /// A tool, retrieval or embedding.
    Tool,
    /// A sub-agent: its own operations lie in the lane it opens.
    Group,
    /// Waiting for a person: never latency.
    Human,
}

/// No lane.
pub const NO_LANE: u32 = u32::MAX;

/// One operation of a request, counted once however many spans recorded it.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct StepOp {
    /// The span that owns it.
    pub span: SpanIx,
    /// Index into [`Forest::lanes`](super::Forest::lanes) of the lane it belongs to.
    pub lane: u32,
    /// The lane that hangs under it (a sub-agent, a tool that calls models); [`NO_LANE`] without one.
    pub opens: u32,
    /// What it is.
    pub kind: StepKind,
    /// When it ran; a model span kept open for its tools ends where the model did.
    pub window: Window,
}

/// One sequence of work: an agent's own thread. Operations in it may still overlap.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Lane {
    /// Its operations in [`Forest::ops`](super::Forest::ops), by start.
    pub ops: Range<u32>,
    /// From the start to the end of the agent.
    pub window: Window,
    /// Agent name, else the name of its span.
    pub agent: Sym,
    /// Service that ran it.
    pub service: Sym,
    /// Client region of that service.
    pub region: Sym,
    /// Span at its top.
    pub span: SpanIx,
}

/// Repairs that touched a request, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct RepairSet(pub u16);

impl RepairSet {
    /// Names in the order of the pipeline.
    pub const NAMES: [&'static str; 8] = [
        "dedupe",
        "unfinished",
        "cycle",
        "stitch",
        "orphan",
        "missing_root",
        "skew",
        "clamp",
    ];

    /// Marks repair number `index` of [`RepairSet::NAMES`].
    pub fn mark(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    /// Names of the repairs present.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .enumerate()
            .filter(move |(i, _)| self.0 & (1 << i) != 0)
            .map(|(_, name)| name)
    }
}

/// One user request.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Request {
    /// Its trace.
    pub trace: TraceId,
    /// Its root, or its first span where the root is missing.
    pub root: SpanIx,
    /// What is known of the root.
    pub root_state: RootState,
    /// From start to end.
    pub wall: Window,
    /// Kind of task: task type, else agent, else the root's name.
    pub kind: Sym,
    /// Agent at the root.
    pub agent: Sym,
    /// Tenant, where named.
    pub tenant: Sym,
    /// Service of the root.
    pub service: Sym,
    /// Conversation, where named.
    pub conversation: Sym,
    /// Its operations, in [`Forest::ops`](super::Forest::ops), lane by lane.
    pub ops: Range<u32>,
    /// Its lanes, in [`Forest::lanes`](super::Forest::lanes); the first is its own, a lane comes
    /// before the lanes that hang under it.
    pub lanes: Range<u32>,
    /// Where the time went.
    pub parts: Parts,
    /// Spans in it, duplicates not counted.
    pub spans: u32,
    /// Spans that ended in error.
    pub errors: u32,
    /// Model calls, failed attempts that left a span included.
    pub llm_calls: u32,
    /// Tool calls.
    pub tool_calls: u32,
    /// Failed model attempts, hidden resends and repeated identical tool calls.
    pub retries: u32,
    /// Prompt tokens; `None` where no call shows any.
    pub input_tokens: Option<u64>,
    /// Cached prompt tokens; `None` where no call shows any.
    pub cached_tokens: Option<u64>,
    /// Generated tokens; `None` where no call shows any.
    pub output_tokens: Option<u64>,
    /// True where no call shows usage and the tokens are a sum that an agent or task gave.
    pub rolled_up: bool,
    /// What was mended.
    pub repairs: RepairSet,
}

impl Request {
    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Nanos {
        self.wall.len()
    }
}

impl Symbols for Request {
    fn symbols(&mut self, mut each: impl FnMut(&mut Sym)) {
        for sym in [
            &mut self.kind,
            &mut self.agent,
            &mut self.tenant,
            &mut self.service,
            &mut self.conversation,
        ] {
            each(sym);
        }
    }
}

impl Symbols for Lane {
    fn symbols(&mut self, mut each: impl FnMut(&mut Sym)) {
        for sym in [&mut self.agent, &mut self.service, &mut self.region] {
            each(sym);
        }
    }
}
