//! From what was measured and learned to a verdict over each request.

use std::convert::Infallible;
use std::ops::Range;

use rayon::prelude::*;

use super::account::{Account, Settlement};
use super::causes::LOOKS;
use super::contrast::{LEAST_REQUESTS, remarks};
use super::ground::{Ground, Survey};
use super::passes::{Passes, learn_from};
use super::scene::Scene;
use super::{
    Cause, Diagnosis, Incident, Judged, Options, Remarks, arbiter, conclude, margin, whatif,
};
use crate::baseline::Norms;
use crate::model::Dataset;
use crate::trace::{Forest, RootState};
use crate::units::Nanos;

/// Everything the diagnosis says.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// One per request, in the order of [`Forest::requests`].
    pub diagnoses: Vec<Diagnosis>,
    /// Disturbances over many requests.
    pub incidents: Vec<Incident>,
    /// What the reader must know about the dump as a whole.
    pub notes: Vec<String>,
}

/// Diagnoses every request of `forest`.
#[must_use]
pub fn diagnose(dataset: &Dataset, forest: &Forest, options: &Options) -> Verdicts {
    diagnose_against(dataset, forest, options, None)
}

/// The same, with what is normal taken from a healthy period as far as that tells.
#[must_use]
pub fn diagnose_against(
    dataset: &Dataset,
    forest: &Forest,
    options: &Options,
    norms: Option<&Norms>,
) -> Verdicts {
    let mut all = Judged::default();
    let all_at_once = forest.requests.len();
    let survey = survey(dataset, forest, options, norms);
    let learned = learn(dataset, forest, survey, options);
    let remarks = judge_all(dataset, forest, (learned, options), all_at_once, |judged| {
        all.absorb(judged);
        Ok::<_, Infallible>(())
    });
    match remarks {
        Ok(remarks) => conclude(dataset, forest, all, remarks),
        Err(never) => match never {},
    }
}

/// Measures what judging needs, and what a healthy period says of it.
#[must_use]
pub fn survey(
    dataset: &Dataset,
    forest: &Forest,
    options: &Options,
    norms: Option<&Norms>,
) -> Survey {
    let survey = Survey::of(dataset, forest);
    match norms {
        Some(norms) => survey.against((dataset, forest), norms, options),
        None => survey,
    }
}

/// What is normal, and all else that requests are judged by.
pub struct Learned {
    survey: Survey,
    passes: Passes,
}

/// Learns what is normal from what was measured. Of `dataset` no facts of calls are looked at: they may have been
/// put away, until all requests are judged.
#[must_use]
pub fn learn(dataset: &Dataset, forest: &Forest, survey: Survey, options: &Options) -> Learned {
    let ground = Ground {
        dataset,
        forest,
        survey,
    };
    let passes = learn_from(&ground, options);
    Learned {
        survey: ground.survey,
        passes,
    }
}

/// Judges every request and hands verdicts over as they are reached, of `count` requests at a time and in order, so that
/// few of them need be held; [`conclude`] takes all of them together with the answer.
///
/// # Errors
/// As `keep`.
pub fn judge_all<E>(
    dataset: &Dataset,
    forest: &Forest,
    (learned, options): (Learned, &Options),
    count: usize,
    mut keep: impl FnMut(Judged) -> Result<(), E>,
) -> Result<Remarks, E> {
    let Learned { survey, passes } = learned;
    let ground = Ground {
        dataset,
        forest,
        survey,
    };
    let scene = Scene::after(&ground, &passes.base, options, passes.kept, passes.found);
    let limit = slow_limit(forest, options);
    let all = forest.requests.len() as u32;
    for start in (0..all).step_by(count.max(1)) {
        let end = all.min(start.saturating_add(u32::try_from(count).unwrap_or(u32::MAX)));
        keep(judge(&scene, &passes.clear, start..end, limit))?;
    }
    Ok(remarks(&ground, passes.notes))
}

/// A request without an end, or without operations, has nothing to be held against; a stranger's call is
/// company and not judged.
pub(super) fn is_judged(scene: &Scene<'_>, request: u32) -> bool {
    let r = &scene.forest.requests[request as usize];
    r.root_state != RootState::Unfinished && !r.ops.is_empty() && !scene.is_stranger(request)
}

/// All charges against a request; `None` where it cannot be judged.
pub(super) fn account(scene: &Scene<'_>, request: u32) -> Option<Account> {
    let mut account = Account::default();
    is_judged(scene, request).then(|| {
        for look in LOOKS {
            look(scene, request, &mut account);
        }
        account
    })
}

/// The verdicts over some requests of a scene; those that are `clear` are charged nothing, and only those that took as
/// long as `limit` are slow, if there is one.
pub(super) fn judge(
    scene: &Scene<'_>,
    clear: &[bool],
    requests: Range<u32>,
    limit: Option<Nanos>,
) -> Judged {
    let judge = |request: u32| match clear.get(request as usize) {
        Some(true) => judge_by(scene, request, Some(Account::default())),
        _ => judge_by(scene, request, account(scene, request)),
    };
    let mut diagnoses: Vec<Diagnosis> = requests.into_par_iter().map(judge).collect();
    if let Some(limit) = limit {
        keep_slowest(scene.forest, &mut diagnoses, limit);
    }
    let slow = diagnoses.par_iter().filter(|d| d.slow);
    let without = slow.filter_map(|d| {
        let cause = d.primary.filter(|cause| *cause != Cause::Unexplained)?;
        Some((d.request, whatif::of_request(scene, d.request, cause)?))
    });
    Judged {
        without: without.collect(),
        diagnoses,
    }
}

fn judge_by(scene: &Scene<'_>, request: u32, account: Option<Account>) -> Diagnosis {
    let r = &scene.forest.requests[request as usize];
    let Some(account) = account else {
        return arbiter::not_judged(scene, request);
    };
    if account.charges.is_empty() && scene.comparable < LEAST_REQUESTS {
        return arbiter::not_comparable(request);
    }
    let settlement = account.settle(scene.forest, r);
    let slow = is_slow(scene, request, &account, &settlement);
    arbiter::diagnosis(scene, request, &account, settlement, slow)
}

/// Excess from which a request is slow, milliseconds, before any margin.
pub(super) fn threshold(options: &Options, settlement: &Settlement) -> f64 {
    ((options.slow_factor - 1.0) * settlement.expected.as_millis()).max(options.floor())
}

pub(super) fn is_slow(
    scene: &Scene<'_>,
    request: u32,
    account: &Account,
    settlement: &Settlement,
) -> bool {
    exceeds(scene, request, account, settlement, margin::of)
}

/// True where it would be slow if others bore it out.
pub(super) fn would_be_slow(
    scene: &Scene<'_>,
    request: u32,
    account: &Account,
    settlement: &Settlement,
) -> bool {
    exceeds(scene, request, account, settlement, margin::if_witnessed)
}

fn exceeds(
    scene: &Scene<'_>,
    request: u32,
    account: &Account,
    settlement: &Settlement,
    margin: fn(&Scene<'_>, u32, &Account, Cause) -> f64,
) -> bool {
    let options = scene.options;
    let wall = scene.forest.requests[request as usize].duration();
    if let Some(over) = options.slow_over {
        return wall >= over;
    }
    let Some((cause, _)) = settlement.entries.first() else {
        return false;
    };
    let margin = margin(scene, request, account, *cause);
    settlement.excess.as_millis() >= threshold(options, settlement) * margin
}

/// `--slow-top`: the duration from which on a request is among the slowest share.
pub(super) fn slow_limit(forest: &Forest, options: &Options) -> Option<Nanos> {
    let share = options.slow_top?;
    let durations = forest.requests.iter().map(crate::trace::Request::duration);
    let mut durations: Vec<Nanos> = durations.collect();
    durations.sort_unstable_by(|a, b| b.cmp(a));
    let count = (share.clamp(0.0, 1.0) * durations.len() as f64).ceil() as usize;
    durations.get(count.checked_sub(1)?).copied()
}

/// Only what took as long as `limit` counts as slow.
pub(super) fn keep_slowest(forest: &Forest, diagnoses: &mut [Diagnosis], limit: Nanos) {
    for d in diagnoses {
        d.slow = forest.requests[d.request as usize].duration() >= limit;
        d.primary = if d.slow {
            d.claims
                .first()
                .map(|c| c.cause)
                .or(Some(Cause::Unexplained))
        } else {
            None
        };
    }
}
