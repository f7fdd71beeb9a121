//! Verdicts over one part of the requests, with what was learned over all of them; and what is said about all of them
//! once each part is judged.

use serde::{Deserialize, Serialize};

use super::crowd::Crowd;
use super::ground::{Ground, Survey, numbered_sites, open, places, served};
use super::overtaken::Overtaken;
use super::proven::Proven;
use super::releases::Releases;
use super::routes::{Homes, Routes};
use super::scene::{Found, Known, Scene, company_limit};
use super::shared::{Own, Shared};
use super::verdict::judge;
use super::whatif::OfRequest;
use super::windows::Windows;
use super::witnesses::Witnesses;
use super::{Diagnosis, Outcome, Remarks, Verdicts, Without, incident};
use crate::baseline::{Idle, Map, Measured};
use crate::model::{Dataset, SpanIx, extend};
use crate::trace::{Forest, Repeats};

/// Verdicts over the requests of one part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Judged {
    /// One per request.
    pub diagnoses: Vec<Diagnosis>,
    /// What requests would have been without their cause.
    pub without: Vec<(u32, OfRequest)>,
}

impl Judged {
    /// The same with other numbers for its requests and spans.
    pub fn renumber(&mut self, request: impl Fn(u32) -> u32, span: impl Fn(SpanIx) -> SpanIx) {
        for diagnosis in &mut self.diagnoses {
            diagnosis.request = request(diagnosis.request);
            let held = diagnosis
                .considered
                .iter_mut()
                .filter_map(|outcome| match outcome {
                    Outcome::Holds(claim) => Some(claim),
                    _ => None,
                });
            let claims = diagnosis.claims.iter_mut().chain(held);
            let facts = claims.flat_map(|claim| {
                std::iter::once(&mut claim.evidence.first).chain(&mut claim.evidence.rest)
            });
            facts.for_each(|fact| fact.span = fact.span.map(&span));
            for outcome in &mut diagnosis.considered {
                if let Outcome::Refuted(_, fact) = outcome {
                    fact.span = fact.span.map(&span);
                }
            }
        }
        for (of, (_, spared)) in &mut self.without {
            *of = request(*of);
            spared
                .iter_mut()
                .for_each(|spared| spared.span = span(spared.span));
        }
    }

    /// Takes in the verdicts of another part.
    pub fn absorb(&mut self, other: Self) {
        extend(&mut self.diagnoses, other.diagnoses);
        extend(&mut self.without, other.without);
    }
}

/// Judges the requests of one part. The names of `shared` must be the first ones of `dataset`.
#[must_use]
pub fn judge_part(dataset: &Dataset, forest: &Forest, shared: Shared, own: Own) -> Judged {
    let options = shared.rule;
    let mut base = shared.base;
    base.cache.set_idle_times(Idle::among_others(own.idle));
    let measured = Measured::numbered(dataset, forest, shared.tools, shared.pauses);
    let mut sites = shared.sites;
    let survey = Survey {
        served: served(dataset, &measured.calls),
        open: open(dataset, forest),
        told: Vec::new(),
        sites: numbered_sites(&measured.calls, &mut sites),
        places: places(&sites),
        servers: own.servers.into_iter().collect(),
        homes: Homes::by(&measured.calls, shared.homes.into_iter().collect()),
        crowd: Crowd {
            others: own.crowd.into_iter().collect(),
            usual: shared.usual_crowd,
        },
        shows_clients: shared.shows_clients,
        comparable: shared.comparable,
        modelled: shared.modelled.into_iter().collect(),
        serving: shared.serving,
        devices: shared.devices,
        repeats: Repeats::find(dataset, forest),
        failures: shared.failures,
        healthy: None,
        swing: shared.swing,
        warned: forest.warned.clone(),
        numbers: Some(own.requests),
        measured,
    };
    let ground = Ground {
        dataset,
        forest,
        survey,
    };
    let company_limit = company_limit(&ground, &base);
    let [of_op, of_gap] = own.released.map(|list| list.into_iter().collect());
    let scene = Scene::apart(
        &ground,
        &base,
        &options,
        Known {
            windows: Windows::of(shared.windows.0, &shared.windows.1, company_limit),
            routes: Routes {
                homes: &ground.homes,
                extra: shared.extra.into_iter().collect(),
            },
            releases: Releases { of_op, of_gap },
            giants: shared.giants,
            holes: shared.holes,
            losses: shared.losses,
            overtaken: Overtaken(own.overtaken.into_iter().collect()),
            found: Found {
                proven: Proven(own.proven.into_iter().collect()),
                witnesses: Witnesses(own.witnesses),
            },
        },
    );
    let all = 0..forest.requests.len() as u32;
    judge(&scene, &own.clear, all, shared.slow_limit)
}

/// Everything the diagnosis says, once every request is judged; `judged` counts requests and spans as `forest` does.
#[must_use]
pub fn conclude(dataset: &Dataset, forest: &Forest, judged: Judged, remarks: Remarks) -> Verdicts {
    let Judged {
        mut diagnoses,
        without,
    } = judged;
    diagnoses.sort_unstable_by_key(|diagnosis| diagnosis.request);
    let mut without: Map<u32, OfRequest> = without.into_iter().collect();
    let mut incidents = incident::group(dataset, forest, &diagnoses);
    for incident in &mut incidents {
        let own = incident.requests.iter();
        let own = own.filter_map(|request| without.remove(request));
        incident.without = Some(Without::over(own));
    }
    Verdicts {
        notes: remarks.with(&diagnoses),
        diagnoses,
        incidents,
    }
}
