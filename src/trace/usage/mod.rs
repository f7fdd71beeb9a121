//! Who owns the tokens: each call is counted once, however many spans recorded it.
//!
//! One call may be recorded by a framework, a client library, an HTTP client and the server, one
//! inside the other or side by side. [`count_once`] finds the records of one call, names the owner
//! (the client side, outermost) and hands it what the others measured.

mod above;
mod calls;
mod engines;
mod merge;
mod rollups;
mod siblings;
mod tools;

use rayon::prelude::*;

use super::Tree;
use crate::model::{Dataset, IssueKind, Op, Origin, Span, SpanFlags, SpanIx};
use crate::units::roomy;
use above::Above;
pub(super) use merge::between as merge_records;

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
    let above = Above::find(dataset, tree);
    let spans = dataset.spans.par_iter();
    let mut counted: Vec<Counted> = roomy(spans.len());
    spans
        .map(|s| first_guess(s.op))
        .collect_into_vec(&mut counted);
    siblings::pair(dataset, tree, &mut counted);
    calls::join(dataset, &above, &mut counted);
    calls::take_transport(dataset, &above, &mut counted);
    engines::join(dataset, &above, &mut counted);
    tools::join(dataset, &above, &mut counted);
    resolve(&mut counted);
    rollups::mark(dataset, tree, &above, &mut counted);
    note(dataset, &counted);
    counted
}

/// Every span that is a call by its role stands for one until a twin is found.
fn first_guess(op: Op) -> Counted {
    match op {
        Op::Llm | Op::Engine | Op::Embedding | Op::Tool | Op::Retrieval => Counted::Owner,
        _ => Counted::NotACall,
    }
}

/// Lets every twin name the final owner. Each step of a chain is walked once.
fn resolve(counted: &mut [Counted]) {
    for i in 0..counted.len() {
        let Counted::Twin(next) = counted[i] else {
            continue;
        };
        let owner = owner_of(counted, next);
        let mut at = i;
        while let Counted::Twin(next) = counted[at]
            && next != owner
        {
            counted[at] = Counted::Twin(owner);
            at = next as usize;
        }
    }
}

/// Follows twins to the span that stands for them all. Twins point outwards or to an engine's
/// client, so this ends.
fn owner_of(counted: &[Counted], mut span: SpanIx) -> SpanIx {
    while let Some(&Counted::Twin(owner)) = counted.get(span as usize) {
        span = owner;
    }
    span
}

/// Two client-side records of one call are worth a line; server sides are expected.
fn note(dataset: &mut Dataset, counted: &[Counted]) {
    let is_worth_it = |((span, _), counted): &((&Span, &Origin), &Counted)| {
        let twin = (counted, span.op);
        matches!(twin, (Counted::Twin(_), Op::Llm | Op::Embedding | Op::Tool))
            && !span.flags.has(SpanFlags::NOISE)
    };
    let spans = dataset.spans.par_iter().zip(&dataset.origins).zip(counted);
    let twins = spans.filter(is_worth_it).map(|((_, origin), _)| *origin);
    for Origin { id, place, .. } in twins.collect::<Vec<_>>() {
        dataset.ledger.note(IssueKind::TwinCall, place, || {
            format!("span {id} records a call that another span owns")
        });
    }
}

#[cfg(test)]
mod tests;
