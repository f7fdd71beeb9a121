//! All traces of a dump as trees over one sorted span arena, and the requests found in them.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::repair::{self, Habits, mark};
use super::tree::divide;
use super::warned::{Warned, warned};
use super::{Lane, Loss, NO_SPAN, RepairSet, Request, StepOp, Tree, requests, usage};
use crate::model::{Dataset, SpanFlags, SpanId, SpanIx, TraceId, weight};
use crate::units::{Nanos, Window, filled};

/// How traces are rebuilt.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Correct clock skew and adopt orphans.
    pub repair: bool,
    /// Join fragments of other traces.
    pub stitch: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            repair: true,
            stitch: true,
        }
    }
}

/// Marks of records that are put together with others.
const PIECES: u8 = SpanFlags::PARTIAL | SpanFlags::SHARED_ID;

/// The trees and what was found in them.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    /// Parents and children after repairs.
    pub tree: Tree,
    /// Requests, by start, trace id and root id.
    pub requests: Vec<Request>,
    /// Leaf operations of all requests.
    pub ops: Vec<StepOp>,
    /// Lanes of all requests.
    pub lanes: Vec<Lane>,
    /// Traces, requests or not.
    pub traces: u64,
    /// Spans without a parent id.
    pub roots: u64,
    /// Spans whose parent is not in the dump.
    pub orphans: u64,
    /// Spans with status error.
    pub errors: u64,
    /// What is known to be missing.
    pub loss: Loss,
    /// Failures that logs tell of.
    pub warned: Warned,
}

impl Forest {
    /// From the first start to the last end of a request.
    #[must_use]
    pub fn window(&self) -> Window {
        let starts = self.requests.iter().map(|r| r.wall.start);
        let ends = self.requests.iter().map(|r| r.wall.end);
        Window {
            start: starts.min().unwrap_or_default(),
            end: ends.max().unwrap_or_default(),
        }
    }

    /// Bytes that its tables take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let requests = weight(&self.requests) + weight(&self.ops) + weight(&self.lanes);
        self.tree.bytes() + requests
    }

    /// Rebuilds the traces of `dataset`, whose spans are sorted and mended in place.
    #[must_use]
    pub fn build(dataset: &mut Dataset, options: &Options) -> Self {
        Sorted::of(dataset)
            .join(dataset, options)
            .grow(dataset, options, None)
    }
}

/// Spans sorted by trace, copies dropped, parents found within their traces: what can be said before
/// traces are joined with each other.
#[derive(Debug)]
pub struct Sorted {
    /// First start and id of each trace, as read: what their order goes by.
    pub order: Vec<(Nanos, TraceId)>,
    pub(super) traces: Vec<Range<SpanIx>>,
    pub(super) parent: Vec<SpanIx>,
    copied: Vec<SpanIx>,
    opened: Vec<SpanIx>,
}

impl Sorted {
    /// Sorts and mends the spans of `dataset` trace by trace.
    #[must_use]
    pub fn of(dataset: &mut Dataset) -> Self {
        let traces = Tree::sort(dataset);
        Self::over(dataset, traces, None)
    }

    /// The same over spans that lie trace by trace already, with their parents where these are known.
    #[must_use]
    pub fn over(
        dataset: &mut Dataset,
        mut traces: Vec<Range<SpanIx>>,
        parents: Option<Parents>,
    ) -> Self {
        let rejoined = repair::rejoin(dataset, &traces);
        if rejoined {
            traces = Tree::sort(dataset);
        }
        let firsts = traces
            .iter()
            .map(|trace| &dataset.records[trace.start as usize]);
        let order = firsts
            .map(|first| (first.start, dataset.trace_of(first)))
            .collect();
        let known = parents.filter(|_| !rejoined).map(|known| (known, true));
        let (mut found, copies) = known.unwrap_or_else(|| resolve_parents(dataset, &traces));
        let mut copied = Vec::new();
        if copies {
            (traces, copied) = repair::dedupe(dataset, traces);
            if !copied.is_empty() {
                (found, _) = resolve_parents(dataset, &traces);
            }
        }
        let (parent, opened) = found;
        repair::note_cycles(dataset, &opened);
        Self {
            order,
            traces,
            parent,
            copied,
            opened,
        }
    }

    /// Joins traces of which one is a fragment of the other.
    #[must_use]
    pub fn join(mut self, dataset: &mut Dataset, options: &Options) -> Joined {
        let mut stitched = Vec::new();
        if options.stitch {
            stitched = repair::stitch(dataset, &mut self.parent);
            let traces = &self.traces;
            stitched.extend(repair::join_fragments(dataset, &mut self.parent, traces));
        }
        Joined {
            sorted: self,
            stitched,
        }
    }
}

/// Sorts the spans of `dataset` and says where its traces lie.
#[must_use]
pub fn sort(dataset: &mut Dataset) -> Vec<Range<SpanIx>> {
    Tree::sort(dataset)
}

/// The parent of each span within its trace, and the spans where circles were opened.
pub type Parents = (Vec<SpanIx>, Vec<SpanIx>);

/// Sorts the spans of `dataset`, and says where its traces lie and which of them are not evidently whole: one tree of
/// single records below one root. What others hold may matter to mending these; it cannot matter to the rest.
#[must_use]
pub fn broken(dataset: &mut Dataset) -> (Vec<Range<SpanIx>>, Parents, Vec<TraceId>) {
    let traces = Tree::sort(dataset);
    let ((parent, opened), _) = resolve_parents(dataset, &traces);
    let is_broken = |trace: &&Range<SpanIx>| {
        let own = trace.start as usize..trace.end as usize;
        let mut roots = 0;
        let mut spans = dataset.records[own.clone()].iter().zip(&parent[own]);
        let strange = spans.any(|(span, above)| {
            let is_top = *above == NO_SPAN;
            roots += u32::from(is_top);
            is_top && !span.parent.is_none() || span.flags.has(PIECES)
        });
        strange || roots != 1
    };
    let broken = traces.iter().filter(is_broken);
    let ids = broken.map(|trace| dataset.trace_of(&dataset.records[trace.start as usize]));
    let ids = ids.collect();
    (traces, (parent, opened), ids)
}

/// Spans of which every parent is found that another trace or an id names.
#[derive(Debug)]
pub struct Joined {
    /// As they were sorted, fragments joined.
    pub sorted: Sorted,
    stitched: Vec<SpanIx>,
}

impl Joined {
    /// Mends what is left and finds the requests. `habits` say what spans of a kind usually hang under; without them
    /// they are learned from these spans.
    #[must_use]
    pub fn grow(self, dataset: &mut Dataset, options: &Options, habits: Option<&Habits>) -> Forest {
        let Sorted {
            traces,
            mut parent,
            copied,
            opened,
            ..
        } = self.sorted;
        let (orphans, adopted) = if options.repair {
            repair::adopt_orphans(dataset, &mut parent, &traces, habits)
        } else {
            (count_orphans(dataset, &parent), Vec::new())
        };
        let tree = Tree::link(parent, traces);
        let open = repair::close_unfinished(dataset, &tree);
        let skewed = if options.repair {
            repair::correct_skew(dataset, &tree)
        } else {
            Vec::new()
        };

        let mut marks = Marks::new(dataset.records.len());
        for (list, bit) in [
            (&copied, mark::DEDUPE),
            (&opened, mark::CYCLE),
            (&self.stitched, mark::STITCH),
            (&adopted, mark::ORPHAN),
            (&open, mark::UNFINISHED),
            (&skewed, mark::SKEW),
        ] {
            marks.set(list, bit);
        }
        dataset.settle();
        let counted = usage::count_once(dataset, &tree);
        let mut forest = Forest {
            traces: tree.traces.len() as u64,
            roots: dataset
                .origins
                .par_iter()
                .filter(|origin| origin.parent.is_none())
                .count() as u64,
            errors: dataset.spans.par_iter().filter(|s| s.failed()).count() as u64,
            orphans,
            tree,
            ..Forest::default()
        };
        let (found, loss) = rayon::join(
            || requests::find(dataset, &forest.tree, &counted, &marks),
            || Loss::of(dataset, &forest.tree),
        );

        (forest.requests, forest.ops, forest.lanes) = (found.requests, found.ops, found.lanes);
        forest.loss = loss;
        forest.loss.rootless = requests::note_rootless(dataset, &forest.requests);
        forest.tree.forget_children();
        forest.warned = warned(dataset);
        forest
    }
}

/// Which repairs touched which span.
pub(super) struct Marks(Vec<RepairSet>);

impl Marks {
    fn new(spans: usize) -> Self {
        Self(filled(RepairSet::default(), spans))
    }

    fn set(&mut self, spans: &[SpanIx], bit: u8) {
        for &i in spans {
            self.0[i as usize].mark(bit.into());
        }
    }

    pub(super) fn of(&self, span: SpanIx) -> RepairSet {
        self.0.get(span as usize).copied().unwrap_or_default()
    }
}

/// Parents within their traces, and whether any trace holds a span twice: of which copy a parent is told then depends
/// on which is kept.
fn resolve_parents(dataset: &Dataset, traces: &[Range<SpanIx>]) -> (Parents, bool) {
    let mut parent = filled(NO_SPAN, dataset.records.len());
    let slices = divide(&mut parent, traces).into_par_iter();
    let copies = AtomicBool::new(false);
    let opened = slices
        .zip(traces)
        .map_init(Vec::new, |by_id, (parent, trace)| {
            if resolve_trace(dataset, trace, parent, by_id) {
                copies.store(true, Ordering::Relaxed);
            }
            repair::open_cycles(parent, trace)
        })
        .flatten_iter()
        .collect();
    ((parent, opened), copies.into_inner())
}

/// Writes the index of each span's parent within one trace, `by_id` being memory to do so. True where two spans share
/// an id.
fn resolve_trace(
    dataset: &Dataset,
    trace: &Range<SpanIx>,
    parent: &mut [SpanIx],
    by_id: &mut Vec<(SpanId, SpanIx)>,
) -> bool {
    let spans = &dataset.records[trace.start as usize..trace.end as usize];
    by_id.clear();
    by_id.extend(spans.iter().zip(trace.clone()).map(|(s, i)| (s.id, i)));
    by_id.sort_unstable();
    for (slot, span) in parent.iter_mut().zip(spans) {
        if !span.parent.is_none()
            && let Ok(at) = by_id.binary_search_by_key(&span.parent, |e| e.0)
        {
            *slot = by_id[at].1;
        }
    }
    by_id.windows(2).any(|two| two[0].0 == two[1].0)
}

fn count_orphans(dataset: &Dataset, parent: &[SpanIx]) -> u64 {
    dataset
        .records
        .iter()
        .zip(parent)
        .filter(|(s, p)| **p == NO_SPAN && !s.parent.is_none())
        .count() as u64
}
