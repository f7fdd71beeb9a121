//! Lost cache where no cache is shown. A queue delays a call by any amount; a lost cache by what its whole prompt costs
//! beyond what is new of it. On a server that runs evenly the two are told apart by time alone.

use super::shares::COLD_SHARE;
use crate::baseline::{Call, CallIx};
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, LOST_TOGETHER, Proof, Target};
use crate::diagnose::losses::{EVEN, Whose};
use crate::diagnose::scene::Scene;

/// What a whole prompt costs must lie this many natural spreads above what the call should have taken, and by a
/// quarter at least, …
const APART: f64 = 4.0;
const LEAST_APART: f64 = 0.25;
/// … and the call must have taken it to within so many.
const NEAR: f64 = 2.5;
/// Calls that fit neither price, for each that fits that of the whole prompt: with more of them the request was slowed
/// by something else.
const OTHERS: f64 = 0.5;

/// Which price a call's time fits.
enum Fit {
    Usual,
    WholePrompt(Uncached),
    Neither,
}

/// Milliseconds of a call that computed its whole prompt.
struct Uncached {
    took: f64,
    usual: f64,
    /// What the part of the prompt costs that is usually cached.
    more: f64,
}

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    lost_together(scene, request, account);
    lost_alone(scene, request, account);
}

/// Caches that many requests lost together.
fn lost_together(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let (mut lost, mut pure, mut over) = (Vec::new(), 0.0, 0.0);
    for (position, index, call) in scene.calls_of(request) {
        let target = Target::Op(position);
        let taken = account.charged(target) > 0.0 || scene.seen(index).surge().is_some();
        let whose = scene.lost_together(request, index);
        let prompt = || scene.base.prices.whole_prompt(scene.calls, call);
        let Some((whose, prompt)) = whose.filter(|_| !taken).zip(prompt()) else {
            continue;
        };
        pure += prompt.more;
        over += call.total() - prompt.usual - prompt.more;
        lost.push((target, call, whose, prompt));
    }
    // As where cached tokens are shown: a longer prefill meets more of everybody's load, unless that is most of it.
    // What single calls scatter by is in it as well, so that it is told by all of them together.
    let over = over.max(0.0);
    let fair = pure >= COLD_SHARE * (pure + over);
    let times = if fair {
        1.0 + over / pure.max(1e-9)
    } else {
        1.0
    };
    for (target, call, whose, prompt) in lost {
        let note = match whose {
            Whose::Tenant(_) => {
                "its tenant's calls took longer by what whole prompts cost, others' beside them did not"
            }
            Whose::Place(_) => "all calls at this place took longer by what whole prompts cost",
        };
        let proof = Proof {
            span: Some(call.span),
            fact: LOST_TOGETHER,
            observed: call.total(),
            expected: Some(prompt.usual),
            unit: "ms",
            via: "fit",
            note,
        };
        account.charge(Cause::ColdCache, target, prompt.more * times, proof);
    }
}

/// A cache that a single request lost.
fn lost_alone(scene: &Scene<'_>, request: u32, account: &mut Account) {
    if scene.base.prices.spread <= 0.0 || scene.base.prices.spread > EVEN {
        return;
    }
    let (mut whole, mut others) = (Vec::new(), 0);
    for (position, index, call) in scene.calls_of(request) {
        let target = Target::Op(position);
        if account.charged(target) > 0.0 || scene.seen(index).has_volume() {
            continue;
        }
        match fit(scene, index, call) {
            Some(Fit::WholePrompt(uncached)) => whole.push((target, index, uncached)),
            Some(Fit::Neither) => others += 1,
            Some(Fit::Usual) | None => {}
        }
    }
    if f64::from(others) > OTHERS * whole.len() as f64 {
        return;
    }
    for (target, index, uncached) in whole {
        if is_slowed(scene, request, index) {
            continue;
        }
        let proof = Proof {
            span: Some(scene.calls.get(index).span),
            fact: "whole_prompt_time",
            observed: uncached.took,
            expected: Some(uncached.usual),
            unit: "ms",
            via: "fit",
            note: "took what its whole prompt costs when none of it is cached",
        };
        account.charge(Cause::ColdCache, target, uncached.more, proof);
    }
}

/// Others at the same place and time were slowed: that explains any time.
fn is_slowed(scene: &Scene<'_>, request: u32, index: CallIx) -> bool {
    let company = || scene.company(request, index);
    scene.slowed(request, index, company).is_some()
}

/// `None` where the prices are too close to be told apart.
fn fit(scene: &Scene<'_>, index: CallIx, call: &Call) -> Option<Fit> {
    let input = f64::from(call.input?);
    let expected = scene
        .seen(index)
        .expected
        .filter(|_| call.cached.is_none())?;
    let price = &scene.base.prices.of(call.model)?.first;
    let more = price.price(input, input - expected.uncached);
    let (took, usual) = match call.first_token {
        Some(first) => (first.get(), expected.first),
        None => (call.total(), expected.total()),
    };
    let (above, whole) = ((took / usual).ln(), (1.0 + more / usual).ln());
    let spread = scene.base.prices.spread;
    let near = NEAR * spread;
    let told = whole > (APART * spread).max(LEAST_APART);
    if above.abs() < near {
        Some(Fit::Usual)
    } else if told && (above - whole).abs() < near {
        Some(Fit::WholePrompt(Uncached { took, usual, more }))
    } else {
        (told || above > whole + near).then_some(Fit::Neither)
    }
}
