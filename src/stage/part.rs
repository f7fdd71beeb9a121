//! Requests of one partition, rebuilt and ready to be judged.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::facts::{self, Facts, SPAN};
use super::gather::Moved;
use super::row::{Kind, Row, StreamError};
use super::trunk;
use crate::model::{Dataset, Ledger, SpanIx, Symbols, TraceId};
use crate::trace::{Forest, Lane, Loose, Loss, NO_LANE, NO_SPAN, Request, StepOp, Wanted};
use crate::units::{Nanos, Sym};

/// What is said of a part before all else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Head {
    /// What tells it from other parts: the first of its traces.
    pub key: TraceId,
    /// Its traces, in order.
    pub(super) traces: Vec<Extent>,
    /// Rows of traces that waited and are rebuilt in it, by their keys, with how many of their traces.
    pub instead: Vec<(u128, u32)>,
    /// Names that what is learned over all requests may say.
    pub(super) core: Vec<String>,
}

/// How much of a part belongs to one trace: with this known of all parts, each record goes to its place at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Extent {
    pub(super) order: Order,
    pub(super) spans: u32,
    /// Of these, those that requests are judged by.
    pub(super) judged: u32,
    /// Of the requests that begin in it.
    pub(super) ops: u32,
    pub(super) lanes: u32,
}

/// Which spans are needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// All of them.
    All,
    /// Those that requests are judged by: operations, roots, and who served calls.
    Judged,
}

impl Extent {
    /// How many of its spans are needed.
    pub(super) fn kept(&self, keep: Keep) -> u32 {
        match keep {
            Keep::All => self.spans,
            Keep::Judged => self.judged,
        }
    }
}

impl Head {
    /// True where it counts no more than `bytes` can hold: every record takes one at least.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        let within = |count: fn(&Extent) -> u32| {
            let all = self.traces.iter().map(count).map(u64::from);
            all.sum::<u64>() <= bytes as u64
        };
        let judged = self.traces.iter().all(|trace| trace.judged <= trace.spans);
        judged && within(|trace| trace.spans) && within(|trace| trace.ops) && within(|t| t.lanes)
    }

    /// True where nothing was rebuilt.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }
}

/// Requests of whole traces. Spans lie trace by trace, and all numbers count from the beginning of the part.
#[derive(Clone, Debug, Default)]
pub struct Part {
    pub(super) facts: Facts,
    /// The parent of each span.
    pub(super) parents: Vec<SpanIx>,
    pub(super) requests: Vec<Request>,
    pub(super) ops: Vec<StepOp>,
    pub(super) lanes: Vec<Lane>,
    pub(super) found: Found,
}

/// What else is known of a part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) roots: u64,
    pub(super) orphans: u64,
    pub(super) errors: u64,
    pub(super) loss: Loss,
    pub(super) ledger: Ledger,
}

/// A [`Part`] as it is written: what is borrowed is not copied, it is large. [`Packed`] reads it.
#[derive(Serialize)]
struct Lent<'a> {
    facts: facts::Lent<'a>,
    trunk: trunk::Lent<'a>,
    requests: &'a [Request],
    lanes: &'a [Lane],
    found: &'a Found,
}

/// A [`Part`] as it lies in a row: spans, their parents and operations are told by each other.
#[derive(Deserialize)]
struct Packed<'a> {
    facts: Facts,
    #[serde(borrow)]
    trunk: trunk::Packed<'a>,
    requests: Vec<Request>,
    lanes: Vec<Lane>,
    found: Found,
}

/// Traces come in the order of their first start, as it was read.
pub(super) type Order = (Nanos, TraceId);

impl Part {
    /// Reads a part from its row.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn read(row: &Row) -> Result<(Head, Self), StreamError> {
        let (head, packed): (Head, Packed<'_>) = row.lend()?;
        let damaged = StreamError::Damaged(row.kind.name());
        let Some((spans, parents, ops)) = packed.trunk.read() else {
            return Err(damaged);
        };
        let part = Self {
            facts: Facts {
                spans,
                ..packed.facts
            },
            parents,
            requests: packed.requests,
            ops,
            lanes: packed.lanes,
            found: packed.found,
        };
        match part.is_sound(&head.traces) {
            true => Ok((head, part)),
            false => Err(damaged),
        }
    }

    /// True where every number counts something, and `traces` counts what is there.
    fn is_sound(&self, traces: &[Extent]) -> bool {
        let spans = self.facts.spans.len();
        let (ops, lanes) = (self.ops.len(), self.lanes.len());
        let within = |range: &Range<u32>, room: usize| {
            range.start <= range.end && range.end as usize <= room
        };
        let is_span = |span: u32| (span as usize) < spans;
        let requests = self.requests.iter().all(|request| {
            is_span(request.root) && within(&request.ops, ops) && within(&request.lanes, lanes)
        });
        requests
            && self.ops.iter().all(|op| {
                let opens = op.opens == NO_LANE || (op.opens as usize) < lanes;
                is_span(op.span) && (op.lane as usize) < lanes && opens
            })
            && self
                .lanes
                .iter()
                .all(|lane| is_span(lane.span) && within(&lane.ops, ops))
            && is_measured(traces, spans, &self.requests)
    }

    /// Without spans that no request is judged by, of which `traces` says how many there are.
    ///
    /// # Errors
    /// When it says something else.
    pub(super) fn judged(mut self, traces: &[Extent]) -> Result<Self, StreamError> {
        self.parents = Vec::new();
        if traces.iter().all(|trace| trace.judged == trace.spans) {
            return Ok(self);
        }
        let engines = self.facts.llm.engines();
        let of = (&self.requests[..], &self.ops[..], &self.lanes[..]);
        let keep = judged_by(self.facts.spans.len(), of, engines);
        let mut left = &keep[..];
        for trace in traces {
            let (own, rest) = left.split_at(left.len().min(trace.spans as usize));
            left = rest;
            if own.iter().filter(|keep| **keep).count() != trace.judged as usize {
                return Err(StreamError::Damaged(Kind::Part.name()));
            }
        }
        let mut kept = 0;
        let places = keep.iter().map(|keep| {
            kept += u32::from(*keep);
            if *keep { kept - 1 } else { NO_SPAN }
        });
        let places: Vec<SpanIx> = places.collect();
        let moved = |span: &mut SpanIx| {
            *span = places.get(*span as usize).copied().unwrap_or(NO_SPAN);
        };
        let mut all = keep.iter();
        self.facts.spans.retain(|_| all.next() == Some(&true));
        self.requests.iter_mut().for_each(|r| moved(&mut r.root));
        self.ops.iter_mut().for_each(|op| moved(&mut op.span));
        self.lanes.iter_mut().for_each(|lane| moved(&mut lane.span));
        self.facts.llm.engines_mut().for_each(moved);
        Ok(self)
    }

    /// Names its requests and lanes as the whole does.
    pub(super) fn rename(&mut self, names: &Moved) {
        let sym = |sym: &mut Sym| *sym = names.sym(*sym);
        self.requests.iter_mut().for_each(|one| one.symbols(sym));
        self.lanes.iter_mut().for_each(|one| one.symbols(sym));
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
            traces: extents(dataset, forest, order),
            instead,
            core: core(dataset, forest),
        };
        let found = Found {
            roots: forest.roots,
            orphans: forest.orphans,
            errors: forest.errors,
            loss: forest.loss,
            ledger: dataset.ledger.clone(),
        };
        let part = Lent {
            facts: facts::Lent::of(dataset),
            trunk: trunk::Lent {
                spans: &dataset.spans,
                origins: &dataset.origins,
                parents: &forest.tree.parent,
                ops: &forest.ops,
            },
            requests: &forest.requests,
            lanes: &forest.lanes,
            found: &found,
        };
        let size = 4096 + SPAN * dataset.spans.len();
        Row::sized(Kind::Part, Some(head.key.0), &(head, part), size)
    }
}

/// How much of `forest` belongs to each trace.
fn extents(dataset: &Dataset, forest: &Forest, order: &[Order]) -> Vec<Extent> {
    let of = (&forest.requests[..], &forest.ops[..], &forest.lanes[..]);
    let keep = judged_by(dataset.spans.len(), of, dataset.llm.engines());
    let traces = order.iter().zip(&forest.tree.traces);
    let extents = traces.map(|(order, trace)| {
        let own = keep.get(trace.start as usize..trace.end as usize);
        Extent {
            order: *order,
            spans: trace.len() as u32,
            judged: own.map_or(0, |own| own.iter().filter(|keep| **keep).count() as u32),
            ops: 0,
            lanes: 0,
        }
    });
    let mut extents: Vec<Extent> = extents.collect();
    let starts = starts(&extents, Keep::All);
    for request in &forest.requests {
        if let Some(extent) = extents.get_mut(trace_at(&starts, request.root)) {
            extent.ops += request.ops.len() as u32;
            extent.lanes += request.lanes.len() as u32;
        }
    }
    extents
}

/// Where the spans of each trace begin.
pub(super) fn starts(traces: &[Extent], keep: Keep) -> Vec<SpanIx> {
    let mut end = 0;
    let starts = traces.iter().map(|trace| {
        let start = end;
        end += trace.kept(keep);
        start
    });
    starts.collect()
}

/// The trace that holds `span`.
pub(super) fn trace_at(starts: &[SpanIx], span: SpanIx) -> usize {
    let up_to = starts.partition_point(|start| *start <= span);
    up_to.saturating_sub(1)
}

/// True where `traces` counts what is there.
fn is_measured(traces: &[Extent], spans: usize, requests: &[Request]) -> bool {
    let all = traces.iter().map(|trace| u64::from(trace.spans));
    if all.sum::<u64>() != spans as u64 {
        return false;
    }
    let starts = starts(traces, Keep::All);
    let mut left: Vec<(u32, u32)> = traces.iter().map(|t| (t.ops, t.lanes)).collect();
    let fits = requests.iter().all(|request| {
        let own = left.get_mut(trace_at(&starts, request.root));
        own.is_some_and(|(ops, lanes)| {
            let less = |from: &mut u32, range: &Range<u32>| {
                let rest = from.checked_sub(range.len() as u32);
                *from = rest.unwrap_or_default();
                rest.is_some()
            };
            less(ops, &request.ops) && less(lanes, &request.lanes)
        })
    });
    fits && left.iter().all(|left| *left == (0, 0))
}

/// Which of `spans` requests are judged by: roots, operations, and who served calls.
fn judged_by(
    spans: usize,
    (requests, ops, lanes): (&[Request], &[StepOp], &[Lane]),
    engines: impl Iterator<Item = SpanIx>,
) -> Vec<bool> {
    let mut keep = vec![false; spans];
    let requests = requests.iter().map(|request| request.root);
    let ops = ops.iter().map(|op| op.span);
    let lanes = lanes.iter().map(|lane| lane.span);
    for span in requests.chain(ops).chain(lanes).chain(engines) {
        if let Some(kept) = keep.get_mut(span as usize) {
            *kept = true;
        }
    }
    keep
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
    dataset.llm.route_names().for_each(&mut name);
    for op in &forest.ops {
        let span = dataset.spans.get(op.span as usize);
        if let Some(span) = span.filter(|span| !span.op.is_model()) {
            let tool = dataset.tool_of(span).map(|tool| tool.tool);
            name(tool.unwrap_or_default().or(span.name));
        }
    }
    names
}
