//! Fragments that lost their trace and carry no link: joined by a parent id that was passed on, or by
//! a conversation and a call site that ran all the while. Each join names its rule.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use super::stitch::{SLACK, contains, leads_to};
use crate::model::{Dataset, IssueKind, Op, SpanId, SpanIx, SpanKind};
use crate::trace::NO_SPAN;
use crate::units::{Nanos, Sym};

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
    for (span, &above) in dataset.records.iter().zip(&*parent) {
        if above == NO_SPAN && span.parent.0 >= RANDOM {
            wanted.insert(span.parent, (0, NO_SPAN));
        }
    }
    if wanted.is_empty() {
        return Vec::new();
    }
    for (span, index) in dataset.records.iter().zip(0..) {
        if let Some((times, found)) = wanted.get_mut(&span.id) {
            (*times, *found) = (*times + 1, index);
        }
    }
    let mut joined = Vec::new();
    for index in 0..dataset.records.len() as SpanIx {
        let span = &dataset.records[index as usize];
        let found = match wanted.get(&span.parent) {
            Some(&(1, found)) if parent[index as usize] == NO_SPAN => found,
            _ => continue,
        };
        let other = dataset.records[found as usize].trace != span.trace;
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
    let named = traces.par_iter().filter_map(|trace| {
        let conversation = conversation(dataset, trace.clone())?;
        Some((conversation, trace.clone()))
    });
    let mut named: Vec<(Sym, Range<SpanIx>)> = named.collect();
    named.sort_by_key(|(conversation, _)| conversation.0);
    let mut joined = Vec::new();
    for traces in named
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|all| all.len() > 1)
    {
        let sites = Sites::of(dataset, traces.iter().map(|(_, trace)| trace.clone()));
        for (_, trace) in traces {
            let Some(root) = whole(dataset, parent, trace) else {
                continue;
            };
            let Some(site) = sites.only_around(dataset, root) else {
                continue;
            };
            if !leads_to(parent, site, root) {
                let rule = "it names the conversation and ran inside the only call that could have made it";
                attach(dataset, parent, root, site, rule, 0.8);
                joined.push(root);
            }
        }
    }
    joined
}

/// The root of a trace that lost nothing else.
fn whole(dataset: &Dataset, parent: &[SpanIx], trace: &Range<SpanIx>) -> Option<SpanIx> {
    let mut roots = trace.clone().filter(|&i| parent[i as usize] == NO_SPAN);
    let only = roots.next().filter(|_| roots.next().is_none())?;
    dataset.records[only as usize]
        .parent
        .is_none()
        .then_some(only)
}

/// Call sites of one conversation, by service.
struct Sites(HashMap<Sym, Vec<Site>, foldhash::fast::FixedState>);

struct Site {
    start: Nanos,
    span: SpanIx,
    /// The latest end of the sites up to here.
    latest: Nanos,
}

impl Sites {
    fn of(dataset: &Dataset, traces: impl Iterator<Item = Range<SpanIx>>) -> Self {
        let mut all = Self(HashMap::default());
        for i in traces.flatten().filter(|&i| is_call_site(dataset, i)) {
            let span = &dataset.records[i as usize];
            let service = dataset.resource_of(span).service;
            if dataset.names.known(service).is_some() {
                all.0.entry(service).or_default().push(Site {
                    start: span.start,
                    span: i,
                    latest: span.end,
                });
            }
        }
        for sites in all.0.values_mut() {
            sites.sort_by_key(|site| (site.start, site.span));
            let mut latest = Nanos::ZERO;
            for site in sites {
                latest = latest.max(site.latest);
                site.latest = latest;
            }
        }
        all
    }

    /// The one site of another service and trace that `root` ran inside.
    fn only_around(&self, dataset: &Dataset, root: SpanIx) -> Option<SpanIx> {
        let span = &dataset.records[root as usize];
        let service = dataset.resource_of(span).service;
        dataset.names.known(service)?;
        let others = self.0.iter().filter(|(of, _)| **of != service);
        let mut around = others.flat_map(|(_, sites)| {
            let before = sites.partition_point(|site| site.start <= span.start + SLACK);
            let open = sites[..before].iter().rev();
            let open = open.take_while(|site| site.latest + SLACK >= span.end);
            open.map(|site| site.span).filter(|&site| {
                dataset.records[site as usize].trace != span.trace && contains(dataset, site, root)
            })
        });
        around.next().filter(|_| around.next().is_none())
    }
}

/// The conversation of a trace, when it names exactly one.
pub(in crate::trace) fn conversation(dataset: &Dataset, trace: Range<SpanIx>) -> Option<Sym> {
    let mut found = None;
    for i in trace {
        let span = &dataset.records[i as usize];
        let call = span.call.get().filter(|_| span.op.is_model());
        let task = dataset.task_of(span).map(|task| task.conversation);
        let said = task.or_else(|| dataset.llm.conversation(call?));
        let Some(said) = said.filter(|said| dataset.names.known(*said).is_some()) else {
            continue;
        };
        match found {
            Some(known) if known != said => return None,
            _ => found = Some(said),
        }
    }
    found
}

/// A span that may have called another service, with nothing recorded below it that would tell.
pub(in crate::trace) fn is_call_site(dataset: &Dataset, i: SpanIx) -> bool {
    let span = &dataset.records[i as usize];
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
    let (from, to) = (dataset.records[root as usize], dataset.records[to as usize]);
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
