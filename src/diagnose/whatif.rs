//! What would have been without an incident: its requests replayed with only the time taken out that its
//! cause added, and the tokens that would not have been spent.

use super::Cause;
use super::account::{Account, Target};
use super::scene::Scene;
use super::verdict::account;
use crate::model::SpanIx;
use crate::trace::{StepKind, replay};
use crate::units::{Nanos, Usd};

/// An incident's requests, had its cause not been there.
#[derive(Clone, Debug, Default)]
pub struct Without {
    /// How long each would have taken, in the order of the incident's requests. The path is recomputed:
    /// work that had waited for what was slow starts earlier, and what ran beside it does not.
    pub durations: Vec<Nanos>,
    /// What the tokens below would have cost, where priced.
    pub saved: Option<Usd>,
    /// Tokens that would not have been spent, or would have come from a cache.
    pub spared: Vec<Spared>,
}

/// What one model call would have spent less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Spared {
    /// The call's span.
    pub span: SpanIx,
    /// What of it.
    pub tokens: SparedTokens,
}

/// Which tokens of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SparedTokens {
    /// All: there would have been no such call.
    Call,
    /// So many prompt tokens.
    Input(u64),
    /// So many prompt tokens would have come from a cache.
    Cached(u64),
    /// So many generated tokens.
    Output(u64),
}

/// One request without what its cause added: how long it would have taken, and what it would have spared.
pub type OfRequest = (Nanos, Vec<Spared>);

pub(super) fn of_request(scene: &Scene<'_>, request: u32, cause: Cause) -> Option<OfRequest> {
    let account = account(scene, request)?;
    let own = &scene.forest.requests[request as usize];
    let cuts = account.cuts(own, Some(cause));
    let duration = replay(scene.forest, own, &cuts).min(own.duration());
    Some((duration, spared(scene, request, &account, cause)))
}

impl Without {
    /// Of an incident, from those of its requests.
    pub(super) fn over(requests: impl Iterator<Item = OfRequest>) -> Self {
        let mut without = Self::default();
        for (duration, spared) in requests {
            without.durations.push(duration);
            without.spared.extend(spared);
        }
        without
    }
}

fn spared(scene: &Scene<'_>, request: u32, account: &Account, cause: Cause) -> Vec<Spared> {
    let first = scene.forest.requests[request as usize].ops.start;
    let mut calls: Vec<usize> = Vec::new();
    let mut list = Vec::new();
    for charge in account.charges.iter().filter(|c| c.cause == cause) {
        let Target::Op(position) = charge.target else {
            continue;
        };
        if calls.contains(&position) {
            continue;
        }
        calls.push(position);
        let op = first + position as u32;
        if let Some(tokens) = of_call(scene, op, cause, charge.proof.fact) {
            let span = scene.forest.ops[op as usize].span;
            list.push(Spared { span, tokens });
        }
    }
    list
}

fn of_call(scene: &Scene<'_>, op: u32, cause: Cause, fact: &str) -> Option<SparedTokens> {
    let kind = scene.forest.ops[op as usize].kind;
    let seen = || Some(scene.seen(scene.calls.of(op)?.0));
    let count = |tokens: f64| tokens.max(0.0).round() as u64;
    match cause {
        Cause::RetryCascade | Cause::ProviderError => {
            let is_repeat = kind == StepKind::Model && fact == "repeated_round";
            (is_repeat || kind == StepKind::Failed).then_some(SparedTokens::Call)
        }
        Cause::LongGeneration => {
            let extra = seen()?.long()?;
            Some(SparedTokens::Output(count(extra.observed - extra.usual)))
        }
        Cause::PrefillSurge => {
            let extra = seen()?.surge()?;
            Some(SparedTokens::Input(count(extra.observed - extra.usual)))
        }
        Cause::ColdCache => {
            let extra = seen()?.cold()?;
            Some(SparedTokens::Cached(count(extra.usual - extra.observed)))
        }
        _ => None,
    }
}
