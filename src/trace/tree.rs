//! Parents and children over the sorted span arena. All walks are iterative: a trace may be a
//! million spans deep.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::arrange;
use crate::model::{Dataset, SpanIx, weight};
use crate::units::filled;

/// No span.
pub const NO_SPAN: SpanIx = SpanIx::MAX;

/// The shape of all traces. Spans are sorted by trace, start and id, so siblings come in order of
/// start; traces come by their first start.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Effective parent of each span, [`NO_SPAN`] for a local root.
    pub parent: Vec<SpanIx>,
    /// Found when first asked for.
    links: OnceLock<Links>,
    /// Range of each trace in the span arena.
    pub traces: Vec<Range<SpanIx>>,
}

/// Child lists.
#[derive(Clone, Debug, Default)]
struct Links {
    first_child: Vec<SpanIx>,
    next_sibling: Vec<SpanIx>,
}

impl Links {
    fn of(tree: &Tree) -> Self {
        let mut links = Self {
            first_child: filled(NO_SPAN, tree.parent.len()),
            next_sibling: filled(NO_SPAN, tree.parent.len()),
        };
        let groups = tree.groups();
        let first_child = divide(&mut links.first_child, &groups);
        let next_sibling = divide(&mut links.next_sibling, &groups);
        let slots = first_child.into_par_iter().zip(next_sibling);
        slots.zip(&groups).for_each(|((first, next), group)| {
            let from = group.start as usize;
            let parent = &tree.parent[from..group.end as usize];
            for i in (0..parent.len()).rev() {
                let Some(above) = (parent[i] as usize).checked_sub(from) else {
                    continue;
                };
                if let Some(slot) = first.get_mut(above) {
                    next[i] = *slot;
                    *slot = (from + i) as SpanIx;
                }
            }
        });
        links
    }
}

/// Traces in one group.
const GROUP: usize = 512;

/// The parts of `all` that belong to each of `ranges`, which follow each other from its beginning.
pub(super) fn divide<'a, T>(all: &'a mut [T], ranges: &[Range<SpanIx>]) -> Vec<&'a mut [T]> {
    let mut parts = Vec::with_capacity(ranges.len());
    let mut rest = all;
    for range in ranges {
        let (head, tail) = rest.split_at_mut(range.len());
        parts.push(head);
        rest = tail;
    }
    parts
}

/// Ranges of whole traces, one after the other over all spans. No span hangs under one of another range: where traces
/// were joined, there is one range only.
pub(super) fn groups(parent: &[SpanIx], traces: &[Range<SpanIx>]) -> Vec<Range<SpanIx>> {
    let mut groups = Vec::with_capacity(traces.len() / GROUP + 1);
    let mut next = 0;
    for traces in traces.chunks(GROUP) {
        let end = traces.last().map_or(next, |last| last.end);
        groups.push(next..end);
        next = end;
    }
    let is_apart = |group: &Range<SpanIx>| {
        let parents = parent.get(group.start as usize..group.end as usize);
        parents.is_some_and(|parents| {
            let mut parents = parents.iter();
            parents.all(|above| *above == NO_SPAN || group.contains(above))
        })
    };
    let all = parent.len() as SpanIx;
    match next == all && groups.par_iter().all(is_apart) {
        true => groups,
        false => std::iter::once(0..all).collect(),
    }
}

impl Tree {
    /// Bytes that parents and traces take; judging requests has no need of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        weight(&self.parent) + weight(&self.traces)
    }

    /// Sorts the spans of `dataset` and finds where each trace lies. Parents are linked by
    /// [`Tree::link`].
    #[must_use]
    pub fn sort(dataset: &mut Dataset) -> Vec<Range<SpanIx>> {
        arrange::by_trace(dataset)
    }

    /// Trees from effective parents.
    #[must_use]
    pub fn link(parent: Vec<SpanIx>, traces: Vec<Range<SpanIx>>) -> Self {
        Self {
            parent,
            links: OnceLock::new(),
            traces,
        }
    }

    /// Forgets the child lists until somebody asks for children again: most of what comes after the
    /// rebuilding of traces never does, and they are large.
    pub(super) fn forget_children(&mut self) {
        self.links = OnceLock::new();
    }

    fn links(&self) -> &Links {
        self.links.get_or_init(|| Links::of(self))
    }

    /// [`groups`] of its traces.
    pub(super) fn groups(&self) -> Vec<Range<SpanIx>> {
        groups(&self.parent, &self.traces)
    }

    /// Children of `span`, by start.
    pub fn children(&self, span: SpanIx) -> impl Iterator<Item = SpanIx> + '_ {
        let links = self.links();
        let first = links
            .first_child
            .get(span as usize)
            .copied()
            .unwrap_or(NO_SPAN);
        std::iter::successors((first != NO_SPAN).then_some(first), |&s| {
            let next = links.next_sibling[s as usize];
            (next != NO_SPAN).then_some(next)
        })
    }

    /// `span` and everything below it, parents before children, siblings by start.
    pub fn subtree(&self, span: SpanIx) -> impl Iterator<Item = SpanIx> + '_ {
        let mut stack = vec![span];
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            let at = stack.len();
            stack.extend(self.children(next));
            stack[at..].reverse();
            Some(next)
        })
    }

    /// As [`Tree::subtree`], with a stack that keeps its memory for the next.
    pub fn walk(&self, span: SpanIx, stack: &mut Vec<SpanIx>, mut visit: impl FnMut(SpanIx)) {
        stack.push(span);
        while let Some(next) = stack.pop() {
            visit(next);
            let at = stack.len();
            stack.extend(self.children(next));
            stack[at..].reverse();
        }
    }

    /// Ancestors of `span`, nearest first. Ends, because repairs leave no cycle.
    pub fn ancestors(&self, span: SpanIx) -> impl Iterator<Item = SpanIx> + '_ {
        std::iter::successors(self.parent_of(span), |&s| self.parent_of(s))
    }

    /// Effective parent.
    #[must_use]
    pub fn parent_of(&self, span: SpanIx) -> Option<SpanIx> {
        self.parent
            .get(span as usize)
            .copied()
            .filter(|&p| p != NO_SPAN)
    }

    /// Local roots of one trace.
    pub fn roots(&self, trace: &Range<SpanIx>) -> impl Iterator<Item = SpanIx> + '_ {
        trace
            .clone()
            .filter(|&s| self.parent[s as usize] == NO_SPAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of one trace.
    fn one(parent: Vec<SpanIx>) -> Tree {
        let whole = 0..parent.len() as SpanIx;
        Tree::link(parent, Vec::from_iter([whole]))
    }

    fn chain(len: usize) -> Tree {
        let parent = (0..len)
            .map(|i| if i == 0 { NO_SPAN } else { i as SpanIx - 1 })
            .collect();
        one(parent)
    }

    #[test]
    fn a_trace_a_million_spans_deep_is_walked() {
        let tree = chain(1_000_000);
        assert_eq!(tree.subtree(0).count(), 1_000_000);
        assert_eq!(tree.ancestors(999_999).count(), 999_999);
    }

    #[test]
    fn siblings_come_in_order_of_start() {
        let tree = one(vec![NO_SPAN, 0, 0, 1, 0]);
        assert_eq!(tree.children(0).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(tree.subtree(0).collect::<Vec<_>>(), [0, 1, 3, 2, 4]);
        assert_eq!(tree.roots(&(0..5)).collect::<Vec<_>>(), [0]);
    }
}
