//! Pauses of an agent between its operations. What they are does not depend on what is normal, so they
//! are measured once.

use super::Map;
use crate::model::Dataset;
use crate::trace::{Forest, Lane, StepKind, StepOp, Sweep, over};
use crate::units::{Sym, roomy};

/// Where in a lane something stands, by what it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum StepName {
    /// Before the first operation.
    Start,
    /// A model call with its finish reason.
    Model(Sym),
    /// A failed attempt.
    Failed,
    /// A tool.
    Tool,
    /// A sub-agent.
    Group,
    /// A person.
    Human,
    /// Something without an end on record.
    Open,
    /// After the last operation.
    End,
}

impl StepName {
    /// The name of an operation that ended; `finish` says how a model call did.
    pub(crate) fn of(kind: StepKind, finish: impl FnOnce() -> Sym) -> Self {
        match kind {
            StepKind::Model => Self::Model(finish()),
            StepKind::Failed => Self::Failed,
            StepKind::Tool => Self::Tool,
            StepKind::Group => Self::Group,
            StepKind::Human => Self::Human,
        }
    }

    /// Without the finish reason: how a call will end says nothing about the wait before it.
    #[must_use]
    pub fn kind_only(self) -> Self {
        match self {
            Self::Model(_) => Self::Model(Sym::NONE),
            other => other,
        }
    }
}

/// Service, what came before, what came after.
pub type GapKey = (Sym, StepName, StepName);

/// Index into [`Pauses::keys`].
pub type GapIx = u32;

/// One pause: before an operation, or the tail of a lane.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// Of a pause before an operation: its index in [`Forest::ops`]; of a tail: its lane's in
    /// [`Forest::lanes`].
    at: u32,
    /// Who, after what, before what.
    pub key: GapIx,
    nanos: i64,
}

impl Pause {
    /// Milliseconds.
    #[must_use]
    pub fn length(&self) -> f64 {
        self.nanos as f64 / 1e6
    }
}

/// All pauses of all requests.
#[derive(Clone, Debug, Default)]
pub struct Pauses {
    /// What the pauses' keys stand for.
    pub keys: Vec<GapKey>,
    /// How many pauses there are of each key.
    pub counts: Vec<u32>,
    all: Vec<Pause>,
    /// Where each request's pauses start; one more entry at the end.
    starts: Vec<u32>,
}

/// Memory for one lane after the other.
#[derive(Default)]
struct Work {
    sweep: Sweep,
    lengths: Vec<i64>,
}

impl Pauses {
    /// Measures the pauses of every request, keys numbered as in `keys`, and further ones behind them.
    #[must_use]
    pub fn collect(dataset: &Dataset, forest: &Forest, keys: Vec<GapKey>) -> Self {
        let mut pauses = Self {
            all: roomy(forest.ops.len() + forest.lanes.len()),
            starts: Vec::with_capacity(forest.requests.len() + 1),
            counts: vec![0; keys.len()],
            keys,
        };
        let mut known: Map<GapKey, GapIx> = pauses.keys.iter().copied().zip(0..).collect();
        let mut work = Work::default();
        for request in &forest.requests {
            pauses.starts.push(pauses.all.len() as u32);
            for lane in request.lanes.clone() {
                pauses.lane(dataset, forest, lane, &mut known, &mut work);
            }
        }
        pauses.starts.push(pauses.all.len() as u32);
        pauses
    }

    fn lane(
        &mut self,
        dataset: &Dataset,
        forest: &Forest,
        index: u32,
        known: &mut Map<GapKey, GapIx>,
        work: &mut Work,
    ) {
        let lane: &Lane = &forest.lanes[index as usize];
        let ops = &forest.ops[lane.ops.start as usize..lane.ops.end as usize];
        if ops.is_empty() {
            return;
        }
        let tail = work.sweep.gaps(lane, ops, &mut work.lengths);
        // What ran before is what ended last: of two tools at once, neither follows the other.
        let ended = work.sweep.by_end().iter();
        let mut ended = ended.map(|at| &ops[*at as usize]).peekable();
        let name = |op: &StepOp| step_name(dataset, op.kind, op.span);
        let mut before: Option<&StepOp> = None;
        for ((op, at), &nanos) in ops.iter().zip(lane.ops.start..).zip(&work.lengths) {
            while let Some(done) =
                ended.next_if(|d| over(d) <= op.window.start && !std::ptr::eq(*d, op))
            {
                before = Some(done);
            }
            let came = before.map_or(StepName::Start, name);
            let key = self.key((lane.service, came, name(op).kind_only()), known);
            self.all.push(Pause { at, key, nanos });
        }
        let last = ended.last().or(before).map_or(StepName::Start, name);
        let key = self.key((lane.service, last, StepName::End), known);
        self.all.push(Pause {
            at: index,
            key,
            nanos: tail,
        });
    }

    fn key(&mut self, key: GapKey, known: &mut Map<GapKey, GapIx>) -> GapIx {
        let index = *known.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.counts.push(0);
            self.keys.len() as GapIx - 1
        });
        self.counts[index as usize] += 1;
        index
    }

    /// The pauses of request number `request`.
    #[must_use]
    pub fn of(&self, request: u32) -> &[Pause] {
        let at = request as usize;
        let range = self.starts.get(at).zip(self.starts.get(at + 1));
        range.map_or(&[], |(from, to)| &self.all[*from as usize..*to as usize])
    }

    /// What a pause stands for.
    #[must_use]
    pub fn key_of(&self, pause: &Pause) -> GapKey {
        self.keys[pause.key as usize]
    }

    /// The operation after the pause; `None` for the tail of a lane.
    #[must_use]
    pub fn op_after(&self, pause: &Pause) -> Option<u32> {
        (self.key_of(pause).2 != StepName::End).then_some(pause.at)
    }

    /// The lane that ends with the pause; `None` for a pause before an operation.
    #[must_use]
    pub fn lane_before(&self, pause: &Pause) -> Option<u32> {
        (self.key_of(pause).2 == StepName::End).then_some(pause.at)
    }

    /// Lengths of the pauses that `keeps` allows (by request and operation after), by key.
    pub(super) fn lengths(&self, keeps: impl Fn(u32, Option<u32>) -> bool) -> Vec<Vec<f64>> {
        let room = self.counts.iter().map(|n| Vec::with_capacity(*n as usize));
        let mut lengths: Vec<Vec<f64>> = room.collect();
        for request in 0..self.starts.len().saturating_sub(1) as u32 {
            for pause in self.of(request) {
                if keeps(request, self.op_after(pause)) {
                    lengths[pause.key as usize].push(pause.length());
                }
            }
        }
        lengths
    }
}

/// What an operation is, by name.
#[must_use]
pub fn step_name(dataset: &Dataset, kind: StepKind, span: u32) -> StepName {
    if dataset.spans[span as usize].is_open() {
        return StepName::Open;
    }
    StepName::of(kind, || {
        let call = dataset.llm_of(&dataset.spans[span as usize]);
        call.map_or(Sym::NONE, |call| call.finish)
    })
}
