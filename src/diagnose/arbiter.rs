//! From a settled account to a verdict: the largest entry, how sure it is, who lost and why, and which
//! signals were missing.

use super::account::{Account, Proof, Settlement};
use super::scene::Scene;
use super::{Cause, Claim, Diagnosis, Evidence, Fact, Outcome, confidence, missing};
use crate::units::Nanos;

/// Facts kept per claim of a slow request; of others, the strongest alone.
const FACTS: usize = 4;

/// A request that cannot be judged: it never ended, shows no operations, or is a stranger's.
pub(super) fn not_judged(scene: &Scene<'_>, request: u32) -> Diagnosis {
    let r = &scene.forest.requests[request as usize];
    let missing = if r.ops.is_empty() {
        vec!["model and tool calls"]
    } else if scene.is_stranger(request) {
        vec!["client side of the call"]
    } else {
        vec!["end of the request's root span"]
    };
    untold(request, missing)
}

/// A request without failures or repeats in a dump of so few that nothing else can be told.
pub(super) fn not_comparable(request: u32) -> Diagnosis {
    untold(request, vec!["other requests to compare with"])
}

fn untold(request: u32, missing: Vec<&'static str>) -> Diagnosis {
    Diagnosis {
        request,
        expected: None,
        excess: Nanos::ZERO,
        slow: false,
        primary: None,
        confidence: 0.0,
        claims: Vec::new(),
        considered: Vec::new(),
        missing,
    }
}

/// The full verdict.
pub(super) fn diagnosis(
    scene: &Scene<'_>,
    request: u32,
    account: &Account,
    settlement: Settlement,
    slow: bool,
) -> Diagnosis {
    let claims: Vec<Claim> = settlement
        .entries
        .iter()
        .filter_map(|&(cause, explains)| {
            Some(Claim {
                cause,
                explains,
                evidence: evidence(scene, account, cause, if slow { FACTS } else { 1 })?,
            })
        })
        .collect();
    let primary = slow.then(|| claims.first().map_or(Cause::Unexplained, |c| c.cause));
    let missing = if slow {
        missing::signals(scene, request, primary)
    } else {
        Vec::new()
    };
    let confidence = if slow {
        confidence::of(scene, request, account, &settlement, &missing)
    } else {
        0.0
    };
    let considered = if slow {
        rivals(scene, request, account, &claims)
    } else {
        Vec::new()
    };
    Diagnosis {
        request,
        expected: Some(settlement.expected),
        excess: settlement.excess,
        slow,
        primary,
        confidence,
        claims,
        considered,
        missing,
    }
}

/// The strongest proofs of a cause, by milliseconds charged.
fn evidence(scene: &Scene<'_>, account: &Account, cause: Cause, most: usize) -> Option<Evidence> {
    let mut charges: Vec<_> = account
        .charges
        .iter()
        .enumerate()
        .filter(|(_, c)| c.cause == cause)
        .collect();
    charges.sort_by(|a, b| b.1.millis.total_cmp(&a.1.millis).then(a.0.cmp(&b.0)));
    let mut facts = charges
        .into_iter()
        .take(most)
        .map(|(_, c)| fact(scene, &c.proof));
    let first = facts.next()?;
    let mut rest: Vec<Fact> = facts.collect();
    if cause == Cause::NoisyNeighbour && most > 1 {
        let span = first
            .span
            .and_then(|s| Some((s, scene.dataset.spans.get(s as usize)?)));
        let devices = span.map(|(at, span)| {
            let region = scene.dataset.resource_of(span).region;
            scene.devices.facts(at, span.window(), region)
        });
        rest.extend(devices.into_iter().flatten());
    }
    Some(Evidence { first, rest })
}

/// A proof in words. The span's name says which tool or call is meant.
fn fact(scene: &Scene<'_>, proof: &Proof) -> Fact {
    let name = proof
        .span
        .map(|s| scene.dataset.text(scene.dataset.spans[s as usize].name))
        .unwrap_or_default();
    let note = if name.is_empty() {
        proof.note.to_owned()
    } else {
        format!("{name}: {}", proof.note)
    };
    Fact {
        span: proof.span,
        fact: proof.fact,
        observed: proof.observed,
        expected: proof.expected,
        unit: proof.unit,
        via: proof.via,
        note,
    }
}

/// Every other cause: what it explains, what spoke against it, or what is missing to tell.
fn rivals(scene: &Scene<'_>, request: u32, account: &Account, claims: &[Claim]) -> Vec<Outcome> {
    let winner = claims.first().map(|c| c.cause);
    Cause::ALL
        .into_iter()
        .filter(|c| Some(*c) != winner && *c != Cause::Unexplained)
        .filter_map(|cause| match claims.iter().find(|c| c.cause == cause) {
            Some(claim) => Some(Outcome::Holds(claim.clone())),
            None => missing::outcome(scene, request, account, cause),
        })
        .collect()
}
