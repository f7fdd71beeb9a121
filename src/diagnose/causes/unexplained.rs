//! What is left when nothing supports it. Mostly natural variation, and then it is charged to nobody;
//! but a request that took several times what its work should take was slow, whether or not the dump
//! shows why.

use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;

/// A call is out of the ordinary from this multiple of its expectation on …
const OVER: f64 = 8.0;
/// … and beyond this many natural spreads.
const SPREADS: f64 = 8.0;
/// A call of sixteen times its expectation is out of the ordinary whatever the spread.
const MOST: f64 = 2.8;

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let spread = scene.base.prices.spread;
    for (position, index, call) in scene.calls_of(request) {
        let seen = scene.seen(index);
        let target = Target::Op(position);
        let ratio = seen.log_ratio;
        if ratio < OVER.ln()
            || ratio < (SPREADS * spread).min(MOST)
            || account.charged(target) > 0.0
        {
            continue;
        }
        let expected = seen.expected.map_or(0.0, |e| e.total());
        let proof = Proof {
            span: Some(call.span),
            fact: "call_time",
            observed: call.total(),
            expected: Some(expected),
            unit: "ms",
            via: "fit",
            note: "the call took several times what its work should take, and nothing in the dump says why",
        };
        account.charge(Cause::Unexplained, target, call.total() - expected, proof);
    }
}
