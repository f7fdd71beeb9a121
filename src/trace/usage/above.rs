//! For every span the nearest model call and tool call above it, with nothing of another kind of
//! work in between.

use std::ops::Range;

use rayon::prelude::*;

use crate::model::{Dataset, Op, Span, SpanFlags, SpanIx};
use crate::trace::tree::divide;
use crate::trace::{NO_SPAN, Tree};
use crate::units::filled;

/// What stands above each span.
pub(super) struct Above {
    /// Nearest model span above, not beyond a tool, agent or step.
    pub(super) model: Vec<SpanIx>,
    /// Nearest tool-side span above, not beyond a model call, agent or step.
    pub(super) tool: Vec<SpanIx>,
    /// All spans, parents before children.
    pub(super) order: Vec<SpanIx>,
    pub(super) leads: Leads,
}

/// The few spans that may have to be counted with others, in the order of all.
#[derive(Default)]
pub(super) struct Leads {
    /// Model spans below another.
    pub(super) nested: Vec<SpanIx>,
    /// Serving sides without a client above.
    pub(super) engines: Vec<SpanIx>,
    /// Tool-side spans below another, and messages.
    pub(super) tools: Vec<SpanIx>,
    /// Spans that carry sums.
    pub(super) sums: Vec<SpanIx>,
}

impl Leads {
    fn append(&mut self, other: Self) {
        self.nested.extend(other.nested);
        self.engines.extend(other.engines);
        self.tools.extend(other.tools);
        self.sums.extend(other.sums);
    }
}

impl Above {
    /// Walks all trees once.
    pub(super) fn find(dataset: &Dataset, tree: &Tree) -> Self {
        let count = dataset.spans.len();
        let mut above = Self {
            model: filled(NO_SPAN, count),
            tool: filled(NO_SPAN, count),
            order: filled(NO_SPAN, count),
            leads: Leads::default(),
        };
        let groups = tree.groups();
        let order = divide(&mut above.order, &groups).into_par_iter();
        let model = divide(&mut above.model, &groups);
        let tool = divide(&mut above.tool, &groups);
        let slots = order.zip(model).zip(tool).zip(&groups);
        let parts = slots.map(|(((order, model), tool), group)| {
            let mut part = Part {
                from: group.start,
                model,
                tool,
                leads: Leads::default(),
            };
            let is_filled = part.fill(dataset, tree, group, order);
            (is_filled, part.leads)
        });
        let parts: Vec<(bool, Leads)> = parts.collect();
        if parts.iter().any(|(is_filled, _)| !is_filled) {
            above.order.retain(|span| *span != NO_SPAN);
        }
        for (_, leads) in parts {
            above.leads.append(leads);
        }
        above
    }
}

/// What stands above the spans of one group of traces, the first of which is number `from`.
struct Part<'a> {
    from: SpanIx,
    model: &'a mut [SpanIx],
    tool: &'a mut [SpanIx],
    leads: Leads,
}

impl Part<'_> {
    /// True when every span of the group hangs under a root of it.
    fn fill(
        &mut self,
        dataset: &Dataset,
        tree: &Tree,
        group: &Range<SpanIx>,
        order: &mut [SpanIx],
    ) -> bool {
        let mut stack = Vec::new();
        let mut slots = order.iter_mut();
        for root in tree.roots(group) {
            tree.walk(root, &mut stack, |span| {
                if let Some(slot) = slots.next() {
                    *slot = span;
                }
                if let Some(parent) = tree.parent_of(span) {
                    self.inherit(span, parent, &dataset.spans[parent as usize]);
                }
                self.note(dataset, span);
            });
        }
        slots.next().is_none()
    }

    fn inherit(&mut self, span: SpanIx, parent: SpanIx, over: &Span) {
        let [span, from] = [span, parent].map(|index| (index - self.from) as usize);
        let (model, tool) = (self.model[from], self.tool[from]);
        (self.model[span], self.tool[span]) = match over.op {
            _ if over.flags.has(SpanFlags::NOISE) => (model, tool),
            op if op.is_model() => (parent, NO_SPAN),
            op if op.is_tool() => (NO_SPAN, parent),
            Op::Http | Op::Other => (model, tool),
            _ => (NO_SPAN, NO_SPAN),
        };
    }

    fn note(&mut self, dataset: &Dataset, span: SpanIx) {
        let at = (span - self.from) as usize;
        let is_below = |above: &[SpanIx]| above[at] != NO_SPAN;
        let op = dataset.spans[span as usize].op;
        if op.is_model() && is_below(self.model) {
            self.leads.nested.push(span);
        } else if op == Op::Engine {
            self.leads.engines.push(span);
        } else if op.is_tool() && (op == Op::Mcp || is_below(self.tool)) {
            self.leads.tools.push(span);
        } else if sum_of(dataset, span).is_some() {
            self.leads.sums.push(span);
        }
    }
}

/// Prompt tokens that a group says were used below it.
pub(super) fn sum_of(dataset: &Dataset, span: SpanIx) -> Option<u64> {
    let facts = dataset.task_of(&dataset.spans[span as usize])?;
    facts.rollup_input.map(u64::from).filter(|&n| n > 0)
}
