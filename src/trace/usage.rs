//! Who owns the tokens: each call is counted once, however many spans recorded it.

use super::Tree;
use crate::model::{Dataset, Known, Op, SpanIx, Via};

/// What a span counts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Counted {
    /// Neither a model call nor a tool call of its own.
    #[default]
    NotACall,
    /// The one span that stands for the call.
    Owner,
    /// Another record of the call that the named span owns.
    Twin(SpanIx),
    /// Repeats or sums what its descendants own.
    Rollup,
}

/// Decides for every span, and hands what twins measured to the owners.
#[must_use]
pub(super) fn count_once(dataset: &mut Dataset, tree: &Tree) -> Vec<Counted> {
    let mut counted = vec![Counted::NotACall; dataset.spans.len()];
    for i in 0..dataset.spans.len() {
        let span = dataset.spans[i];
        counted[i] = match span.op {
            Op::Engine => match tree
                .ancestors(i as SpanIx)
                .find(|&a| dataset.spans[a as usize].op == Op::Llm)
            {
                Some(owner) => {
                    merge(dataset, owner, i as SpanIx);
                    Counted::Twin(owner)
                }
                None => Counted::Owner,
            },
            Op::Llm | Op::Embedding | Op::Tool | Op::Retrieval => Counted::Owner,
            _ => Counted::NotACall,
        };
    }
    counted
}

fn merge(dataset: &mut Dataset, owner: SpanIx, twin: SpanIx) {
    let (Some(o), Some(t)) = (
        dataset.spans[owner as usize].call.get(),
        dataset.spans[twin as usize].call.get(),
    ) else {
        return;
    };
    let from = dataset.llm[t];
    let into = &mut dataset.llm[o];
    let child = |k: Known<_>| Known {
        value: k.value,
        via: Via::Child,
    };
    into.queue = into.queue.or(from.queue.map(child));
    into.prefill = into.prefill.or(from.prefill.map(child));
    into.decode = into.decode.or(from.decode.map(child));
    into.engine = twin;
}
