//! Requests of all partitions put together.

use std::ops::Range;

use super::gather::Gather;
use super::part::{Extent, Head, Keep, Order, Part, starts, trace_at};
use super::row::{Row, StreamError};
use crate::baseline::Map;
use crate::diagnose::Judged;
use crate::model::{Dataset, Record, SpanIx, TraceId, extend};
use crate::trace::{Forest, Lane, NO_LANE, NO_SPAN, Request, StepOp, Tree, warned};

/// Parts put together: the dataset and the forest that one process would have, in the same order.
#[derive(Debug, Default)]
pub struct Whole {
    gather: Gather,
    /// What parts say first, and all of each as it was read. Records go to their places once all are known, so that
    /// putting them together needs little more than what comes out of it.
    heads: Vec<Head>,
    rows: Vec<Row>,
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
}

/// Where a part went.
#[derive(Debug)]
struct Put {
    key: TraceId,
    /// Where the spans of each trace begin in the part, and where they do in the whole.
    starts: Vec<(SpanIx, SpanIx)>,
    /// Its requests, in order.
    requests: Vec<u32>,
}

impl Put {
    /// The place of one of its spans.
    fn place(&self, span: SpanIx) -> SpanIx {
        let up_to = self.starts.partition_point(|start| start.0 <= span);
        let start = up_to.checked_sub(1).and_then(|at| self.starts.get(at));
        start.map_or(NO_SPAN, |(from, to)| to.saturating_add(span - from))
    }
}

/// Where the records of a trace begin.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    spans: u32,
    ops: u32,
    lanes: u32,
}

/// Where the records of all parts go.
#[derive(Default)]
struct Layout {
    /// By part, trace by trace.
    places: Vec<Vec<Place>>,
    /// The spans of each trace, in the order of traces.
    ranges: Vec<Range<SpanIx>>,
    /// The part that each of these traces comes from.
    part_of: Vec<u32>,
    end: Place,
}

impl Layout {
    fn of(heads: &[Head], keep: Keep) -> Self {
        let mut layout = Self::default();
        let mut traces: Vec<(Order, u32, u32)> = Vec::new();
        for (head, part) in heads.iter().zip(0..) {
            let own = head.traces.iter().zip(0..);
            traces.extend(own.map(|(trace, at)| (trace.order, part, at)));
            layout
                .places
                .push(vec![Place::default(); head.traces.len()]);
        }
        traces.sort_unstable();
        for (_, part, at) in traces {
            layout.places[part as usize][at as usize] = layout.end;
            layout.push(&heads[part as usize].traces[at as usize], part, keep);
        }
        layout
    }

    fn push(&mut self, trace: &Extent, part: u32, keep: Keep) {
        let start = self.end.spans;
        self.end.spans = start.saturating_add(trace.kept(keep));
        self.end.ops = self.end.ops.saturating_add(trace.ops);
        self.end.lanes = self.end.lanes.saturating_add(trace.lanes);
        self.ranges.push(start..self.end.spans);
        self.part_of.push(part);
    }

    /// The part whose trace holds `span`.
    fn part_of(&self, span: SpanIx) -> Option<usize> {
        let up_to = self.ranges.partition_point(|range| range.start <= span);
        let part = self.part_of.get(up_to.checked_sub(1)?)?;
        Some(*part as usize)
    }
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
    pub fn add(&mut self, row: Row) -> Result<&Head, StreamError> {
        let mut head: Head = row.read_first()?;
        if !head.fits(row.body.bytes().len()) {
            return Err(StreamError::Damaged(row.kind.name()));
        }
        // Names of all parts that what is learned may say come first: they are few.
        for name in std::mem::take(&mut head.core) {
            self.gather.dataset().names.intern(&name);
        }
        self.rows.push(row);
        self.heads.push(head);
        Ok(&self.heads[self.heads.len() - 1])
    }

    /// Everything in the order one process would have it in; of spans, `keep` says which.
    ///
    /// # Errors
    /// When a part is damaged.
    pub fn finish(mut self, keep: Keep) -> Result<Rebuilt, StreamError> {
        let layout = Layout::of(&self.heads, keep);
        let mut building = Building::new(self.gather, &layout, keep);
        let mut parts = Vec::new();
        for ((row, head), places) in self.rows.drain(..).zip(&self.heads).zip(&layout.places) {
            let (_, part) = Part::read(&row)?;
            drop(row);
            parts.push(building.put(part, head, places)?);
        }
        Ok(building.finish(parts, layout))
    }
}

/// The whole, filled part by part.
struct Building {
    gather: Gather,
    forest: Forest,
    keep: Keep,
    end: Place,
}

impl Building {
    fn new(mut gather: Gather, layout: &Layout, keep: Keep) -> Self {
        // Spans of no trace are in no request.
        gather.dataset().records.clear();
        let mut forest = Forest::default();
        if keep == Keep::All {
            forest.tree.parent = vec![NO_SPAN; layout.end.spans as usize];
        }
        Self {
            gather,
            forest,
            keep,
            end: layout.end,
        }
    }

    fn put(&mut self, part: Part, head: &Head, places: &[Place]) -> Result<Put, StreamError> {
        let mut part = match self.keep {
            Keep::All => part,
            Keep::Judged => part.judged(&head.traces)?,
        };
        let mut moved = Vec::with_capacity(part.facts.spans.len());
        for (trace, place) in head.traces.iter().zip(places) {
            moved.extend((0..trace.kept(self.keep)).map(|at| place.spans.saturating_add(at)));
        }
        let starts = starts(&head.traces, self.keep);
        self.put_spans(&mut part, &moved);
        self.put_requests(&mut part, &moved, (&starts, places.to_vec()));
        self.gather.dataset().ledger.absorb(part.found.ledger);
        let places = places.iter().map(|place| place.spans);
        Ok(Put {
            key: head.key,
            starts: starts.into_iter().zip(places).collect(),
            requests: Vec::new(),
        })
    }

    /// Brings spans to their places in `moved`, and renames all that names them or uses names.
    fn put_spans(&mut self, part: &mut Part, moved: &[SpanIx]) {
        let engines = part.facts.llm.engines_mut();
        engines.for_each(|engine| *engine = place(moved, *engine));
        for (span, parent) in moved.iter().zip(&part.parents) {
            if let Some(slot) = self.forest.tree.parent.get_mut(*span as usize) {
                *slot = place(moved, *parent);
            }
        }
        let (names, spans) = self.gather.add_but_spans(std::mem::take(&mut part.facts));
        part.rename(&names);
        let data = self.gather.dataset();
        let first = spans.first();
        room(
            &mut data.spans,
            self.end.spans,
            first.map(|span| &span.span),
        );
        let origin = first.map(Record::origin);
        room(&mut data.origins, self.end.spans, origin.as_ref());
        for (record, at) in spans.into_iter().zip(moved) {
            let at = *at as usize;
            if let (Some(span), Some(origin)) = (data.spans.get_mut(at), data.origins.get_mut(at)) {
                (*span, *origin) = (record.span, record.origin());
            }
        }
    }

    /// Brings requests, which lie in traces that begin at `starts`, with their operations and lanes to the places that
    /// these traces have.
    fn put_requests(
        &mut self,
        part: &mut Part,
        moved: &[SpanIx],
        (starts, mut places): (&[SpanIx], Vec<Place>),
    ) {
        let forest = &mut self.forest;
        forest.roots += part.found.roots;
        forest.orphans += part.found.orphans;
        forest.errors += part.found.errors;
        forest.loss.absorb(part.found.loss);
        room(&mut forest.ops, self.end.ops, part.ops.first());
        room(&mut forest.lanes, self.end.lanes, part.lanes.first());
        let mut requests = std::mem::take(&mut part.requests);
        // As they were found: trace by trace.
        requests.sort_by_key(|request| request.lanes.start);
        for request in &mut requests {
            if let Some(at) = places.get_mut(trace_at(starts, request.root)) {
                to_its_place(request, part, forest, at, |span| place(moved, span));
            }
        }
        extend(&mut forest.requests, requests);
    }

    fn finish(self, mut parts: Vec<Put>, layout: Layout) -> Rebuilt {
        let mut forest = self.forest;
        let readable = self.gather.readable();
        let dataset = self.gather.finish_files();
        let traces = layout.ranges.len() as u64;
        forest
            .requests
            .sort_by_cached_key(|request| request.lanes.start);
        forest.sort_requests(&dataset);
        for (request, index) in forest.requests.iter().zip(0..) {
            let part = layout.part_of(request.root);
            if let Some(part) = part.and_then(|part| parts.get_mut(part)) {
                part.requests.push(index);
            }
        }
        forest.tree = Tree::link(std::mem::take(&mut forest.tree.parent), layout.ranges);
        // Turns of one conversation may lie in several parts.
        forest.loss.count_turns(&dataset);
        forest.traces = traces;
        forest.warned = warned(&dataset);
        Rebuilt {
            dataset,
            forest,
            readable,
            parts,
        }
    }
}

fn place(moved: &[SpanIx], span: SpanIx) -> SpanIx {
    moved.get(span as usize).copied().unwrap_or(NO_SPAN)
}

/// Makes a list as long as it will be, with whatever there is.
fn room<T: Clone>(list: &mut Vec<T>, len: u32, any: Option<&T>) {
    if let Some(any) = any.filter(|_| list.is_empty()) {
        list.reserve_exact(len as usize);
        list.resize(len as usize, any.clone());
    }
}

/// Brings a request of `part`, with its operations and lanes, to its place in `forest`.
fn to_its_place(
    request: &mut Request,
    part: &Part,
    forest: &mut Forest,
    place: &mut Place,
    span: impl Fn(SpanIx) -> SpanIx,
) {
    let own = |range: &Range<u32>| range.start as usize..range.end as usize;
    let moved =
        |range: &Range<u32>, by: u32| range.start.wrapping_add(by)..range.end.wrapping_add(by);
    let op_by = place.ops.wrapping_sub(request.ops.start);
    let lane_by = place.lanes.wrapping_sub(request.lanes.start);
    let (ops, lanes) = (own(&request.ops), own(&request.lanes));
    request.root = span(request.root);
    request.ops = moved(&request.ops, op_by);
    request.lanes = moved(&request.lanes, lane_by);
    place.ops = request.ops.end;
    place.lanes = request.lanes.end;
    let room = forest.ops.get_mut(own(&request.ops)).unwrap_or_default();
    for (op, slot) in part.ops[ops].iter().zip(room) {
        *slot = StepOp {
            span: span(op.span),
            lane: op.lane.wrapping_add(lane_by),
            opens: match op.opens {
                NO_LANE => NO_LANE,
                lane => lane.wrapping_add(lane_by),
            },
            ..*op
        };
    }
    let room = forest.lanes.get_mut(own(&request.lanes));
    for (lane, slot) in part.lanes[lanes].iter().zip(room.unwrap_or_default()) {
        *slot = Lane {
            ops: moved(&lane.ops, op_by),
            span: span(lane.span),
            ..lane.clone()
        };
    }
}

impl Rebuilt {
    /// One part alone, behind the names given.
    #[must_use]
    pub fn alone(head: &Head, mut part: Part, names: &[String]) -> Self {
        let mut gather = Gather::default();
        for name in names {
            gather.dataset().names.intern(name);
        }
        let (names, spans) = gather.add_but_spans(std::mem::take(&mut part.facts));
        part.rename(&names);
        let mut dataset = gather.finish_files();
        (dataset.records, dataset.ledger) = (spans, part.found.ledger);
        dataset.settle();
        let ends = head.traces.iter().scan(0, |end, trace| {
            *end += trace.spans;
            Some(*end - trace.spans..*end)
        });
        let mut forest = Forest {
            tree: Tree::link(part.parents, ends.collect()),
            requests: part.requests,
            ops: part.ops,
            lanes: part.lanes,
            traces: head.traces.len() as u64,
            roots: part.found.roots,
            orphans: part.found.orphans,
            errors: part.found.errors,
            loss: part.found.loss,
            warned: warned(&dataset),
        };
        forest.loss.count_turns(&dataset);
        Self {
            dataset,
            forest,
            readable: 0,
            parts: Vec::new(),
        }
    }

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
        let is_known = |span: &SpanIx| (*span as usize) < self.dataset.spans.len();
        for part in &self.parts {
            let mut judged = verdicts.remove(&part.key).unwrap_or_default();
            if judged.diagnoses.len() != part.requests.len() {
                return Err(part.key);
            }
            judged.renumber(
                |request| part.requests.get(request as usize).copied().unwrap_or(0),
                |span| Some(part.place(span)).filter(is_known).unwrap_or(0),
            );
            all.absorb(judged);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Facts, Kind};

    #[test]
    fn a_part_that_counts_more_than_it_holds_is_refused() {
        let trace = |spans, judged| Extent {
            order: Order::default(),
            spans,
            judged,
            ops: 0,
            lanes: 0,
        };
        let refused = |traces| {
            let head = Head {
                traces,
                ..Head::default()
            };
            let row = Row::new(Kind::Part, None, &(head, Facts::default())).unwrap();
            Whole::default().add(row).is_err()
        };
        assert!(!refused(vec![trace(2, 1)]));
        assert!(refused(vec![trace(u32::MAX, 0), trace(u32::MAX, 0)]));
        assert!(refused(vec![trace(1, 2)]));
    }
}
