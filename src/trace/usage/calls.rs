//! Model calls recorded one inside the other, and the transport below them.

use super::above::Above;
use super::{Counted, merge, owner_of};
use crate::model::{Dataset, LlmCall, Op, SpanIx, SpanKind};
use crate::trace::NO_SPAN;

/// What lies below one model span.
#[derive(Clone, Copy)]
struct Below {
    /// Client-side records directly below that are no twins of each other.
    calls: u32,
    /// The last of them.
    call: SpanIx,
}

/// Decides, innermost first, whether a model span is the same call as what it contains, or a
/// wrapper around several.
pub(super) fn join(dataset: &mut Dataset, above: &Above, counted: &mut [Counted]) {
    if above.leads.nested.is_empty() {
        return;
    }
    let mut below = hashbrown::HashMap::<SpanIx, Below, foldhash::fast::FixedState>::default();
    for &span in above.order.iter().rev() {
        if !dataset.spans[span as usize].op.is_model() {
            continue;
        }
        if let Some(found) = below.remove(&span) {
            settle(dataset, counted, span, found);
        }
        let outer = client_above(dataset, above, span);
        if outer == NO_SPAN {
            continue;
        }
        let side = match counted[span as usize] {
            Counted::Twin(owner) => client_above(dataset, above, owner) == outer,
            _ => false,
        };
        if dataset.spans[span as usize].op == Op::Engine {
            let owner = owner_of(counted, outer);
            merge::into(dataset, owner, span);
            counted[span as usize] = Counted::Twin(owner);
        } else if !side {
            let entry = below.entry(outer).or_insert(Below {
                calls: 0,
                call: span,
            });
            entry.calls += 1;
            entry.call = span;
        }
    }
}

/// The nearest client-side record above; a serving side only where it has no client itself.
fn client_above(dataset: &Dataset, above: &Above, span: SpanIx) -> SpanIx {
    let mut outer = above.model[span as usize];
    while outer != NO_SPAN
        && dataset.spans[outer as usize].op == Op::Engine
        && above.model[outer as usize] != NO_SPAN
    {
        outer = above.model[outer as usize];
    }
    outer
}

fn settle(dataset: &mut Dataset, counted: &mut [Counted], outer: SpanIx, found: Below) {
    let target = owner_of(counted, outer);
    let inner = owner_of(counted, found.call);
    if inner == target {
        return;
    }
    if found.calls > 1 || counted[inner as usize] == Counted::Rollup {
        counted[target as usize] = Counted::Rollup;
    } else if dataset.spans[outer as usize].op == Op::Engine {
        // A gateway records the call on both of its sides: the inner one is the client.
        merge::into(dataset, inner, outer);
        counted[outer as usize] = Counted::Twin(inner);
    } else if same(dataset, target, inner) {
        merge::into(dataset, target, inner);
        counted[inner as usize] = Counted::Twin(target);
    } else {
        counted[target as usize] = Counted::Rollup;
    }
}

fn same(dataset: &Dataset, outer: SpanIx, inner: SpanIx) -> bool {
    let call = |span: SpanIx| dataset.llm_of(&dataset.spans[span as usize]);
    match (call(outer), call(inner)) {
        (Some(a), Some(b)) => !a.has_usage() || !b.has_usage() || equal_usage(&a, &b),
        _ => false,
    }
}

/// Equal counts, up to one token or one percent.
pub(super) fn equal_usage(a: &LlmCall, b: &LlmCall) -> bool {
    let near = |x: Option<u32>, y: Option<u32>| match (x, y) {
        (Some(x), Some(y)) => x.abs_diff(y) <= (x.max(y) / 100).max(1),
        _ => true,
    };
    let value = |k: Option<crate::model::Known<u32>>| k.map(|k| k.value);
    near(value(a.input), value(b.input)) && near(value(a.output), value(b.output))
}

/// Gives each call the status and host of the HTTP requests below it, and how many of them were
/// resends.
pub(super) fn take_transport(dataset: &mut Dataset, above: &Above, counted: &mut [Counted]) {
    if dataset.https.is_empty() {
        return;
    }
    let mut sent = hashbrown::HashMap::<SpanIx, u16, foldhash::fast::FixedState>::default();
    let mut last = hashbrown::HashMap::<SpanIx, SpanIx, foldhash::fast::FixedState>::default();
    for &span in &above.order {
        let record = &dataset.spans[span as usize];
        let outer = above.model[span as usize];
        if record.op != Op::Http || record.kind == SpanKind::Server || outer == NO_SPAN {
            continue;
        }
        let owner = owner_of(counted, outer);
        let before = last
            .get(&owner)
            .map(|&s| dataset.spans[s as usize].window());
        // An HTTP client instrumented twice shows one request inside the other.
        if before.is_some_and(|w| w.start <= record.start && record.end <= w.end && !w.is_empty()) {
            continue;
        }
        *sent.entry(owner).or_default() += 1;
        last.insert(owner, span);
    }
    for (owner, span) in last {
        let Some(http) = dataset.http_of(&dataset.spans[span as usize]).copied() else {
            continue;
        };
        let Some(at) = dataset.spans[owner as usize].call.get() else {
            continue;
        };
        let resends = sent
            .get(&owner)
            .map_or(0, |n| n - 1)
            .max(http.resends.unwrap_or(0));
        dataset.llm.change(at, |call| {
            call.endpoint = call.endpoint.or(http.host);
            call.http_status = call.http_status.or(http.status);
            if resends > 0 {
                call.resends = Some(call.resends.unwrap_or(0).max(resends));
            }
        });
    }
}
