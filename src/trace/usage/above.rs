//! For every span the nearest model call and tool call above it, with nothing of another kind of
//! work in between.

use crate::model::{Dataset, Op, Span, SpanFlags, SpanIx};
use crate::trace::{NO_SPAN, Tree};

/// What stands above each span.
pub(super) struct Above {
    /// Nearest model span above, not beyond a tool, agent or step.
    pub(super) model: Vec<SpanIx>,
    /// Nearest tool-side span above, not beyond a model call, agent or step.
    pub(super) tool: Vec<SpanIx>,
    /// All spans, parents before children.
    pub(super) order: Vec<SpanIx>,
}

impl Above {
    /// Walks all trees once.
    pub(super) fn find(dataset: &Dataset, tree: &Tree) -> Self {
        let count = dataset.spans.len();
        let mut above = Self {
            model: vec![NO_SPAN; count],
            tool: vec![NO_SPAN; count],
            order: Vec::with_capacity(count),
        };
        let mut stack = Vec::new();
        for trace in &tree.traces {
            for root in tree.roots(trace) {
                tree.walk(root, &mut stack, |span| above.order.push(span));
            }
        }
        for at in 0..above.order.len() {
            let span = above.order[at];
            if let Some(parent) = tree.parent_of(span) {
                above.inherit(span, parent, &dataset.spans[parent as usize]);
            }
        }
        above
    }

    fn inherit(&mut self, span: SpanIx, parent: SpanIx, over: &Span) {
        let (span, from) = (span as usize, parent as usize);
        let (model, tool) = (self.model[from], self.tool[from]);
        (self.model[span], self.tool[span]) = match over.op {
            _ if over.flags.has(SpanFlags::NOISE) => (model, tool),
            op if op.is_model() => (parent, NO_SPAN),
            op if op.is_tool() => (NO_SPAN, parent),
            Op::Http | Op::Other => (model, tool),
            _ => (NO_SPAN, NO_SPAN),
        };
    }
}
