//! More prompt to compute than usual, at the normal price: because it grew, or because the cache that
//! usually holds it did not.

use super::shares::{COLD_SHARE, SURGE_SHARE};
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;

/// Others that take less than this multiple of normal are not slowed.
const CALM: f64 = 1.1;

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    // A request that lost its cache pays for it in its own calls' residuals too: a longer prefill meets
    // more of everybody's load. Where the lost tokens are a small part of all its delay, it is a victim.
    let (mut pure, mut over) = (0.0, 0.0);
    for (_, index, call) in scene.calls_of(request) {
        let seen = scene.seen(index);
        pure += seen.cold().map_or(0.0, |e| e.millis);
        over += seen.residual(call).max(0.0);
    }
    let fair = pure >= COLD_SHARE * (pure + over);
    for (position, index, call) in scene.calls_of(request) {
        let seen = scene.seen(index);
        let target = Target::Op(position);
        if !seen.has_volume() || account.charged(target) > 0.0 {
            continue;
        }
        if let Some(extra) = seen.surge() {
            let proof = Proof {
                span: Some(call.span),
                fact: "prompt_growth",
                observed: extra.observed,
                expected: Some(extra.usual),
                unit: "tokens",
                via: "attribute",
                note: "the prompt grew far beyond what this step usually adds",
            };
            // The contention that a giant prompt meets in its own call is its own doing, unless a crowd of strangers
            // was there, or it is out of all proportion and others were slow as well.
            // Where it took less than its work at the normal price, so did the extra prompt.
            let residual = seen.residual(call);
            let alone = || scene.company(request, index).is_none_or(|(w, _)| w < CALM);
            let whole = extra.millis + residual;
            let crowded = scene.crowd.weight(index) > 0.0;
            let own = if !crowded && (extra.millis >= SURGE_SHARE * whole || alone()) {
                residual
            } else {
                0.0
            };
            account.charge(Cause::PrefillSurge, target, extra.millis + own, proof);
        }
        if let Some(extra) = seen.cold() {
            let proof = Proof {
                span: Some(call.span),
                fact: "cached_tokens",
                observed: extra.observed,
                expected: Some(extra.usual),
                unit: "tokens",
                via: "attribute",
                note: "prompt tokens that are usually served from the cache were computed",
            };
            let own = if fair {
                seen.residual(call).max(0.0)
            } else {
                0.0
            };
            account.charge(Cause::ColdCache, target, extra.millis + own, proof);
        }
    }
}
