//! Requests of one partition, rebuilt and ready to be judged; and those of all partitions put together.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::facts::{Cut, Facts};
use super::gather::{Gather, Moved};
use crate::baseline::Map;
use crate::diagnose::Judged;
use crate::model::{Dataset, Ledger, SpanIx, Symbols, TraceId};
use crate::trace::{Forest, Lane, Loss, NO_LANE, NO_SPAN, Request, StepOp, Tree};
use crate::units::Nanos;

/// Requests of whole traces. Spans lie trace by trace, and all numbers count from the beginning of the part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    facts: Facts,
    /// How many of the names come first because what is learned may name them.
    core: u32,
    /// Each trace: its order among all, and how many spans it has.
    traces: Vec<(Order, u32)>,
    /// The parent of each span, from 1 on; 0 without one.
    parents: Vec<u32>,
    requests: Vec<Request>,
    ops: Vec<StepOp>,
    lanes: Vec<Lane>,
    roots: u64,
    orphans: u64,
    errors: u64,
    loss: Loss,
    ledger: Ledger,
}

/// Traces come in the order of their first start, as it was read.
type Order = (Nanos, TraceId);

impl Part {
    /// What tells it from other parts: the first of its traces.
    #[must_use]
    pub fn key(&self) -> TraceId {
        self.traces
            .first()
            .map_or(TraceId::default(), |trace| trace.0.1)
    }

    /// Its own records and requests alone, behind the names given.
    #[must_use]
    pub fn alone(self, names: &[String]) -> Rebuilt {
        let mut whole = Whole::default();
        for name in names {
            whole.gather.dataset().names.intern(name);
        }
        whole.add(self);
        whole.finish()
    }

    /// What `forest` found in `dataset`; `order` says where each of its traces belongs.
    #[must_use]
    pub fn of(dataset: &Dataset, forest: &Forest, order: &[Order]) -> Self {
        let mut cut = Cut::new(dataset);
        let core = core(dataset, forest, &mut cut);
        dataset.spans.iter().for_each(|span| cut.span(span));
        dataset.links.iter().for_each(|link| cut.link(*link));
        dataset.logs.iter().for_each(|log| cut.log(log));
        dataset
            .exemplars
            .iter()
            .for_each(|exemplar| cut.exemplar(*exemplar));
        let requests = named(&forest.requests, &mut cut);
        let lanes = named(&forest.lanes, &mut cut);
        let lengths = forest.tree.traces.iter().map(|trace| trace.len() as u32);
        Self {
            facts: cut.take(),
            core,
            traces: order.iter().copied().zip(lengths).collect(),
            parents: forest
                .tree
                .parent
                .iter()
                .map(|parent| parent.wrapping_add(1))
                .collect(),
            requests,
            ops: forest.ops.clone(),
            lanes,
            roots: forest.roots,
            orphans: forest.orphans,
            errors: forest.errors,
            loss: forest.loss,
            ledger: dataset.ledger.clone(),
        }
    }
}

/// Takes the names first that what is learned over all requests may say: they are few.
fn core(dataset: &Dataset, forest: &Forest, cut: &mut Cut<'_>) -> u32 {
    for request in &forest.requests {
        cut.sym(request.kind);
    }
    for lane in &forest.lanes {
        for sym in [lane.agent, lane.service, lane.region] {
            cut.sym(sym);
        }
    }
    for op in &forest.ops {
        let Some(span) = dataset.spans.get(op.span as usize) else {
            continue;
        };
        if let Some(call) = dataset.llm_of(span) {
            for sym in [call.model(), call.endpoint, call.finish] {
                cut.sym(sym);
            }
        } else {
            let tool = dataset.tool_of(span).map(|tool| tool.tool);
            cut.sym(tool.unwrap_or_default().or(span.name));
        }
    }
    cut.names()
}

fn named<T: Symbols + Clone>(records: &[T], cut: &mut Cut<'_>) -> Vec<T> {
    let mut records = records.to_vec();
    for record in &mut records {
        record.symbols(|sym| *sym = cut.sym(*sym));
    }
    records
}

/// Parts put together: the dataset and the forest that one process would have, in the same order.
#[derive(Debug, Default)]
pub struct Whole {
    gather: Gather,
    waiting: Vec<Part>,
    traces: Vec<(Order, Range<SpanIx>)>,
    forest: Forest,
}

/// What [`Whole`] put together.
#[derive(Debug)]
pub struct Rebuilt {
    /// All records.
    pub dataset: Dataset,
    /// All requests.
    pub forest: Forest,
    /// How many inputs were readable.
    pub readable: u64,
    parts: Vec<Put>,
    places: Vec<SpanIx>,
}

/// Where a part went.
#[derive(Debug)]
struct Put {
    key: TraceId,
    /// Its first span, before spans were brought into their order.
    base: SpanIx,
    /// Its requests, in order.
    requests: Vec<u32>,
}

impl Whole {
    /// Where what is no part goes: the files.
    pub fn gather(&mut self) -> &mut Gather {
        &mut self.gather
    }

    /// Takes in a part.
    pub fn add(&mut self, part: Part) {
        self.waiting.push(part);
    }

    fn put(&mut self, part: Part) -> Put {
        let key = part.key();
        let base = self.gather.dataset().spans.len() as SpanIx;
        let moved = self.gather.add(part.facts);
        self.gather.dataset().ledger.absorb(part.ledger);
        let mut at = base;
        for (order, length) in part.traces {
            self.traces.push((order, at..at + length));
            at += length;
        }
        let parents = part.parents.into_iter().map(|parent| match parent {
            0 => NO_SPAN,
            parent => parent - 1 + base,
        });
        self.forest.tree.parent.extend(parents);
        self.forest.roots += part.roots;
        self.forest.orphans += part.orphans;
        self.forest.errors += part.errors;
        self.forest.loss.absorb(part.loss);
        self.add_requests((part.requests, part.ops, part.lanes), base, &moved);
        Put {
            key,
            base,
            requests: Vec::new(),
        }
    }

    fn add_requests(
        &mut self,
        (requests, ops, lanes): (Vec<Request>, Vec<StepOp>, Vec<Lane>),
        base: SpanIx,
        moved: &Moved,
    ) {
        let forest = &mut self.forest;
        let (first_op, first_lane) = (forest.ops.len() as u32, forest.lanes.len() as u32);
        forest
            .requests
            .extend(requests.into_iter().map(|mut request| {
                request.symbols(|sym| *sym = moved.sym(*sym));
                request.root += base;
                request.ops = shift(&request.ops, first_op);
                request.lanes = shift(&request.lanes, first_lane);
                request
            }));
        forest.ops.extend(ops.into_iter().map(|op| StepOp {
            span: op.span + base,
            lane: op.lane + first_lane,
            opens: lane_moved(op.opens, first_lane),
            ..op
        }));
        forest.lanes.extend(lanes.into_iter().map(|mut lane| {
            lane.symbols(|sym| *sym = moved.sym(*sym));
            lane.ops = shift(&lane.ops, first_op);
            lane.span += base;
            lane
        }));
    }

    /// Everything in the order one process would have it in.
    #[must_use]
    pub fn finish(mut self) -> Rebuilt {
        for part in &self.waiting {
            let names = part.facts.names.iter().take(part.core as usize);
            names.for_each(|name| {
                self.gather.dataset().names.intern(name);
            });
        }
        let waiting = std::mem::take(&mut self.waiting);
        let mut parts: Vec<Put> = waiting.into_iter().map(|part| self.put(part)).collect();
        let Self {
            gather,
            mut traces,
            mut forest,
            ..
        } = self;
        let readable = gather.readable();
        let mut dataset = gather.finish_files();
        traces.sort_unstable_by_key(|trace| trace.0);
        let places = arrange(&mut dataset, &mut forest, &traces);
        reorder(&mut forest, &places);
        forest.sort_requests(&dataset);
        // Turns of one conversation may lie in several parts.
        forest.loss.count_turns(&dataset);
        forest.traces = traces.len() as u64;
        let mut old = vec![NO_SPAN; places.len()];
        for (place, span) in places.iter().zip(0..) {
            old[*place as usize] = span;
        }
        for (request, index) in forest.requests.iter().zip(0..) {
            let root = old.get(request.root as usize).copied().unwrap_or(0);
            let part = parts.partition_point(|part| part.base <= root);
            if let Some(part) = part.checked_sub(1).and_then(|at| parts.get_mut(at)) {
                part.requests.push(index);
            }
        }
        Rebuilt {
            dataset,
            forest,
            readable,
            parts,
            places,
        }
    }
}

impl Rebuilt {
    /// The keys of the parts, in the order of [`Rebuilt::part_of`].
    pub fn keys(&self) -> impl Iterator<Item = TraceId> {
        self.parts.iter().map(|part| part.key)
    }

    /// Which part each request lies in.
    #[must_use]
    pub fn part_of(&self) -> Vec<u32> {
        let mut of = vec![0; self.forest.requests.len()];
        for (part, number) in self.parts.iter().zip(0..) {
            for request in &part.requests {
                of[*request as usize] = number;
            }
        }
        of
    }

    /// The verdicts of all parts, by their keys, in the numbers of the whole; else the key of a part without any.
    ///
    /// # Errors
    /// The key of a part whose verdicts are missing, or are of other requests.
    pub fn judged(&self, mut verdicts: Map<TraceId, Judged>) -> Result<Judged, TraceId> {
        let mut all = Judged::default();
        for part in &self.parts {
            let mut judged = verdicts.remove(&part.key).unwrap_or_default();
            if judged.diagnoses.len() != part.requests.len() {
                return Err(part.key);
            }
            judged.renumber(
                |request| part.requests.get(request as usize).copied().unwrap_or(0),
                |span| {
                    self.places
                        .get((part.base + span) as usize)
                        .copied()
                        .unwrap_or(0)
                },
            );
            all.absorb(judged);
        }
        Ok(all)
    }
}

/// Brings requests, with their operations and lanes, into the order of their traces.
fn reorder(forest: &mut Forest, places: &[SpanIx]) {
    let starts: Vec<SpanIx> = forest.tree.traces.iter().map(|t| t.start).collect();
    let rank = |root: SpanIx| {
        let place = places.get(root as usize).copied().unwrap_or(NO_SPAN);
        starts.partition_point(|start| *start <= place)
    };
    let mut requests = std::mem::take(&mut forest.requests);
    requests.sort_by_cached_key(|request| (rank(request.root), request.lanes.start));
    let (ops, lanes) = (
        std::mem::take(&mut forest.ops),
        std::mem::take(&mut forest.lanes),
    );
    for request in requests {
        push(forest, request, (&ops, &lanes), places);
    }
}

fn lane_moved(lane: u32, by: u32) -> u32 {
    match lane {
        NO_LANE => NO_LANE,
        lane => lane.wrapping_add(by),
    }
}

/// Appends a request with its operations and lanes, which lie in `ops` and `lanes`.
fn push(
    forest: &mut Forest,
    mut request: Request,
    (ops, lanes): (&[StepOp], &[Lane]),
    places: &[SpanIx],
) {
    let span = |span: SpanIx| places.get(span as usize).copied().unwrap_or(NO_SPAN);
    let op_by = (forest.ops.len() as u32).wrapping_sub(request.ops.start);
    let lane_by = (forest.lanes.len() as u32).wrapping_sub(request.lanes.start);
    let own = |range: &Range<u32>| range.start as usize..range.end as usize;
    let moved =
        |range: &Range<u32>, by: u32| range.start.wrapping_add(by)..range.end.wrapping_add(by);
    for op in ops.get(own(&request.ops)).unwrap_or_default() {
        forest.ops.push(StepOp {
            span: span(op.span),
            lane: op.lane.wrapping_add(lane_by),
            opens: lane_moved(op.opens, lane_by),
            ..*op
        });
    }
    for lane in lanes.get(own(&request.lanes)).unwrap_or_default() {
        forest.lanes.push(Lane {
            ops: moved(&lane.ops, op_by),
            span: span(lane.span),
            ..lane.clone()
        });
    }
    request.root = span(request.root);
    request.ops = moved(&request.ops, op_by);
    request.lanes = moved(&request.lanes, lane_by);
    forest.requests.push(request);
}

fn shift(range: &Range<u32>, by: u32) -> Range<u32> {
    range.start + by..range.end + by
}

/// Moves spans and parents to the order of `traces`; the answer is each span's new place.
fn arrange(
    data: &mut Dataset,
    forest: &mut Forest,
    traces: &[(Order, Range<SpanIx>)],
) -> Vec<SpanIx> {
    let mut places = vec![NO_SPAN; data.spans.len()];
    let mut ranges = Vec::with_capacity(traces.len());
    let mut spans = Vec::with_capacity(data.spans.len());
    for (_, trace) in traces {
        let start = spans.len() as SpanIx;
        for old in trace.clone() {
            places[old as usize] = spans.len() as SpanIx;
            spans.push(data.spans[old as usize]);
        }
        ranges.push(start..spans.len() as SpanIx);
    }
    data.spans = spans;
    let moved = |span: SpanIx| places.get(span as usize).copied().unwrap_or(NO_SPAN);
    for call in 0..data.llm.len() {
        data.llm
            .change(call, |call| call.engine = moved(call.engine));
    }
    let mut parents = vec![NO_SPAN; data.spans.len()];
    for (old, parent) in forest.tree.parent.iter().enumerate() {
        parents[places[old] as usize] = moved(*parent);
    }
    forest.tree = Tree::link(parents, ranges);
    places
}
