//! How much more than the threshold a verdict must show.

use super::Cause;
use super::account::{
    Account, LONE_SLOWDOWN, LOST_TOGETHER, REQUEST_SLOWDOWN, SHARED_SLOWDOWN, Target,
};
use super::scene::Scene;
use super::volume::is_far_beyond;

/// Margins are this many times as wide where no other request around was slow for the same cause. Of verdicts that
/// stood so alone in labelled dumps of a simulated fleet, five in six were wrong.
const ALONE: f64 = 2.0;
/// The same of prompts and caches: what is usual for them differs from fleet to fleet, and a document, or a server that
/// has not seen it, may be beyond it. Of 6 such verdicts that stood so alone, one was right.
const AGAINST_USUAL: f64 = 16.0;
/// The same of slowdowns shared with others of whom not many were slow: a swing of everybody's load. Of 6 such verdicts
/// in labelled dumps none was right, of 188 with many victims around 185 were.
const SWING: f64 = 4.0;
/// The same where the dump lost spans, of which what is left looks odd by itself, and where a healthy period tells what
/// is usual: of 14 verdicts that stood alone beside the healthy day of their fleet, 11 were wrong.
const ALONE_FOR_CERTAIN: f64 = 4.0;

/// How much more than the threshold a verdict of this cause must show, so that natural variation, which
/// looks most like contention, is not accused. Shrinks where calls, or the tools charged, vary little, and for contention
/// with how far beyond doubt its company is; contention that nothing but single slow calls speaks for must
/// show most. What leaves failed attempts in the dump needs no margin, and no others to witness it.
///
/// Found by trying values over labelled dumps of a simulated fleet and of real servers, all at once: of
/// requests that exceed the threshold by less than these factors, fewer than half are truly slow.
pub(super) fn of(scene: &Scene<'_>, request: u32, account: &Account, cause: Cause) -> f64 {
    let full = full(account, cause) * without_witnesses(scene, request, account, cause);
    narrowed(full, scene, request, account, cause)
}

/// The same if others bore it out.
pub(super) fn if_witnessed(
    scene: &Scene<'_>,
    request: u32,
    account: &Account,
    cause: Cause,
) -> f64 {
    narrowed(full(account, cause), scene, request, account, cause)
}

fn full(account: &Account, cause: Cause) -> f64 {
    match cause {
        Cause::NoisyNeighbour if account.rests_on(cause, &[LONE_SLOWDOWN]) => 3.0,
        Cause::NoisyNeighbour => 2.0 - account.certainty(),
        Cause::ColdCache if !lost_together(account) => 1.5,
        Cause::OrchestrationGap => 1.4,
        Cause::LongGeneration | Cause::RetryCascade | Cause::ProviderError => 1.0,
        _ => 1.15,
    }
}

/// Of a margin, what is left where calls or tools vary little.
fn narrowed(full: f64, scene: &Scene<'_>, request: u32, account: &Account, cause: Cause) -> f64 {
    let spread = natural_spread(scene, request, account, cause);
    1.0 + (full - 1.0) * (spread / 0.3).min(1.0)
}

/// How many times as wide the margin is for want of others that were slow for the same cause.
fn without_witnesses(scene: &Scene<'_>, request: u32, account: &Account, cause: Cause) -> f64 {
    // What slows a place slows many there, and a claim of nothing but slowness says no more than that.
    let by_slowness = cause == Cause::NoisyNeighbour
        && account.rests_on(cause, &[LONE_SLOWDOWN, REQUEST_SLOWDOWN, SHARED_SLOWDOWN]);
    let alone = scene.stands_alone(request, cause)
        || by_slowness && scene.found.witnesses.few(request, cause);
    if !alone || is_borne_out(scene, request, account, cause) {
        return 1.0;
    }
    let times = match cause {
        Cause::PrefillSurge | Cause::ColdCache => AGAINST_USUAL,
        Cause::NoisyNeighbour if account.rests_on(cause, &[SHARED_SLOWDOWN]) => SWING,
        _ => ALONE,
    };
    let for_certain = scene.swing.is_some() || scene.holes.any();
    times.max(if for_certain { ALONE_FOR_CERTAIN } else { 1.0 })
}

/// Caches lost with those of others have their witnesses; a prompt far beyond all others needs none.
fn is_borne_out(scene: &Scene<'_>, request: u32, account: &Account, cause: Cause) -> bool {
    match cause {
        Cause::ColdCache => lost_together(account),
        Cause::PrefillSurge => scene.calls_of(request).any(|(_, index, call)| {
            scene.seen(index).surge().is_some() && is_far_beyond(scene.calls, scene.base, call)
        }),
        _ => false,
    }
}

/// What a cache lost with those of others costs was told by many calls.
fn lost_together(account: &Account) -> bool {
    account.rests_on(Cause::ColdCache, &[LOST_TOGETHER])
}

/// How widely what a cause is about varies by itself: the tools charged, else the model calls.
fn natural_spread(scene: &Scene<'_>, request: u32, account: &Account, cause: Cause) -> f64 {
    let first = scene.forest.requests[request as usize].ops.start;
    let tools = account.charges.iter().filter_map(|charge| {
        let Target::Op(position) = charge.target else {
            return None;
        };
        let charged = charge.cause == cause && cause == Cause::ToolBottleneck;
        let tool = charged.then(|| first + position as u32)?;
        let usual = scene.base.tools.of(&scene.measured.tools, tool)?;
        Some(usual.fit.spread)
    });
    tools
        .max_by(f64::total_cmp)
        .unwrap_or(scene.base.prices.spread)
}
