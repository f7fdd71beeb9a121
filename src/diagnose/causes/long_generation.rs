//! An answer far longer than this step's answers are, at the normal rate.

use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;

/// Of the call's own residual, at most this share of the extra output's price goes with it.
const OWN_RESIDUAL: f64 = 0.5;

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    for (position, index, call) in scene.calls_of(request) {
        let seen = scene.seen(index);
        let target = Target::Op(position);
        let Some(extra) = seen.long else { continue };
        if account
            .charges
            .iter()
            .any(|c| c.target == target && c.cause == Cause::RetryCascade)
        {
            continue;
        }
        let proof = Proof {
            span: Some(call.span),
            fact: "output_tokens",
            observed: f64::from(extra.observed),
            expected: Some(f64::from(extra.usual)),
            unit: "tokens",
            via: "attribute",
            note: "the answer was far longer than this step's answers are",
        };
        let own = seen
            .residual(call)
            .clamp(0.0, OWN_RESIDUAL * extra.millis());
        account.charge(Cause::LongGeneration, target, extra.millis() + own, proof);
    }
}
