//! Requests slow for the same cause, in the same place, close in time: one incident, which is what a
//! post-mortem names.

use super::{Cause, Diagnosis, Incident};
use crate::baseline::Map;
use crate::model::Dataset;
use crate::trace::Forest;
use crate::units::{Nanos, Sym, Window};

/// Requests further apart than this, from the end of one to the start of the next, are two incidents.
pub(super) const APART: Nanos = Nanos(120_000_000_000);
/// One request alone is not an incident.
const LEAST: usize = 2;

/// Kind of the scope of what befalls agents, before it is known whose.
const ANY_AGENT: &str = "all";

/// Groups slow requests into incidents, the costliest first.
pub(super) fn group(dataset: &Dataset, forest: &Forest, diagnoses: &[Diagnosis]) -> Vec<Incident> {
    let mut groups: Map<(Cause, Sym), (&'static str, Vec<u32>)> = Map::default();
    for d in diagnoses.iter().filter(|d| d.slow) {
        let Some(cause) = d.primary.filter(|c| *c != Cause::Unexplained) else {
            continue;
        };
        let (scope_kind, scope) = scope(dataset, forest, d, cause);
        groups
            .entry((cause, scope))
            .or_insert((scope_kind, Vec::new()))
            .1
            .push(d.request);
    }
    let mut incidents: Vec<Incident> = groups
        .into_iter()
        .flat_map(|((cause, scope), (kind, requests))| {
            split(dataset, forest, diagnoses, cause, (kind, scope), requests)
        })
        .collect();
    for incident in &mut incidents {
        narrow(forest, incident);
    }
    incidents.sort_by_key(|i| {
        (
            std::cmp::Reverse(i.excess),
            i.window.start,
            i.cause,
            i.requests.first().copied(),
        )
    });
    incidents
}

/// Requests are in order of start; a long enough silence starts a new incident.
fn split(
    dataset: &Dataset,
    forest: &Forest,
    diagnoses: &[Diagnosis],
    cause: Cause,
    (scope_kind, scope): (&'static str, Sym),
    requests: Vec<u32>,
) -> Vec<Incident> {
    let mut incidents: Vec<Incident> = Vec::new();
    for r in requests {
        let (wall, excess) = (
            forest.requests[r as usize].wall,
            diagnoses[r as usize].excess,
        );
        match incidents.last_mut() {
            Some(open) if wall.start <= open.window.end + APART => {
                open.window.start =
                    open.window
                        .start
                        .min(onset(dataset, wall, &diagnoses[r as usize]));
                open.window.end = open.window.end.max(wall.end);
                open.requests.push(r);
                open.excess += excess;
            }
            _ => incidents.push(Incident {
                cause,
                scope,
                scope_kind,
                window: Window {
                    start: onset(dataset, wall, &diagnoses[r as usize]),
                    end: wall.end,
                },
                requests: vec![r],
                excess,
                cost: None,
                without: None,
            }),
        }
    }
    incidents.retain(|i| i.requests.len() >= LEAST);
    incidents
}

/// What befell the agents of one service alone is that service's.
fn narrow(forest: &Forest, incident: &mut Incident) {
    let service = |r: &u32| forest.requests[*r as usize].service;
    let mut services = incident.requests.iter().map(service);
    if incident.scope_kind == ANY_AGENT
        && let Some(first) = services.next()
        && services.all(|service| service == first)
    {
        (incident.scope_kind, incident.scope) = ("service", first);
    }
}

/// When the cause first showed in a request: the start of the earliest span its claim cites. A request
/// that was under way for a minute when the disturbance began does not date it.
fn onset(dataset: &Dataset, wall: Window, diagnosis: &Diagnosis) -> Nanos {
    let cited = diagnosis
        .claims
        .first()
        .into_iter()
        .flat_map(|c| c.evidence.iter());
    let starts = cited.filter_map(|f| Some(dataset.spans[f.span? as usize].start));
    starts.min().unwrap_or(wall.start).max(wall.start)
}

/// What an incident of this cause is about: the tool, the address, the region, the model, or whatever agents there are.
fn scope(dataset: &Dataset, forest: &Forest, d: &Diagnosis, cause: Cause) -> (&'static str, Sym) {
    let span = d.claims.first().and_then(|c| c.evidence.first.span);
    let call = span.and_then(|s| dataset.llm_of(&dataset.spans[s as usize]));
    let request = &forest.requests[d.request as usize];
    let lane = forest.lanes.get(request.lanes.start as usize);
    let region = lane.map_or(Sym::NONE, |lane| lane.region);
    let endpoint = call.map_or(Sym::NONE, |call| call.endpoint);
    let model = call.map_or(Sym::NONE, |call| call.model());
    let service = request.service;
    let first = |places: &[(&'static str, Sym)]| {
        let known = places.iter().find(|(_, name)| !name.is_none());
        known.copied().unwrap_or(("service", service))
    };
    match cause {
        Cause::ToolBottleneck => {
            let tool = span
                .map(|s| &dataset.spans[s as usize])
                .map_or(Sym::NONE, |s| {
                    dataset.tool_of(s).map_or(s.name, |t| t.tool.or(s.name))
                });
            ("tool", tool)
        }
        Cause::NoisyNeighbour | Cause::RoutingChange => {
            first(&[("endpoint", endpoint), ("region", region), ("model", model)])
        }
        Cause::ProviderError | Cause::RetryCascade => {
            first(&[("endpoint", endpoint), ("model", model)])
        }
        _ => (ANY_AGENT, Sym::NONE),
    }
}
