//! One user request: a root, what happened under it, and what had to be mended to see it.

use std::ops::Range;

use super::Parts;
use crate::model::{SpanIx, TraceId};
use crate::units::{Nanos, Sym, Window};

/// What is known of a request's root span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootState {
    /// Present, with an end.
    Complete,
    /// Present, never ended.
    Unfinished,
    /// Not in the dump: the request runs from its first to its last span.
    Missing,
}

/// What a leaf of the account is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepKind {
    /// A model call that answered.
    Model,
    /// A model call that failed.
    Failed,
    /// A tool, retrieval or embedding.
    Tool,
}

/// One leaf operation of a request, counted once however many spans recorded it.
#[derive(Clone, Copy, Debug)]
pub struct StepOp {
    /// The span that owns it.
    pub span: SpanIx,
    /// What it is.
    pub kind: StepKind,
    /// Sequence it belongs to: one agent's own thread of work. 0 is the request's main lane.
    pub lane: u16,
    /// True while a later lane hangs under this operation (a sub-agent started by a tool).
    pub opens_lane: bool,
    /// When it ran; a model span kept open for its tools ends where the model did.
    pub window: Window,
}

/// Repairs that touched a request, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
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
#[derive(Clone, Debug)]
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
    /// Its leaf operations, in [`Forest::ops`](super::Forest::ops), by lane and start.
    pub ops: Range<u32>,
    /// Where the time went.
    pub parts: Parts,
    /// Spans in it, duplicates not counted.
    pub spans: u32,
    /// Spans that ended in error.
    pub errors: u32,
    /// Model calls that answered.
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
