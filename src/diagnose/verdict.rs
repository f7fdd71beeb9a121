//! From fits to verdicts: three passes, each leaving out of the fits what the one before found faulted.

use std::convert::Infallible;
use std::ops::Range;

use rayon::prelude::*;

use super::account::{Account, Settlement};
use super::causes::LOOKS;
use super::faults::{self, Faults};
use super::ground::{Ground, Survey};
use super::scene::{Found, Kept, Scene};
use super::{
    Cause, Diagnosis, Incident, Judged, Options, Remarks, arbiter, conclude, margin, whatif,
};
use crate::baseline::{Baselines, Excluded, Norms};
use crate::model::Dataset;
use crate::trace::{Forest, Request, RootState};
use crate::units::Nanos;

/// A third pass changes little, a fifth nothing.
const PASSES: usize = 3;
/// Passes end when no more than this share of operations is left out, or no longer left out, by the next.
const SETTLED: f64 = 0.001;
/// A later pass that would leave fewer requests than this to learn from leaves out what the one before did.
const LEAST_HEALTHY: usize = 12;

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

/// Learns what is normal from what was measured. Of `dataset` no spans and no facts of calls are looked at: they may
/// have been put away meanwhile.
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
    let Passes {
        base,
        found,
        notes,
        clear,
        kept,
    } = passes;
    let scene = Scene::after(&ground, &base, options, kept, found);
    let limit = slow_limit(forest, options);
    let all = forest.requests.len() as u32;
    for start in (0..all).step_by(count.max(1)) {
        let end = all.min(start.saturating_add(u32::try_from(count).unwrap_or(u32::MAX)));
        keep(judge(&scene, &clear, start..end, limit))?;
    }
    Ok(remarks(&ground, notes))
}

/// What the passes before the last say.
pub(super) struct Passes {
    /// What is normal, without what was found faulted.
    pub(super) base: Baselines,
    /// What they found in other requests.
    pub(super) found: Found,
    /// What is to be said about it.
    pub(super) notes: Vec<String>,
    /// Requests that are charged nothing by it, where that is known already.
    pub(super) clear: Vec<bool>,
    /// What the last of them saw, where that was by the same prices.
    pub(super) kept: Option<Kept>,
}

/// Learns in passes, each leaving out what the one before found faulted, until that hardly changes.
pub(super) fn learn_from(ground: &Ground<'_>, options: &Options) -> Passes {
    let forest = ground.forest;
    let mut excluded = faults::known(ground);
    let mut found = Found::default();
    let mut notes = Vec::new();
    for pass in 1..PASSES {
        let base = normal(ground, &excluded);
        let scene = Scene::new(ground, &base, options, found);
        let requests = (0..forest.requests.len() as u32).into_par_iter();
        let faults: Vec<Faults> = requests.map(|r| Faults::of(&scene, r)).collect();
        notes.clear();
        let next = faults::exclude(ground, &faults, &excluded, &mut notes);
        // A fit that rests on too few is worse than one with some faults in it.
        let thin = |excluded: &Excluded| faults::healthy(forest, excluded) < LEAST_HEALTHY;
        let keeps = pass > 1 && thin(&next) && !thin(&excluded);
        let settled = SETTLED * forest.ops.len() as f64;
        if !keeps && next.changed(&excluded) as f64 <= settled {
            let (kept, proven) = scene.keep();
            let witnesses = faults::witnesses(forest, &faults);
            return Passes {
                base,
                found: Found { proven, witnesses },
                notes,
                clear: faults.iter().map(|faults| faults.clear).collect(),
                kept: Some(kept),
            };
        }
        found = Found {
            proven: faults::proven(&scene, &faults),
            witnesses: faults::witnesses(forest, &faults),
        };
        if !keeps {
            excluded = next;
        }
    }
    Passes {
        base: normal(ground, &excluded),
        found,
        notes,
        clear: Vec::new(),
        kept: None,
    }
}

/// What is normal, by what is not `excluded` and by the healthy period.
fn normal(ground: &Ground<'_>, excluded: &Excluded) -> Baselines {
    let mut base = Baselines::learn(ground.forest, &ground.measured, excluded);
    if let Some(healthy) = &ground.healthy {
        base.prefer(healthy, &ground.measured.calls, excluded);
    }
    base
}

/// What the reader must know about where normal came from.
pub(super) fn remarks(ground: &Ground<'_>, notes: Vec<String>) -> Remarks {
    match ground.healthy {
        Some(_) => Remarks {
            normal: ground.told.clone(),
            ..Remarks::default()
        },
        None => Remarks {
            normal: notes,
            by_itself: true,
            contrast: no_contrast(ground.forest),
        },
    }
}

/// With fewer finished requests than this nothing can be compared.
pub(super) const LEAST_REQUESTS: usize = 4;
/// A dump shorter than this many usual requests shows no before and no after.
const LEAST_TASKS_LONG: f64 = 5.0;

/// From so many requests on, one kind of task is worth a word.
const LEAST_COMPARED: usize = 12;

/// Kinds of tasks among the requests that can be compared.
fn kinds(forest: &Forest) -> usize {
    let whole = forest.requests.iter();
    let whole = whole.filter(|r| r.root_state == RootState::Complete && !r.ops.is_empty());
    let kinds: hashbrown::HashSet<_> = whole.map(|r| r.kind).collect();
    kinds.len()
}

/// Requests that can be compared with each other.
pub(super) fn comparable(forest: &Forest) -> usize {
    let whole = |r: &&Request| r.root_state == RootState::Complete && !r.ops.is_empty();
    forest.requests.iter().filter(whole).count()
}

/// Why nothing, or little, in this dump can be told from normal.
fn no_contrast(forest: &Forest) -> Option<String> {
    let n = comparable(forest);
    if n == 0 {
        return None;
    }
    if n < LEAST_REQUESTS {
        return Some(format!(
            "Only {n} finished request(s): too few to learn what is normal from, so only failures and repeats can be told. More traces, or a baseline of a healthy period, would decide."
        ));
    }
    let whole = forest
        .requests
        .iter()
        .filter(|r| r.root_state == RootState::Complete);
    if n >= LEAST_COMPARED && kinds(forest) == 1 {
        return Some("All requests are of one kind of task and were held against each other: whether that kind is slow as such cannot be told. A baseline of a healthy period would decide.".to_owned());
    }
    let (mut start, mut end, mut lengths) = (Nanos(u64::MAX), Nanos::ZERO, Vec::new());
    for r in whole {
        start = start.min(r.wall.start);
        end = end.max(r.wall.end);
        lengths.push(r.duration().as_millis());
    }
    let usual = crate::stats::median(&mut lengths)?;
    (end.since(start).as_millis() < LEAST_TASKS_LONG * usual).then(|| "This dump is hardly longer than its requests: it shows no before and no after, so a slowness that lasted throughout cannot be told from normal. Traces of a longer period, or a baseline of a healthy one, would decide.".to_owned())
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
