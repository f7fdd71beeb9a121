//! Fragments that lost their trace and carry no link: joined by a parent id that was passed on, or by
//! a conversation and a call site that ran all the while. Each join names its rule.

use std::ops::Range;

use hashbrown::HashMap;

use super::stitch::{contains, leads_to};
use crate::model::{Dataset, IssueKind, Op, SpanId, SpanIx, SpanKind};
use crate::trace::NO_SPAN;
use crate::units::Sym;

/// Ids smaller than this are counters or labels, not drawn at random: equal ones prove nothing.
pub(in crate::trace) const RANDOM: u64 = 1 << 32;

/// Joins what a passed-on parent id or a conversation proves. Returns the joined roots.
pub(in crate::trace) fn join(
    dataset: &mut Dataset,
    parent: &mut [SpanIx],
    traces: &[Range<SpanIx>],
) -> Vec<SpanIx> {
    let mut joined = by_parent_id(dataset, parent);
    joined.extend(by_conversation(dataset, parent, traces));
    joined
}

/// A service that starts a new trace and keeps the parent it was called by: that id is the id of
/// exactly one span of another trace, which ran all the while.
fn by_parent_id(dataset: &mut Dataset, parent: &mut [SpanIx]) -> Vec<SpanIx> {
    let mut wanted: HashMap<SpanId, (u32, SpanIx), foldhash::fast::FixedState> = HashMap::default();
    for (span, &above) in dataset.spans.iter().zip(&*parent) {
        if above == NO_SPAN && span.parent.0 >= RANDOM {
            wanted.insert(span.parent, (0, NO_SPAN));
        }
    }
    if wanted.is_empty() {
        return Vec::new();
    }
    for (span, index) in dataset.spans.iter().zip(0..) {
        if let Some((times, found)) = wanted.get_mut(&span.id) {
            (*times, *found) = (*times + 1, index);
        }
    }
    let mut joined = Vec::new();
    for index in 0..dataset.spans.len() as SpanIx {
        let span = &dataset.spans[index as usize];
        let found = match wanted.get(&span.parent) {
            Some(&(1, found)) if parent[index as usize] == NO_SPAN => found,
            _ => continue,
        };
        let other = dataset.spans[found as usize].trace != span.trace;
        if other && contains(dataset, found, index) && !leads_to(parent, found, index) {
            attach(
                dataset,
                parent,
                index,
                found,
                "its parent id was passed on",
                0.95,
            );
            joined.push(index);
        }
    }
    joined
}

/// A whole trace of one conversation that ran inside exactly one call site of another service in the
/// same conversation.
fn by_conversation(
    dataset: &mut Dataset,
    parent: &mut [SpanIx],
    traces: &[Range<SpanIx>],
) -> Vec<SpanIx> {
    let mut sites: HashMap<Sym, Vec<SpanIx>, foldhash::fast::FixedState> = HashMap::default();
    let mut tops = Vec::new();
    for trace in traces {
        let Some(conversation) = conversation(dataset, trace.clone()) else {
            continue;
        };
        let known = sites.entry(conversation).or_default();
        known.extend(trace.clone().filter(|&i| is_call_site(dataset, i)));
        let mut roots = trace.clone().filter(|&i| parent[i as usize] == NO_SPAN);
        if let (Some(root), None) = (roots.next(), roots.next())
            && dataset.spans[root as usize].parent.is_none()
        {
            tops.push((conversation, root));
        }
    }
    let mut joined = Vec::new();
    for (conversation, root) in tops {
        let service = |i: SpanIx| dataset.resource_of(&dataset.spans[i as usize]).service;
        let fits = |&&site: &&SpanIx| {
            dataset.spans[site as usize].trace != dataset.spans[root as usize].trace
                && service(site) != service(root)
                && dataset.names.known(service(site)).is_some()
                && dataset.names.known(service(root)).is_some()
                && contains(dataset, site, root)
        };
        let mut fitting = sites.get(&conversation).into_iter().flatten().filter(fits);
        let (Some(&site), None) = (fitting.next(), fitting.next()) else {
            continue;
        };
        if !leads_to(parent, site, root) {
            let rule =
                "it names the conversation and ran inside the only call that could have made it";
            attach(dataset, parent, root, site, rule, 0.8);
            joined.push(root);
        }
    }
    joined
}

/// The conversation of a trace, when it names exactly one.
pub(in crate::trace) fn conversation(dataset: &Dataset, trace: Range<SpanIx>) -> Option<Sym> {
    let mut found = None;
    for i in trace {
        let span = &dataset.spans[i as usize];
        let said = match (dataset.task_of(span), dataset.llm_of(span)) {
            (Some(task), _) => task.conversation,
            (_, Some(call)) => call.conversation,
            _ => continue,
        };
        if dataset.names.known(said).is_none() {
            continue;
        }
        match found {
            Some(known) if known != said => return None,
            _ => found = Some(said),
        }
    }
    found
}

/// A span that may have called another service, with nothing recorded below it that would tell.
pub(in crate::trace) fn is_call_site(dataset: &Dataset, i: SpanIx) -> bool {
    let span = &dataset.spans[i as usize];
    let calls = matches!(span.op, Op::Tool | Op::Mcp | Op::Http);
    let remote = matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    calls || (span.op == Op::Other && remote)
}

fn attach(
    dataset: &mut Dataset,
    parent: &mut [SpanIx],
    root: SpanIx,
    to: SpanIx,
    rule: &str,
    confidence: f64,
) {
    parent[root as usize] = to;
    let (from, to) = (dataset.spans[root as usize], dataset.spans[to as usize]);
    let ids = (dataset.trace_of(&from), dataset.trace_of(&to));
    dataset
        .ledger
        .note(IssueKind::StitchedFragment, from.place, || {
            format!(
                "trace {} joined to trace {} (confidence {confidence}): {rule}",
                ids.0, ids.1
            )
        });
}
