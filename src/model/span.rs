//! One timed operation, kept small: a dump holds millions.

use std::ops::{Deref, DerefMut};

use super::{ErrorKind, Place, SpanId, TraceIx};
use crate::units::{Nanos, Sym, Window, Words, halves, whole};

/// Index of a span in [`Dataset::spans`](super::Dataset::spans).
pub type SpanIx = u32;

/// Index into the arena that belongs to a span's [`Op`], or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct CallIx(pub u32);

impl CallIx {
    /// Nothing recorded beside the span.
    pub const NONE: Self = Self(u32::MAX);

    /// The index, when there is one.
    #[must_use]
    pub fn get(self) -> Option<usize> {
        (self.0 != u32::MAX).then_some(self.0 as usize)
    }
}

/// What a span is, decided before anything is read from it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(u8)]
pub enum Op {
    /// Root of one user request.
    Task,
    /// Agent, workflow, chain, crew.
    Agent,
    /// One reasoning round.
    Step,
    /// One model call as its client sees it.
    Llm,
    /// The serving side of a model call.
    Engine,
    /// Execution of a tool.
    Tool,
    /// A Model Context Protocol message.
    Mcp,
    /// Vector store or document retrieval.
    Retrieval,
    /// Embedding or reranking call.
    Embedding,
    /// Guardrail or evaluator.
    Guardrail,
    /// Transport under a model or tool span.
    Http,
    /// Time spent waiting for a person: never latency.
    HumanWait,
    /// Anything else.
    #[default]
    Other,
}

impl Op {
    /// Every role, each at the place that its number says.
    pub const ALL: [Self; 13] = [
        Self::Task,
        Self::Agent,
        Self::Step,
        Self::Llm,
        Self::Engine,
        Self::Tool,
        Self::Mcp,
        Self::Retrieval,
        Self::Embedding,
        Self::Guardrail,
        Self::Http,
        Self::HumanWait,
        Self::Other,
    ];

    /// Which of [`Dataset::arenas`](super::Dataset::arenas) its facts lie in, if in any.
    #[must_use]
    pub fn arena(self) -> Option<usize> {
        match self {
            op if op.is_model() => Some(0),
            op if op.is_tool() => Some(1),
            op if op.is_group() => Some(2),
            Self::Http => Some(3),
            _ => None,
        }
    }

    /// Model-side operation with an entry in [`Dataset::llm`](super::Dataset::llm).
    #[must_use]
    pub fn is_model(self) -> bool {
        matches!(self, Self::Llm | Self::Engine | Self::Embedding)
    }

    /// Tool-side operation with an entry in [`Dataset::tools`](super::Dataset::tools).
    #[must_use]
    pub fn is_tool(self) -> bool {
        matches!(self, Self::Tool | Self::Mcp | Self::Retrieval)
    }

    /// Container with an entry in [`Dataset::tasks`](super::Dataset::tasks).
    #[must_use]
    pub fn is_group(self) -> bool {
        matches!(self, Self::Task | Self::Agent | Self::Step)
    }
}

/// OTLP span kind.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
pub enum SpanKind {
    /// Not said.
    #[default]
    Unspecified,
    /// Inside one process.
    Internal,
    /// Serves a remote caller.
    Server,
    /// Calls a remote server.
    Client,
    /// Enqueues a message.
    Producer,
    /// Handles a message.
    Consumer,
}

/// OTLP status code.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(u8)]
pub enum Status {
    /// The usual value of success.
    #[default]
    Unset,
    /// Success said outright.
    Ok,
    /// Failure.
    Error,
}

/// Yes-or-no facts of a span.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
pub struct SpanFlags(pub u8);

impl SpanFlags {
    /// The parent is in another process (OTLP flag 0x200).
    pub const REMOTE_PARENT: u8 = 1;
    /// No start time was given.
    pub const NO_START: u8 = 2;
    /// No end time was given.
    pub const NO_END: u8 = 4;
    /// The exporter said it dropped attributes, events or links.
    pub const DROPPED: u8 = 8;
    /// The framework gave the root's usage as a sum over its calls.
    pub const ROLLUP: u8 = 16;
    /// A recorded artefact (pending marker, merged debug copy) and not an operation.
    pub const NOISE: u8 = 32;
    /// Its id is that of both halves of a remote call, and this is the half that says so (Zipkin).
    pub const SHARED_ID: u8 = 64;
    /// One of several records of one span: start and end, or late tags.
    pub const PARTIAL: u8 = 128;

    /// True when `bit` is set.
    #[must_use]
    pub fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// Sets `bit`.
    pub fn set(&mut self, bit: u8) {
        self.0 |= bit;
    }
}

/// One span. Times are Unix nanoseconds as the emitter's clock had them.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// Trace it belongs to: a number in [`Dataset::traces`](super::Dataset::traces).
    pub trace: TraceIx,
    /// Start instant.
    pub start: Nanos,
    /// End instant; zero while [`SpanFlags::NO_END`].
    pub end: Nanos,
    /// Span name.
    pub name: Sym,
    /// Index into [`Dataset::emitters`](super::Dataset::emitters).
    pub emitter: u32,
    /// Index into the arena of its [`Op`].
    pub call: CallIx,
    /// What it is.
    pub op: Op,
    /// OTLP kind.
    pub kind: SpanKind,
    /// OTLP status.
    pub status: Status,
    /// Yes-or-no facts.
    pub flags: SpanFlags,
    /// Class of the error, when it failed.
    pub error: Option<ErrorKind>,
    /// How much was said about it (attributes and events), to choose between duplicates.
    pub weight: u16,
}

impl Span {
    /// When it ran.
    #[must_use]
    pub fn window(&self) -> Window {
        Window {
            start: self.start,
            end: self.end,
        }
    }

    /// How long it ran; zero for an open or reversed span.
    #[must_use]
    pub fn duration(&self) -> Nanos {
        self.end.since(self.start)
    }

    /// True when it ended in failure.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.status == Status::Error
    }

    /// Its facts now lie that much further in its arena.
    pub fn move_call(&mut self, by: [u32; 4]) {
        if let (Some(_), Some(arena)) = (self.call.get(), self.op.arena()) {
            self.call.0 += by[arena];
        }
    }

    /// True when no end was recorded.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.flags.has(SpanFlags::NO_END)
    }
}

/// Who a span says it is, and where it stood: what rebuilding traces and showing them needs, and nothing between.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// Its identity within the trace.
    pub id: SpanId,
    /// Its parent; [`SpanId::NONE`] for a root.
    pub parent: SpanId,
    /// Where it was read.
    pub place: Place,
}

impl Words<6> for Origin {
    #[inline]
    fn words(self) -> [u32; 6] {
        let ([a, b], [c, d]) = (halves(self.id.0), halves(self.parent.0));
        [a, b, c, d, self.place.file, self.place.block]
    }

    #[inline]
    fn from_words([a, b, c, d, file, block]: [u32; 6]) -> Self {
        Self {
            id: SpanId(whole([a, b])),
            parent: SpanId(whole([c, d])),
            place: Place { file, block },
        }
    }
}

/// A span as it was read, until traces are rebuilt.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// What it is.
    pub span: Span,
    /// As in [`Origin`].
    pub id: SpanId,
    /// As in [`Origin`].
    pub parent: SpanId,
    /// As in [`Origin`].
    pub place: Place,
}

impl Record {
    /// A span and its origin, together.
    #[must_use]
    pub fn of(span: Span, origin: Origin) -> Self {
        let Origin { id, parent, place } = origin;
        Self {
            span,
            id,
            parent,
            place,
        }
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            id: self.id,
            parent: self.parent,
            place: self.place,
        }
    }
}

impl Deref for Record {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.span
    }
}

impl DerefMut for Record {
    fn deref_mut(&mut self) -> &mut Span {
        &mut self.span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_fills_a_cache_line() {
        assert_eq!((size_of::<Span>(), size_of::<Record>()), (40, 64));
    }
}
