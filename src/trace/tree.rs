//! Parents and children over the sorted span arena. All walks are iterative: a trace may be a
//! million spans deep.

use std::ops::Range;

use rayon::prelude::*;

use crate::model::{Dataset, Span, SpanIx};

/// No span.
pub const NO_SPAN: SpanIx = SpanIx::MAX;

/// The shape of all traces. Spans are sorted by trace, start and id, so siblings come in order of
/// start.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Effective parent of each span, [`NO_SPAN`] for a local root.
    pub parent: Vec<SpanIx>,
    first_child: Vec<SpanIx>,
    next_sibling: Vec<SpanIx>,
    /// Range of each trace in the span arena.
    pub traces: Vec<Range<SpanIx>>,
}

impl Tree {
    /// Sorts the spans of `dataset` and finds where each trace lies. Parents are linked by
    /// [`Tree::link`].
    #[must_use]
    pub fn sort(dataset: &mut Dataset) -> Vec<Range<SpanIx>> {
        dataset
            .spans
            .par_sort_unstable_by(|a, b| order(a).cmp(&order(b)));
        let spans = &dataset.spans;
        let mut traces = Vec::new();
        let mut start = 0;
        for i in 1..=spans.len() {
            if i == spans.len() || spans[i].trace != spans[start].trace {
                if start < i {
                    traces.push(start as SpanIx..i as SpanIx);
                }
                start = i;
            }
        }
        traces
    }

    /// Builds child lists from effective parents.
    #[must_use]
    pub fn link(parent: Vec<SpanIx>, traces: Vec<Range<SpanIx>>) -> Self {
        let mut first_child = vec![NO_SPAN; parent.len()];
        let mut next_sibling = vec![NO_SPAN; parent.len()];
        for i in (0..parent.len()).rev() {
            if let Some(slot) = first_child.get_mut(parent[i] as usize) {
                next_sibling[i] = *slot;
                *slot = i as SpanIx;
            }
        }
        Self {
            parent,
            first_child,
            next_sibling,
            traces,
        }
    }

    /// Children of `span`, by start.
    pub fn children(&self, span: SpanIx) -> impl Iterator<Item = SpanIx> + '_ {
        let first = self
            .first_child
            .get(span as usize)
            .copied()
            .unwrap_or(NO_SPAN);
        std::iter::successors((first != NO_SPAN).then_some(first), |&s| {
            let next = self.next_sibling[s as usize];
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

type Order = (u128, u64, u64, u64, u64, u16);

/// By trace, start, id; the rest only so that copies come in an order that does not depend on the input's.
fn order(span: &Span) -> Order {
    (
        span.trace.0,
        span.start.0,
        span.id.0,
        span.parent.0,
        span.end.0,
        span.weight,
    )
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
