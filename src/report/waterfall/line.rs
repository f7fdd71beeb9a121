//! One line of a waterfall.

use super::Scene;
use crate::model::{ErrorKind, LlmCall, Op, SpanId, SpanIx};
use crate::trace::{Part, StepKind, StepOp, Stretch, phases};
use crate::units::{Nanos, Sym, Window};

/// One line, at its depth among the lines shown.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Lines above it that contain it.
    pub depth: usize,
    /// What it shows.
    pub what: What<'a>,
    /// From when to when.
    pub window: Window,
    /// What is drawn, in this order: a later piece covers an earlier one.
    pub pieces: Vec<Piece>,
    /// How long the end of the request waited for it.
    pub on_path: Nanos,
}

/// What a line shows.
#[derive(Clone, Debug)]
pub enum What<'a> {
    /// One span.
    Span(SpanLine<'a>),
    /// The agent between its calls: no span was busy.
    Gap,
    /// Back-off between an attempt that failed and the next.
    RetryWait,
    /// Spans that have no line of their own.
    Folded {
        /// How many.
        spans: usize,
        /// The most frequent names with their numbers.
        names: Vec<(&'a str, usize)>,
    },
}

/// What is shown of one span: structure and figures, no content.
#[derive(Clone, Copy, Debug)]
pub struct SpanLine<'a> {
    /// Its id.
    pub id: SpanId,
    /// Its parent after repairs; none for a top.
    pub parent: SpanId,
    /// Its name.
    pub name: &'a str,
    /// What it is, in words.
    pub kind: &'static str,
    /// The service that sent it, empty when not said.
    pub service: &'a str,
    /// It ended in error.
    pub failed: bool,
    /// No end was recorded.
    pub open: bool,
    /// Class of its error.
    pub error: Option<&'static str>,
    /// The evidence names it.
    pub cited: bool,
    /// What was measured, when it stands for a model call.
    pub call: Option<CallFigures<'a>>,
}

/// Figures of a model call; absent is not zero.
#[derive(Clone, Copy, Debug)]
pub struct CallFigures<'a> {
    /// The model, empty when not said.
    pub model: &'a str,
    /// Prompt tokens, cached ones included.
    pub input: Option<u32>,
    /// Prompt tokens served from a cache.
    pub cached: Option<u32>,
    /// Generated tokens.
    pub output: Option<u32>,
    /// From the start to the first token.
    pub first_token: Option<Nanos>,
    /// Status of the answer.
    pub http_status: Option<u16>,
    /// Why generation ended, in one spelling; empty when not said.
    pub finish: &'a str,
}

/// One stretch of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// What the time went to; `None` where the span was merely open.
    pub part: Option<Part>,
    /// From when to when.
    pub window: Window,
    /// The end of the request was waiting for it.
    pub critical: bool,
}

impl Piece {
    pub(super) fn of(stretch: &Stretch) -> Self {
        Self {
            part: Some(stretch.part),
            window: stretch.window,
            critical: true,
        }
    }

    pub(super) fn open(window: Window) -> Self {
        Self {
            part: None,
            window,
            critical: false,
        }
    }
}

impl Line<'_> {
    /// Spans that this line stands for without showing them.
    #[must_use]
    pub fn folded(&self) -> usize {
        match self.what {
            What::Folded { spans, .. } => spans,
            _ => 0,
        }
    }
}

impl<'a> Line<'a> {
    pub(super) fn wait(stretch: &Stretch, depth: usize) -> Self {
        let what = match stretch.part {
            Part::RetryWait => What::RetryWait,
            _ => What::Gap,
        };
        Self {
            depth,
            what,
            window: stretch.window,
            pieces: vec![Piece::of(stretch)],
            on_path: stretch.window.len(),
        }
    }

    pub(super) fn span(scene: &Scene<'a, '_>, index: SpanIx, depth: usize) -> Option<Self> {
        let report = scene.row.report;
        let (dataset, span) = (report.dataset(), report.span(index)?);
        let op = scene.ops.get(&index).copied();
        let parent = report.forest().tree.parent_of(index);
        let call = op
            .filter(|op| matches!(op.kind, StepKind::Model | StepKind::Failed))
            .and_then(|_| dataset.llm_of(span));
        Some(Self {
            depth,
            what: What::Span(SpanLine {
                id: dataset.id_of(index),
                parent: parent.map_or(SpanId::NONE, |up| dataset.id_of(up)),
                name: dataset.text(span.name),
                kind: kind(span.op, op),
                service: dataset.text(dataset.resource_of(span).service),
                failed: span.failed(),
                open: span.is_open(),
                error: span.error.map(ErrorKind::as_str),
                cited: scene.cited.contains(&index),
                call: call.map(|call| figures(&call, |sym| dataset.text(sym))),
            }),
            window: span.window(),
            pieces: pieces(scene, index, span.window()),
            on_path: scene.on_path(index),
        })
    }
}

/// The span as far as it was open, its phases over that, and over those what was critical.
fn pieces(scene: &Scene<'_, '_>, index: SpanIx, window: Window) -> Vec<Piece> {
    let mut pieces = vec![Piece::open(window)];
    if let Some(op) = scene
        .ops
        .get(&index)
        .filter(|op| op.opens == crate::trace::NO_LANE)
    {
        let beside = phases(scene.row.report.dataset(), op).into_iter();
        pieces.extend(beside.map(|stretch| Piece {
            critical: false,
            ..Piece::of(&stretch)
        }));
    }
    let critical = scene.busy.get(&index).into_iter().flatten();
    pieces.extend(critical.map(Piece::of));
    pieces
}

fn figures<'a>(call: &LlmCall, text: impl Fn(Sym) -> &'a str) -> CallFigures<'a> {
    CallFigures {
        model: text(call.model()),
        input: call.input.map(|known| known.value),
        cached: call.cached.map(|known| known.value),
        output: call.output.map(|known| known.value),
        first_token: call.first_token.map(|known| known.value),
        http_status: call.http_status,
        finish: text(call.finish),
    }
}

fn kind(op: Op, step: Option<&StepOp>) -> &'static str {
    match (step.map(|step| step.kind), op) {
        (Some(StepKind::Model), _) => "model call",
        (Some(StepKind::Failed), _) => "failed attempt",
        (Some(StepKind::Human), _) | (_, Op::HumanWait) => "wait for a person",
        (_, Op::Task) => "task",
        (_, Op::Agent) => "agent",
        (_, Op::Step) => "step",
        (Some(_), Op::Retrieval) => "retrieval",
        (Some(_), Op::Embedding) => "embedding",
        (Some(StepKind::Tool), _) => "tool call",
        (Some(StepKind::Group), _) => "agent",
        (None, Op::Engine) => "serving side of a call",
        (None, Op::Llm | Op::Embedding | Op::Tool | Op::Mcp | Op::Retrieval) => {
            "another record of a call"
        }
        (None, Op::Guardrail) => "guardrail",
        (None, Op::Http) => "transport",
        (None, Op::Other) => "other",
    }
}
