//! Spans that lost their parent: it is not in the dump, or is no longer named although spans of this
//! kind usually name one. They hang under the span of their trace that ran all the while: of several
//! the tightest of those that such spans usually hang under, by the links that are whole; where none
//! of these did, the parent itself is lost, and the tightest container takes its place. What nothing
//! contains hangs under its trace's one root, if there is exactly one.

use std::ops::Range;

use rayon::prelude::*;

use super::habits::{Habits, Relation};
use super::stitch::leads_to;
use crate::model::{Dataset, IssueKind, Op, Record, Span, SpanIx};
use crate::trace::NO_SPAN;
use crate::units::Nanos;

/// How far a child may stick out of a parent of another process: clocks of two hosts …
const REMOTE_SLACK: Nanos = Nanos(50_000_000);
/// … and of the same: times that were rounded.
const LOCAL_SLACK: Nanos = Nanos(1_000_000);
/// Spans under way at once that are looked at, latest starts first.
const LOOKED_AT: usize = 256;

/// Adopts the orphans of all traces, by the habits `known` or else by those of these spans. Returns (spans found whose parent is not in the dump, spans
/// adopted).
pub(in crate::trace) fn adopt_orphans(
    dataset: &mut Dataset,
    parent: &mut [SpanIx],
    traces: &[Range<SpanIx>],
    known: Option<&Habits>,
) -> (u64, Vec<SpanIx>) {
    let mut adopted = Vec::new();
    let mut found = 0;
    let mut learned = None;
    let broken = traces
        .par_iter()
        .filter(|trace| is_broken(dataset, parent, trace));
    for trace in broken.collect::<Vec<_>>() {
        let tops: Vec<SpanIx> = tops(parent, trace).collect();
        found += note(dataset, &tops);
        if trace.len() > tops.len() || tops.len() > 1 {
            let habits = known.unwrap_or_else(|| {
                learned.get_or_insert_with(|| Habits::learn(dataset, parent, traces))
            });
            adopted.extend(Search::new(dataset, habits, parent, trace).adopt(&tops));
        }
    }
    note_unnamed(dataset, &adopted);
    (found, adopted)
}

/// True where adopting orphans will ask what spans usually hang under.
pub(in crate::trace) fn needs_habits(
    dataset: &Dataset,
    parent: &[SpanIx],
    traces: &[Range<SpanIx>],
) -> bool {
    traces.par_iter().any(|trace| {
        let tops = tops(parent, trace).count();
        is_broken(dataset, parent, trace) && (trace.len() > tops || tops > 1)
    })
}

/// The spans of a trace that hang under nothing.
fn tops(parent: &[SpanIx], trace: &Range<SpanIx>) -> impl Iterator<Item = SpanIx> {
    trace.clone().filter(|&i| parent[i as usize] == NO_SPAN)
}

/// More than the one root of a whole trace.
fn is_broken(dataset: &Dataset, parent: &[SpanIx], trace: &Range<SpanIx>) -> bool {
    let spans = &dataset.records;
    let orphaned = |i: SpanIx| !spans[i as usize].parent.is_none();
    let mut tops = tops(parent, trace);
    tops.next()
        .is_some_and(|first| orphaned(first) || tops.next().is_some())
}

/// Counts those of `tops` whose parent is not in the dump.
fn note(dataset: &mut Dataset, tops: &[SpanIx]) -> u64 {
    let mut found = 0;
    for &orphan in tops {
        let span = dataset.records[orphan as usize];
        if span.parent.is_none() {
            continue;
        }
        found += 1;
        let id = dataset.trace_of(&span);
        dataset.ledger.note(IssueKind::OrphanSpan, span.place, || {
            format!(
                "span {} of trace {id} names parent {}, which is not in the dump",
                span.id, span.parent
            )
        });
    }
    found
}

/// Counts those of `adopted` that name no parent.
fn note_unnamed(dataset: &mut Dataset, adopted: &[SpanIx]) {
    for &orphan in adopted {
        let span = dataset.records[orphan as usize];
        if span.parent.is_none() {
            let id = dataset.trace_of(&span);
            dataset.ledger.note(IssueKind::LostParent, span.place, || {
                format!(
                    "span {} of trace {id} names no parent and ran inside a span that such spans hang under (confidence 0.9)",
                    span.id
                )
            });
        }
    }
}

/// The spans of one trace while its orphans are adopted.
struct Search<'a> {
    dataset: &'a Dataset,
    habits: &'a Habits,
    parent: &'a mut [SpanIx],
    trace: &'a Range<SpanIx>,
    /// Children by parent, adopted ones included.
    below: Vec<(SpanIx, SpanIx)>,
}

impl<'a> Search<'a> {
    fn new(
        dataset: &'a Dataset,
        habits: &'a Habits,
        parent: &'a mut [SpanIx],
        trace: &'a Range<SpanIx>,
    ) -> Self {
        let linked = trace.clone().filter(|&i| parent[i as usize] != NO_SPAN);
        let mut below: Vec<_> = linked.map(|i| (parent[i as usize], i)).collect();
        below.sort_unstable();
        Self {
            dataset,
            habits,
            parent,
            trace,
            below,
        }
    }

    fn span(&self, index: SpanIx) -> &'a Record {
        &self.dataset.records[index as usize]
    }

    /// Finds the parents of what may be adopted of `tops`, longest first, so that what lies inside an
    /// orphan finds it in its place.
    fn adopt(mut self, tops: &[SpanIx]) -> Vec<SpanIx> {
        let mut wanted: Vec<SpanIx> = tops
            .iter()
            .copied()
            .filter(|&i| self.may_be_adopted(i))
            .collect();
        wanted.sort_by_key(|&i| {
            let span = self.span(i);
            (std::cmp::Reverse(span.duration()), span.start, span.id)
        });
        let around = self.around(&wanted);
        let mut true_roots = tops
            .iter()
            .filter(|&&i| self.span(i).parent.is_none() && !wanted.contains(&i));
        let only = true_roots.next().filter(|_| true_roots.next().is_none());
        let only = only.copied();
        let mut adopted = Vec::new();
        for (orphan, candidates) in wanted.into_iter().zip(around) {
            let dangling = !self.span(orphan).parent.is_none();
            let best = self.best(orphan, &candidates);
            let fallback = only.filter(|&root| dangling && root != orphan);
            let Some(to) = best.or(fallback) else {
                continue;
            };
            if !leads_to(self.parent, to, orphan) {
                self.parent[orphan as usize] = to;
                let at = self.below.partition_point(|e| *e < (to, orphan));
                self.below.insert(at, (to, orphan));
                adopted.push(orphan);
            }
        }
        adopted
    }

    /// A parent that is named and absent, or one that such spans usually name. A call inside a
    /// container of its own trace is part of it whatever others do.
    fn may_be_adopted(&self, index: SpanIx) -> bool {
        let span = self.span(index);
        !span.parent.is_none() || is_call(span) || self.habits.has_parents(self.dataset, span)
    }

    /// For each of `wanted` the spans that ran all the while.
    fn around(&self, wanted: &[SpanIx]) -> Vec<Vec<SpanIx>> {
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by_key(|&w| self.span(wanted[w]).start);
        let mut found = vec![Vec::new(); wanted.len()];
        let mut starting = self.trace.clone().peekable();
        let mut under_way: Vec<SpanIx> = Vec::new();
        for w in order {
            let start = self.span(wanted[w]).start;
            while let Some(next) = starting.next_if(|&i| self.span(i).start <= start + REMOTE_SLACK)
            {
                under_way.push(next);
            }
            under_way.retain(|&i| self.span(i).end + REMOTE_SLACK >= start);
            let latest = under_way.iter().rev().take(LOOKED_AT).copied();
            found[w] = latest
                .filter(|&outer| outer != wanted[w] && self.contains(outer, wanted[w]))
                .collect();
        }
        found
    }

    fn contains(&self, outer: SpanIx, inner: SpanIx) -> bool {
        let (outer, inner) = (self.span(outer), self.span(inner));
        let process = |span| self.dataset.emitter_of(span).resource;
        let slack = if process(outer) == process(inner) {
            LOCAL_SLACK
        } else {
            REMOTE_SLACK
        };
        !outer.is_open()
            && !inner.is_open()
            && inner.start + slack >= outer.start
            && inner.end <= outer.end + slack
    }

    /// The parent of `orphan`: of the kinds that such spans hang under the tightest that is not taken;
    /// where there is none, the tightest container.
    fn best(&self, orphan: SpanIx, candidates: &[SpanIx]) -> Option<SpanIx> {
        let span = self.span(orphan);
        let rank = |&over: &SpanIx| {
            let outer = self.span(over);
            let place = match self.habits.relation(self.dataset, span, outer) {
                Relation::OneEach if !self.taken(over, span) => 0,
                Relation::Many => 0,
                Relation::Unknown if is_client_of(outer, span) && !self.taken(over, span) => 0,
                _ if outer.op.is_group() => 1,
                _ => return None,
            };
            let crossed = span.op.is_model() && self.crosses(over, span);
            Some((place, crossed, outer.duration(), over))
        };
        let best = candidates.iter().filter_map(rank).min();
        best.map(|(_, _, _, over)| over)
    }

    fn children(&self, of: SpanIx) -> impl Iterator<Item = &'a Record> + '_ {
        let from = self.below.partition_point(|e| e.0 < of);
        let below = self.below[from..].iter().take_while(move |e| e.0 == of);
        below.map(|e| self.span(e.1))
    }

    /// A child like `span` hangs there.
    fn taken(&self, over: SpanIx, span: &Span) -> bool {
        self.children(over)
            .any(|child| Habits::alike(self.dataset, child, span))
    }

    /// Another model call of that place was under way: agents make one after the other.
    fn crosses(&self, over: SpanIx, span: &Span) -> bool {
        self.children(over).any(|child| {
            child.op == span.op && !child.window().overlap(span.window()).eq(&Nanos::ZERO)
        })
    }
}

/// Work of its own kind, not a container.
fn is_call(span: &Span) -> bool {
    span.op.is_model() || span.op.is_tool() || span.op == Op::HumanWait
}

/// What a serving side hangs under where no habit is known.
fn is_client_of(outer: &Span, span: &Span) -> bool {
    span.op == Op::Engine && outer.op == Op::Llm
}
