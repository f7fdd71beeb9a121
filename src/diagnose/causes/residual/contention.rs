//! Same work, higher price, in company: other requests at the same servers.

use super::Residual;
use crate::baseline::{Call, CallIx};
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, LONE_SLOWDOWN, Proof, REQUEST_SLOWDOWN, SHARED_SLOWDOWN};
use crate::diagnose::causes::shares::{
    COLD_SHARE, FULL_COMPANY, GIANT_SHARE, SURGE_SHARE, company_weight,
};
use crate::diagnose::scene::Scene;
use crate::units::Window;

/// Share of the expectation that healthy calls exceed it by anyway, at least: where they scatter widely, by one spread.
const NATURAL: f64 = 0.25;
/// Slowed company is beyond doubt from this multiple of where it begins to count: without outside load the calls
/// of a place are never slowed together by that much, whatever the swing of their own load.
const CERTAIN_COMPANY: f64 = 2.0;
/// Alone, a call counts from this many natural spreads on (in natural logarithms), but not below a
/// factor of two, however evenly the server runs, and whatever the spread from a factor of twelve; fully
/// from a third more on. Right tails of healthy calls end between the two on quiet and on busy servers.
const SOLO: f64 = 7.0;
const LEAST_SOLO: f64 = 0.7;
const MOST_SOLO: f64 = 2.5;
const FULL_SOLO: f64 = 1.3;
/// The calls of a request together count from this many natural spreads of requests on, but not below 1.4
/// times the expectation.
const TOGETHER: f64 = 8.0;
const LEAST_TOGETHER: f64 = 0.35;
/// Servers are under pressure from this multiple of their normal inter-token time on.
const PRESSURE: f64 = 3.0;
/// Where more than this share of the requests around was proven to be slowed by others, a slowdown needs no
/// proof of its own; fully from the second share on. In healthy dumps no third of the requests around any other
/// is found slow.
const PROVEN: f64 = 0.4;
const FULLY_PROVEN: f64 = 0.6;
/// … and at least this many were.
const LEAST_PROVEN: u32 = 3;
/// Contention that is beyond doubt to more than this degree is not the request's own doing.
const BEYOND_DOUBT: f64 = 0.5;

/// What speaks for contention.
#[derive(Default)]
struct Support {
    /// Share of the residual it accounts for.
    weight: f64,
    /// To what degree it is beyond doubt.
    certainty: f64,
    proof: Option<Proof>,
}

impl Support {
    fn of(weight: f64, certainty: f64, proof: Proof) -> Self {
        Self {
            weight,
            certainty,
            proof: (weight > 0.0).then_some(proof),
        }
    }

    /// The stronger of both.
    fn with(self, other: Self) -> Self {
        Self {
            weight: self.weight.max(other.weight),
            certainty: self.certainty.max(other.certainty),
            proof: if other.weight > self.weight {
                other.proof
            } else {
                self.proof
            },
        }
    }
}

/// ln(observed / expected) over the calls in `left` and those that were faster than expected; `None` for a
/// single call, of which all is said already.
pub(super) fn together(scene: &Scene<'_>, request: u32, left: &[Residual<'_>]) -> Option<f64> {
    let counts = |position: usize, index: CallIx, call: &Call| {
        left.iter().any(|it| it.position == position) || scene.seen(index).residual(call) <= 0.0
    };
    let (mut observed, mut expected, mut n) = (0.0, 0.0, 0);
    for (position, index, call) in scene.calls_of(request) {
        if let Some(e) = scene.seen(index).expected
            && counts(position, index, call)
        {
            observed += call.total();
            expected += e.total();
            n += 1;
        }
    }
    (n > 1 && expected > 0.0 && observed > 0.0).then(|| f64::ln(observed / expected))
}

/// What a request suffers while it burdens the server itself goes to its own fault, if that fault's pure
/// price is a fair share of the harm; else it is a victim that happened to lose some cache. What everybody suffers beyond
/// doubt is not its doing.
pub(super) fn own(account: &mut Account) {
    if account.certainty() > BEYOND_DOUBT {
        return;
    }
    let contention = account.total(Cause::NoisyNeighbour);
    for (cause, share) in [
        (Cause::ColdCache, COLD_SHARE),
        (Cause::PrefillSurge, SURGE_SHARE),
    ] {
        let pure = account.total(cause);
        if pure >= share * (pure + contention) {
            account.reassign(Cause::NoisyNeighbour, cause);
            return;
        }
    }
}

impl Residual<'_> {
    /// Same work, higher price, in company: neighbours.
    pub(super) fn neighbour(&self, account: &mut Account, has_volume: bool) {
        let best = self
            .company_evidence()
            .into_iter()
            .chain(self.giant_evidence())
            .chain(self.solo_evidence())
            .chain(self.together_evidence())
            .chain(self.metric_evidence())
            .chain(self.crowd_evidence())
            .chain(self.incident_evidence())
            .fold(Support::default(), Support::with);
        let (weight, Some(proof)) = (best.weight, best.proof) else {
            return;
        };
        // What everybody suffers beyond doubt is not the natural variation of this request.
        let natural = if has_volume {
            0.0
        } else {
            let share = self.scene.base.prices.spread.exp_m1().max(NATURAL);
            share * self.expected_total() * (1.0 - best.certainty)
        };
        let millis = self.millis - natural;
        if millis <= 0.0 {
            return;
        }
        account.vouch(weight * millis, best.certainty);
        self.charge(account, Cause::NoisyNeighbour, weight * millis, proof);
    }

    fn company_evidence(&self) -> Option<Support> {
        let shared = self.slowed_company()?;
        let limit = self.scene.company_limit;
        let weight = company_weight(shared, limit);
        let certainty = (shared / limit - FULL_COMPANY) / (CERTAIN_COMPANY - FULL_COMPANY);
        Some(Support::of(
            weight,
            certainty.clamp(0.0, 1.0),
            self.proof(
                SHARED_SLOWDOWN,
                shared,
                Some(1.0),
                "x normal",
                "derived",
                "other requests' calls at the same place and time were slowed as well",
            ),
        ))
    }

    /// Most requests around were proven to be slowed by others: so was this one, however little of it shows.
    fn incident_evidence(&self) -> Option<Support> {
        let (victims, others) = self.scene.found.proven.around(self.request, self.site)?;
        let share = f64::from(victims) / f64::from(others);
        let weight = (share - PROVEN) / (FULLY_PROVEN - PROVEN);
        (victims >= LEAST_PROVEN).then(|| {
            let note = "most requests at the same place and time were slowed by others";
            let share = 100.0 * share;
            let proof = self.proof("victims_around", share, Some(0.0), "%", "derived", note);
            Support::of(weight.clamp(0.0, 1.0), 0.0, proof)
        })
    }

    fn giant_evidence(&self) -> Option<Support> {
        let server = self.scene.servers.get(&self.index).copied();
        let own = self.scene.number(self.request);
        let around = self.scene.giants.around(self.site, self.call.window);
        let delay: f64 = around
            .filter(|g| g.request != own && g.may_burden(server))
            .map(|g| g.millis)
            .sum();
        (delay > 0.0 && delay >= GIANT_SHARE * self.millis).then(|| {
            let note = "another request's extra prompt was being computed at the same place";
            let proof = self.proof("neighbour_prefill", delay, Some(0.0), "ms", "derived", note);
            Support::of(1.0, 0.0, proof)
        })
    }

    fn crowd_evidence(&self) -> Option<Support> {
        let crowd = &self.scene.crowd;
        let (others, usual) = (crowd.others(self.index)?, crowd.usual);
        let note = "the server was working for others at the same time";
        let usual = Some(usual);
        let proof = self.proof("others_in_flight", others, usual, "calls", "derived", note);
        let (weight, certainty) = (crowd.weight(self.index), crowd.certainty(self.index));
        Some(Support::of(weight, certainty, proof))
    }

    fn solo_evidence(&self) -> Option<Support> {
        let spread = self.scene.base.prices.spread;
        let limit = (SOLO * spread).clamp(LEAST_SOLO, MOST_SOLO);
        (spread > 0.0 && self.seen.log_ratio > limit).then(|| {
            let weight = (self.seen.log_ratio / limit - 1.0) / (FULL_SOLO - 1.0);
            Support::of(
                weight.clamp(0.0, 1.0),
                0.0,
                self.proof(
                    LONE_SLOWDOWN,
                    self.seen.log_ratio.exp(),
                    Some(1.0),
                    "x normal",
                    "derived",
                    "far outside the natural spread of this server for the same work",
                ),
            )
        })
    }

    fn together_evidence(&self) -> Option<Support> {
        let spread = self.scene.base.prices.together?;
        let ratio = self.together?;
        let limit = (TOGETHER * spread).clamp(LEAST_TOGETHER, MOST_SOLO);
        (ratio > limit).then(|| {
            let weight = (ratio / limit - 1.0) / (FULL_SOLO - 1.0);
            let note =
                "all model calls of the request together took far longer than such work does here";
            Support::of(
                weight.clamp(0.0, 1.0),
                0.0,
                self.proof(
                    REQUEST_SLOWDOWN,
                    ratio.exp(),
                    Some(1.0),
                    "x normal",
                    "derived",
                    note,
                ),
            )
        })
    }

    fn metric_evidence(&self) -> Option<Support> {
        // What others load a server with lasts; what requests do to each other swings from call to call.
        let around = Call {
            window: Window {
                start: self.call.window.start - self.scene.reach,
                end: self.call.window.end + self.scene.reach,
            },
            ..*self.call
        };
        let serving = &self.scene.serving;
        let level = serving.at_home(self.call)?.min(serving.at_home(&around)?);
        let limit = self.scene.company_limit.max(PRESSURE);
        (level > limit).then(|| {
            Support::of(
                1.0,
                (level / limit - 1.0).clamp(0.0, 1.0),
                self.proof(
                    "inter_token_time",
                    level,
                    Some(1.0),
                    "x normal",
                    "metric",
                    "the region's servers were slower for everybody",
                ),
            )
        })
    }
}
