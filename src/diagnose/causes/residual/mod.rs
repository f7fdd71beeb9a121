//! Calls that took longer than their work at the normal price. Who is to blame is decided by the
//! strongest evidence first; what nobody supports is natural variation and charged to nobody.

mod contention;
mod elsewhere;
mod released;
mod retried;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;

use crate::baseline::{Call, CallIx};
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, LOST_TOGETHER, Proof, Target};
use crate::diagnose::scene::Scene;
use crate::diagnose::volume::Seen;
use crate::diagnose::windows::Site;

/// What settles less than this share of a residual leaves the rest to other causes.
const SETTLED_SHARE: f64 = 0.5;

struct Residual<'a> {
    scene: &'a Scene<'a>,
    request: u32,
    position: usize,
    index: CallIx,
    call: &'a Call,
    seen: &'a Seen,
    site: Site,
    millis: f64,
    company: OnceCell<Option<(f64, u32)>>,
    /// ln(observed / expected) over all calls of the request that nothing else explains.
    together: Option<f64>,
}

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let has_volume = scene
        .calls_of(request)
        .any(|(_, i, _)| scene.seen(i).has_volume());
    let mut left: Vec<Residual<'_>> = Vec::new();
    for (position, index, call) in scene.calls_of(request) {
        let seen = scene.seen(index);
        let target = Target::Op(position);
        let lost = lost_together(account, target);
        let charged_otherwise = account.charges.iter().any(|c| {
            c.target == target
                && c.cause != Cause::LongGeneration
                && !(c.proof.fact == LOST_TOGETHER && lost < SETTLED_SHARE * seen.residual(call))
                && !(c.cause == Cause::ColdCache
                    && c.millis < seen.cold().map_or(0.0, |e| e.millis) + 1e-9)
                && !(c.cause == Cause::PrefillSurge
                    && c.millis < seen.surge().map_or(0.0, |e| e.millis) + 1e-9)
        });
        let long = account
            .charges
            .iter()
            .filter(|c| c.target == target && c.cause == Cause::LongGeneration)
            .map(|c| c.millis)
            .sum::<f64>();
        let millis =
            seen.residual(call) - (long - seen.long().map_or(0.0, |e| e.millis)).max(0.0) - lost;
        if charged_otherwise || (millis <= 0.0 && !scene.routes.is_away(index)) {
            continue;
        }
        let mut it = Residual {
            scene,
            request,
            position,
            index,
            call,
            seen,
            site: scene.sites[index as usize],
            millis,
            company: OnceCell::new(),
            together: None,
        };
        if it.routed(account) {
            continue;
        }
        it.millis -= it.released(account);
        if it.millis > 0.0 {
            it.millis -= it.hidden_retry(account);
        }
        if it.millis <= 0.0
            || it.outside_server(account)
            || it.served_elsewhere(account)
            || it.throttled_company(account)
            || it.overtaken(account)
        {
            continue;
        }
        left.push(it);
    }
    let together = contention::together(scene, request, &left);
    for mut it in left {
        it.together = together;
        it.neighbour(account, has_volume);
    }
    contention::own(account);
}

/// What was charged against a call because it lost its cache with others.
fn lost_together(account: &Account, target: Target) -> f64 {
    let charges = account.charges.iter().filter(|c| c.target == target);
    let lost = charges.filter(|c| c.proof.fact == LOST_TOGETHER);
    lost.map(|c| c.millis).sum()
}

impl Residual<'_> {
    fn charge(&self, account: &mut Account, cause: Cause, millis: f64, proof: Proof) -> bool {
        account.charge(cause, Target::Op(self.position), millis, proof);
        true
    }

    fn proof(
        &self,
        fact: &'static str,
        observed: f64,
        expected: Option<f64>,
        unit: &'static str,
        via: &'static str,
        note: &'static str,
    ) -> Proof {
        Proof {
            span: Some(self.call.span),
            fact,
            observed,
            expected,
            unit,
            via,
            note,
        }
    }

    fn expected_total(&self) -> f64 {
        self.seen.expected.map_or(0.0, |e| e.total())
    }

    fn company(&self) -> Option<(f64, u32)> {
        let find = || self.scene.company(self.request, self.index);
        *self.company.get_or_init(find)
    }

    /// The company, where it counts as slowed.
    fn slowed_company(&self) -> Option<f64> {
        self.scene
            .slowed(self.request, self.index, || self.company())
    }
}
