//! Requests of one partition, rebuilt and ready to be judged; and those of all partitions put together.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::facts::{self, Facts, SPAN};
use super::gather::{Gather, Moved};
use super::packed;
use super::row::{Kind, Row, StreamError};
use crate::baseline::Map;
use crate::diagnose::Judged;
use crate::model::{Dataset, Ledger, SpanIx, Symbols, TraceId};
use crate::trace::{Forest, Lane, Loose, Loss, NO_LANE, NO_SPAN, Request, StepOp, Tree, Wanted};
use crate::units::{Nanos, Sym};

/// What is said of a part before all else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Head {
    /// What tells it from other parts: the first of its traces.
    pub key: TraceId,
    /// How many traces it has.
    pub traces: u32,
    /// Rows of traces that waited and are rebuilt in it, by their keys, with how many of their traces.
    pub instead: Vec<(u128, u32)>,
    /// Names that what is learned over all requests may say.
    core: Vec<String>,
}

/// Requests of whole traces. Spans lie trace by trace, and all numbers count from the beginning of the part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    facts: Facts,
    /// Each trace: its order among all, and how many spans it has.
    traces: Vec<(Order, u32)>,
    /// The parent of each span, from 1 on; 0 without one.
    parents: Vec<u32>,
    requests: Vec<Request>,
    #[serde(with = "packed::ops")]
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
    fn key(&self) -> TraceId {
        self.traces
            .first()
            .map_or(TraceId::default(), |trace| trace.0.1)
    }

    /// Reads a part from its row.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn read(row: &Row) -> Result<(Head, Self), StreamError> {
        let (head, part): (Head, Self) = row.read()?;
        match part.is_sound() {
            true => Ok((head, part)),
            false => Err(StreamError::Damaged(row.kind.name())),
        }
    }

    /// True where every number counts something.
    fn is_sound(&self) -> bool {
        let spans = self.facts.spans.len();
        let (ops, lanes) = (self.ops.len(), self.lanes.len());
        let within = |range: &Range<u32>, room: usize| {
            range.start <= range.end && range.end as usize <= room
        };
        let is_span = |span: u32| (span as usize) < spans;
        let lengths = self.traces.iter().map(|trace| u64::from(trace.1));
        lengths.sum::<u64>() == spans as u64
            && self.parents.len() == spans
            && self.parents.iter().all(|parent| *parent as usize <= spans)
            && self.requests.iter().all(|request| {
                is_span(request.root) && within(&request.ops, ops) && within(&request.lanes, lanes)
            })
            && self.ops.iter().all(|op| {
                let opens = op.opens == NO_LANE || (op.opens as usize) < lanes;
                is_span(op.span) && (op.lane as usize) < lanes && opens
            })
            && self
                .lanes
                .iter()
                .all(|lane| is_span(lane.span) && within(&lane.ops, ops))
    }

    /// Without spans that no request is judged by.
    fn judged(mut self) -> Self {
        let mut keep = vec![false; self.facts.spans.len()];
        let requests = self.requests.iter().map(|request| request.root);
        let ops = self.ops.iter().map(|op| op.span);
        let lanes = self.lanes.iter().map(|lane| lane.span);
        let engines = self.facts.llm.engines_mut().map(|engine| *engine);
        for span in requests.chain(ops).chain(lanes).chain(engines) {
            if let Some(kept) = keep.get_mut(span as usize) {
                *kept = true;
            }
        }
        let mut kept = 0;
        let places = keep.iter().map(|keep| {
            kept += u32::from(*keep);
            if *keep { kept - 1 } else { NO_SPAN }
        });
        let places: Vec<SpanIx> = places.collect();
        let moved = |span: SpanIx| places.get(span as usize).copied().unwrap_or(NO_SPAN);
        let mut at = 0;
        for (_, length) in &mut self.traces {
            let own = keep[at..at + *length as usize].iter();
            at += *length as usize;
            *length = own.filter(|keep| **keep).count() as u32;
        }
        let mut all = keep.iter();
        self.facts.spans.retain(|_| all.next() == Some(&true));
        self.parents = vec![0; self.facts.spans.len()];
        self.requests
            .iter_mut()
            .for_each(|r| r.root = moved(r.root));
        self.ops.iter_mut().for_each(|op| op.span = moved(op.span));
        self.lanes
            .iter_mut()
            .for_each(|lane| lane.span = moved(lane.span));
        let engines = self.facts.llm.engines_mut();
        engines.for_each(|engine| *engine = moved(*engine));
        self
    }

    /// Notes in `found` what of `wanted` lies here.
    pub(super) fn look(&self, wanted: &Wanted, found: &mut Loose) {
        let facts = &self.facts;
        for span in &facts.spans {
            let trace = facts.traces.get(span.trace.0 as usize).copied();
            let call = span.call.get().filter(|_| span.op.is_model());
            let call = call.and_then(|call| facts.llm.get(call));
            let answer = call.and_then(|call| call.response_id);
            wanted.look(trace.unwrap_or_default(), span.id, answer, found);
        }
    }

    /// Its own records and requests alone, behind the names given.
    #[must_use]
    pub fn alone(self, names: &[String]) -> Rebuilt {
        let mut whole = Whole::default();
        for name in names {
            whole.gather.dataset().names.intern(name);
        }
        let put = whole.put(self);
        whole.arranged(vec![put])
    }

    /// A row that says what `forest` found in `dataset`: `order` says where each of its traces belongs, `instead` which
    /// rows of traces that waited are among them.
    ///
    /// # Errors
    /// As [`Row::new`].
    pub(super) fn row(
        dataset: &Dataset,
        forest: &Forest,
        order: &[Order],
        instead: Vec<(u128, u32)>,
    ) -> Result<Row, StreamError> {
        let head = Head {
            key: order.first().map_or(TraceId::default(), |first| first.1),
            traces: order.len() as u32,
            instead,
            core: core(dataset, forest),
        };
        let lengths = forest.tree.traces.iter().map(|trace| trace.len() as u32);
        let parents = forest.tree.parent.iter();
        let part = Lent {
            facts: facts::Lent::of(dataset),
            traces: order.iter().copied().zip(lengths).collect(),
            parents: parents.map(|parent| parent.wrapping_add(1)).collect(),
            requests: &forest.requests,
            ops: &forest.ops,
            lanes: &forest.lanes,
            roots: forest.roots,
            orphans: forest.orphans,
            errors: forest.errors,
            loss: forest.loss,
            ledger: &dataset.ledger,
        };
        let size = 4096 + (SPAN + 40) * dataset.spans.len();
        Row::sized(Kind::Part, Some(head.key.0), &(head, part), size)
    }
}

/// A [`Part`] as it is written: what is borrowed is not copied, it is large.
#[derive(Serialize)]
struct Lent<'a> {
    facts: facts::Lent<'a>,
    traces: Vec<(Order, u32)>,
    parents: Vec<u32>,
    requests: &'a [Request],
    #[serde(serialize_with = "packed::ops::serialize")]
    ops: &'a [StepOp],
    lanes: &'a [Lane],
    roots: u64,
    orphans: u64,
    errors: u64,
    loss: Loss,
    ledger: &'a Ledger,
}

/// Names that what is learned over all requests may say: they are few.
fn core(dataset: &Dataset, forest: &Forest) -> Vec<String> {
    let mut seen = vec![false; dataset.names.len() + 1];
    let mut names = Vec::new();
    let mut name = |sym: Sym| {
        if let Some(seen) = seen.get_mut(sym.0 as usize).filter(|seen| !**seen) {
            *seen = true;
            names.extend(dataset.names.known(sym).map(str::to_owned));
        }
    };
    forest
        .requests
        .iter()
        .for_each(|request| name(request.kind));
    for lane in &forest.lanes {
        [lane.agent, lane.service, lane.region]
            .into_iter()
            .for_each(&mut name);
    }
    for op in &forest.ops {
        let Some(span) = dataset.spans.get(op.span as usize) else {
            continue;
        };
        if let Some(call) = dataset.llm_of(span) {
            [call.model(), call.endpoint, call.finish]
                .into_iter()
                .for_each(&mut name);
        } else {
            let tool = dataset.tool_of(span).map(|tool| tool.tool);
            name(tool.unwrap_or_default().or(span.name));
        }
    }
    names
}

/// Which spans are needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// All of them.
    All,
    /// Those that requests are judged by: operations, roots, and who served calls.
    Judged,
}

/// Parts put together: the dataset and the forest that one process would have, in the same order.
#[derive(Debug, Default)]
pub struct Whole {
    gather: Gather,
    /// Parts as they were read: putting them together needs little more than what comes out of it.
    waiting: Vec<Row>,
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

    /// Takes in the row of a part, and says what it is.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn add(&mut self, row: Row) -> Result<Head, StreamError> {
        let head: Head = row.read_first()?;
        // Names of all parts that what is learned may say come first: they are few.
        for name in &head.core {
            self.gather.dataset().names.intern(name);
        }
        self.waiting.push(row);
        Ok(head)
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

    /// Everything in the order one process would have it in; of spans, `keep` says which.
    ///
    /// # Errors
    /// When a part is damaged.
    pub fn finish(mut self, keep: Keep) -> Result<Rebuilt, StreamError> {
        let mut parts = Vec::new();
        for row in std::mem::take(&mut self.waiting) {
            let (_, part) = Part::read(&row)?;
            drop(row);
            parts.push(self.put(match keep {
                Keep::All => part,
                Keep::Judged => part.judged(),
            }));
        }
        Ok(self.arranged(parts))
    }

    fn arranged(self, mut parts: Vec<Put>) -> Rebuilt {
        let Self {
            gather,
            mut traces,
            mut forest,
            ..
        } = self;
        let readable = gather.readable();
        let mut dataset = gather.finish_files();
        let places = match parts.len() {
            // One part is in order already.
            0 | 1 => {
                let ranges = traces.iter().map(|trace| trace.1.clone()).collect();
                forest.tree = Tree::link(std::mem::take(&mut forest.tree.parent), ranges);
                (0..dataset.spans.len() as SpanIx).collect()
            }
            _ => {
                traces.sort_unstable_by_key(|trace| trace.0);
                let places = arrange(&mut dataset, &mut forest, &traces);
                reorder(&mut forest, &places);
                forest.sort_requests(&dataset);
                places
            }
        };
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
    data.llm
        .engines_mut()
        .for_each(|engine| *engine = moved(*engine));
    let mut parents = vec![NO_SPAN; data.spans.len()];
    for (old, parent) in forest.tree.parent.iter().enumerate() {
        parents[places[old] as usize] = moved(*parent);
    }
    forest.tree = Tree::link(parents, ranges);
    places
}
