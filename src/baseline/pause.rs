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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// Request by request, lane by lane: one before each operation, and the tail.
    all: Vec<Packed>,
    /// Those that [`Packed`] has no room for, by where they stand among all.
    far: Vec<(u32, GapIx, i64)>,
    /// Where each request's pauses start; one more entry at the end.
    starts: Vec<u32>,
}

/// Key and length of a pause in 8 bytes: 24 bits and 40, which are nine minutes in either direction. A key of all ones
/// says that both lie in [`Pauses::far`].
#[derive(Clone, Copy, Debug)]
struct Packed(u64);

impl Packed {
    const LENGTH: u32 = 40;
    const FAR: Self = Self(u64::MAX);

    fn of(key: GapIx, nanos: i64) -> Self {
        let spare = u64::BITS - Self::LENGTH;
        let length = (nanos as u64) << spare >> spare;
        let packed = Self(u64::from(key) << Self::LENGTH | length);
        match packed.open() == Some((key, nanos)) {
            true => packed,
            false => Self::FAR,
        }
    }

    fn open(self) -> Option<(GapIx, i64)> {
        let key = (self.0 >> Self::LENGTH) as GapIx;
        let spare = u64::BITS - Self::LENGTH;
        let nanos = (self.0 << spare) as i64 >> spare;
        (key != (Self::FAR.0 >> Self::LENGTH) as GapIx).then_some((key, nanos))
    }
}

/// Memory for one lane after the other.
#[derive(Default)]
struct Work {
    sweep: Sweep,
    lengths: Vec<i64>,
}

impl Pauses {
    /// Bytes that one takes.
    pub const EACH: usize = size_of::<Packed>();

    /// Measures the pauses of every request, keys numbered as in `keys`, and further ones behind them.
    #[must_use]
    pub fn collect(dataset: &Dataset, forest: &Forest, keys: Vec<GapKey>) -> Self {
        let mut pauses = Self {
            all: roomy(forest.ops.len() + forest.lanes.len()),
            far: Vec::new(),
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
        for (op, &nanos) in ops.iter().zip(&work.lengths) {
            while let Some(done) =
                ended.next_if(|d| over(d) <= op.window.start && !std::ptr::eq(*d, op))
            {
                before = Some(done);
            }
            let came = before.map_or(StepName::Start, name);
            let key = self.key((lane.service, came, name(op).kind_only()), known);
            self.push(key, nanos);
        }
        let last = ended.last().or(before).map_or(StepName::Start, name);
        let key = self.key((lane.service, last, StepName::End), known);
        self.push(key, tail);
    }

    fn push(&mut self, key: GapIx, nanos: i64) {
        let packed = Packed::of(key, nanos);
        if packed.open().is_none() {
            self.far.push((self.all.len() as u32, key, nanos));
        }
        self.all.push(packed);
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

    /// The pauses of request number `request` of the `forest` they were measured in.
    pub fn of<'a>(&'a self, forest: &'a Forest, request: u32) -> impl Iterator<Item = Pause> + 'a {
        let own = forest.requests.get(request as usize);
        let lanes = own.map_or(0..0, |own| own.lanes.clone());
        let lanes = lanes.filter_map(|lane| Some((lane, forest.lanes.get(lane as usize)?)));
        let worked = lanes.filter(|(_, lane)| !lane.ops.is_empty());
        let places = worked.flat_map(|(index, lane)| lane.ops.clone().chain([index]));
        let first = self.starts.get(request as usize).copied();
        let pauses = first.map(|first| (first..).zip(places));
        pauses.into_iter().flatten().map_while(|(number, at)| {
            let (key, nanos) = self.get(number)?;
            Some(Pause { at, key, nanos })
        })
    }

    fn get(&self, number: u32) -> Option<(GapIx, i64)> {
        let far = || {
            let found = self.far.binary_search_by_key(&number, |far| far.0);
            let (_, key, nanos) = self.far[found.ok()?];
            Some((key, nanos))
        };
        self.all.get(number as usize)?.open().or_else(far)
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
    pub(super) fn lengths(
        &self,
        forest: &Forest,
        keeps: impl Fn(u32, Option<u32>) -> bool,
    ) -> Vec<Vec<f64>> {
        let room = self.counts.iter().map(|n| Vec::with_capacity(*n as usize));
        let mut lengths: Vec<Vec<f64>> = room.collect();
        for request in 0..self.starts.len().saturating_sub(1) as u32 {
            for pause in self.of(forest, request) {
                if keeps(request, self.op_after(&pause)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_come_out_as_they_went_in_however_long() {
        let keys = [0, 1, (1 << 24) - 2, (1 << 24) - 1, 1 << 24, GapIx::MAX];
        let bounds = [0, 1_000_000, 1 << 39, i64::MAX];
        let lengths = bounds.map(|bound| [bound, -bound, bound.saturating_sub(1), -1 - bound]);
        let all = keys.map(|key| {
            lengths
                .as_flattened()
                .iter()
                .map(move |nanos| (key, *nanos))
        });
        let all: Vec<(GapIx, i64)> = all.into_iter().flatten().collect();
        let mut pauses = Pauses::default();
        all.iter()
            .for_each(|(key, nanos)| pauses.push(*key, *nanos));
        let out: Vec<_> = (0..all.len() as u32).map_while(|n| pauses.get(n)).collect();
        assert_eq!(out, all);
        assert!(pauses.far.len() < all.len(), "most have room");
        assert_eq!((Pauses::EACH, pauses.get(all.len() as u32)), (8, None));
    }
}
