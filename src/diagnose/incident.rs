//! Requests slow for the same cause, in the same place, close in time: one incident, which is what a
//! post-mortem names.

use super::{Cause, Diagnosis, Incident};
use crate::baseline::Map;
use crate::model::Dataset;
use crate::trace::Forest;
use crate::units::{Nanos, Sym, Window};

/// Requests further apart than this, from the end of one to the start of the next, are two incidents.
pub(super) const APART: Nanos = Nanos(120_000_000_000);
/// An incident is taken to have begun before its first request by no more than this.
const EARLIER: Nanos = Nanos(APART.0 / 2);
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
    let mut incidents: Vec<(Incident, Vec<Nanos>)> = Vec::new();
    for r in requests {
        let (wall, diagnosis) = (forest.requests[r as usize].wall, &diagnoses[r as usize]);
        let shown = shown(dataset, wall, diagnosis);
        match incidents.last_mut() {
            Some((open, all)) if wall.start <= open.window.end + APART => {
                open.window.start = open.window.start.min(shown);
                open.window.end = open.window.end.max(wall.end);
                open.requests.push(r);
                open.excess += diagnosis.excess;
                all.push(shown);
            }
            _ => {
                let incident = Incident {
                    cause,
                    scope,
                    scope_kind,
                    onset: shown,
                    window: Window {
                        start: shown,
                        end: wall.end,
                    },
                    requests: vec![r],
                    excess: diagnosis.excess,
                    cost: None,
                    without: None,
                };
                incidents.push((incident, vec![shown]));
            }
        }
    }
    let whole = incidents.into_iter().filter(|(_, all)| all.len() >= LEAST);
    let dated = whole.map(|(incident, all)| Incident {
        onset: onset(&all),
        ..incident
    });
    dated.collect()
}

/// When a disturbance most likely began that showed at these times: before the first of them, by the usual distance
/// between two. Of all unbiased estimates of where evenly spread times begin this one errs least (Goodman, "Serial
/// Number Analysis", 1952).
fn onset(shown: &[Nanos]) -> Nanos {
    let first = shown.iter().min().copied().unwrap_or_default();
    let last = shown.iter().max().copied().unwrap_or_default();
    let steps = shown.len().saturating_sub(1).max(1) as u64;
    first - Nanos(last.since(first).0 / steps).min(EARLIER)
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
fn shown(dataset: &Dataset, wall: Window, diagnosis: &Diagnosis) -> Nanos {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(times: &[u64]) -> u64 {
        let times: Vec<Nanos> = times.iter().map(|s| Nanos(s * 1_000_000_000)).collect();
        onset(&times).0 / 1_000_000_000
    }

    #[test]
    fn it_began_before_the_first_by_the_usual_distance() {
        assert_eq!(seconds(&[1_020, 1_000, 1_040]), 980);
        assert_eq!(seconds(&[1_000, 1_001, 1_002, 1_003]), 999);
        assert_eq!(seconds(&[1_000, 1_000]), 1_000);
    }

    #[test]
    fn but_not_long_before() {
        assert_eq!(seconds(&[1_000, 1_100]), 940);
        assert_eq!(seconds(&[10, 100]), 0);
    }
}
