//! The account of one request: charges against operations, gaps and tails, settled by replay.

use super::Cause;
use crate::model::SpanIx;
use crate::trace::{Cuts, Forest, Request, replay};
use crate::units::Nanos;

/// What a charge is set against. Indices are relative to the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Op(usize),
    /// The gap before an operation.
    Gap(usize),
    /// What follows the last operation of a lane.
    Tail(usize),
}

/// What was seen, in numbers; becomes a [`Fact`](super::Fact) when the request turns out slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proof {
    pub(super) span: Option<SpanIx>,
    pub(super) fact: &'static str,
    pub(super) observed: f64,
    pub(super) expected: Option<f64>,
    pub(super) unit: &'static str,
    pub(super) via: &'static str,
    pub(super) note: &'static str,
}

/// The fact that a call, with others of its tenant or at its place, took what whole prompts cost.
pub(super) const LOST_TOGETHER: &str = "whole_prompts_time";
/// The fact that a call was slow by itself, with nothing around it that says why.
pub(super) const LONE_SLOWDOWN: &str = "slowdown";
/// The same of all calls of a request together.
pub(super) const REQUEST_SLOWDOWN: &str = "slowdown_of_request";
/// The fact that others' calls at the same place and time were slow as well.
pub(super) const SHARED_SLOWDOWN: &str = "shared_slowdown";

/// Milliseconds that one cause added in one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charge {
    pub(super) cause: Cause,
    pub(super) target: Target,
    pub(super) millis: f64,
    pub(super) proof: Proof,
}

/// Charges of one request, growing while causes are tried in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub(super) charges: Vec<Charge>,
    /// Of contention: milliseconds times certainty, and milliseconds.
    certain: (f64, f64),
    /// Milliseconds of pauses that lost spans may have left instead.
    doubtful: f64,
}

impl Account {
    /// Adds a charge; nothing below a nanosecond is worth one.
    pub(super) fn charge(&mut self, cause: Cause, target: Target, millis: f64, proof: Proof) {
        if millis > 1e-6 && millis.is_finite() {
            self.charges.push(Charge {
                cause,
                target,
                millis,
                proof,
            });
        }
    }

    /// Notes that this much contention is beyond doubt to this degree, nought to one.
    pub(super) fn vouch(&mut self, millis: f64, certainty: f64) {
        self.certain.0 += millis * certainty;
        self.certain.1 += millis;
    }

    /// Notes that this many milliseconds of pauses are expected to be spans that were lost.
    pub(super) fn doubt(&mut self, millis: f64) {
        self.doubtful += millis;
    }

    /// Chance that the pauses charged are none, nought to one.
    pub(super) fn doubt_of_pauses(&self) -> f64 {
        self.doubtful / self.total(Cause::OrchestrationGap).max(1e-9)
    }

    /// To what degree the contention is beyond doubt, nought to one.
    pub(super) fn certainty(&self) -> f64 {
        self.certain.0 / self.certain.1.max(1e-9)
    }

    /// True when most of what is charged to `cause` rests on these facts.
    pub(super) fn rests_on(&self, cause: Cause, facts: &[&str]) -> bool {
        let charges = self.charges.iter().filter(|c| c.cause == cause);
        let on_these = charges.filter(|c| facts.contains(&c.proof.fact));
        let on_these: f64 = on_these.map(|c| c.millis).sum();
        2.0 * on_these > self.total(cause)
    }

    /// Milliseconds already charged against `target`.
    pub(super) fn charged(&self, target: Target) -> f64 {
        self.charges
            .iter()
            .filter(|c| c.target == target)
            .map(|c| c.millis)
            .sum()
    }

    /// Milliseconds charged to `cause`.
    pub(super) fn total(&self, cause: Cause) -> f64 {
        self.charges
            .iter()
            .filter(|c| c.cause == cause)
            .map(|c| c.millis)
            .sum()
    }

    /// True when `cause` has any charge.
    pub(super) fn has(&self, cause: Cause) -> bool {
        self.charges.iter().any(|c| c.cause == cause)
    }

    /// Moves all charges of `from` to `to`.
    pub(super) fn reassign(&mut self, from: Cause, to: Cause) {
        for charge in self.charges.iter_mut().filter(|c| c.cause == from) {
            charge.cause = to;
        }
    }

    /// Multiplies the charges of `cause`.
    pub(super) fn scale(&mut self, cause: Cause, factor: f64) {
        for charge in self.charges.iter_mut().filter(|c| c.cause == cause) {
            charge.millis *= factor;
        }
    }

    /// The cause of all charges, where they have but one.
    fn sole_cause(&self) -> Option<Cause> {
        let cause = self.charges.first()?.cause;
        let sole = self.charges.iter().all(|c| c.cause == cause);
        sole.then_some(cause)
    }

    pub(super) fn cuts(&self, request: &Request, only: Option<Cause>) -> Cuts {
        let mut cuts = Cuts::none(request);
        for charge in self
            .charges
            .iter()
            .filter(|c| only.is_none_or(|o| o == c.cause))
        {
            let (list, index) = match charge.target {
                Target::Op(i) => (&mut cuts.ops, i),
                Target::Gap(i) => (&mut cuts.gaps, i),
                Target::Tail(i) => (&mut cuts.tails, i),
            };
            if let Some(slot) = list.get_mut(index) {
                *slot = slot.saturating_add((charge.millis * 1e6) as i64);
            }
        }
        cuts
    }

    /// Settles the account: what the request should have taken, its excess, and how the excess divides
    /// over causes. The entries sum to the excess exactly.
    ///
    /// Each cause is worth what the request would have saved without it alone (leave-one-out, in
    /// miniature the counterfactual); because causes overlap these need not add up and are scaled.
    pub(super) fn settle(&self, forest: &Forest, request: &Request) -> Settlement {
        let wall = request.duration();
        if self.charges.is_empty() {
            return Settlement {
                expected: wall,
                excess: Nanos::ZERO,
                entries: Vec::new(),
            };
        }
        let expected = replay(forest, request, &self.cuts(request, None)).min(wall);
        let excess = wall - expected;
        let sole = self.sole_cause().is_some();
        let without = |cause| {
            if sole {
                expected
            } else {
                replay(forest, request, &self.cuts(request, Some(cause)))
            }
        };
        let mut entries: Vec<(Cause, u64)> = Cause::ALL
            .into_iter()
            .filter(|c| self.has(*c))
            .map(|c| (c, wall.since(without(c)).0))
            .filter(|(_, ns)| *ns > 0)
            .collect();
        if entries.is_empty() && excess > Nanos::ZERO {
            entries = Cause::ALL
                .into_iter()
                .filter(|c| self.has(*c))
                .map(|c| (c, 1))
                .collect();
        }
        Settlement {
            expected,
            excess,
            entries: share_out(excess, &entries),
        }
    }
}

/// A settled account.
#[derive(Clone, Debug)]
pub(super) struct Settlement {
    pub(super) expected: Nanos,
    pub(super) excess: Nanos,
    /// Largest first; sums to `excess`.
    pub(super) entries: Vec<(Cause, Nanos)>,
}

/// Divides `whole` in proportion to the weights; the first entry takes what rounding leaves.
fn share_out(whole: Nanos, weights: &[(Cause, u64)]) -> Vec<(Cause, Nanos)> {
    let total: u128 = weights.iter().map(|w| u128::from(w.1)).sum();
    if total == 0 {
        return Vec::new();
    }
    let mut shares: Vec<(Cause, Nanos)> = weights
        .iter()
        .map(|(c, w)| {
            (
                *c,
                Nanos((u128::from(whole.0) * u128::from(*w) / total) as u64),
            )
        })
        .collect();
    shares.sort_by_key(|(c, n)| (std::cmp::Reverse(*n), *c));
    let given: Nanos = shares.iter().map(|s| s.1).sum();
    if let Some(first) = shares.first_mut() {
        first.1 += whole - given;
    }
    shares.retain(|s| s.1 > Nanos::ZERO);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_the_whole() {
        let shares = share_out(
            Nanos(100),
            &[
                (Cause::ColdCache, 1),
                (Cause::RetryCascade, 1),
                (Cause::PrefillSurge, 1),
            ],
        );
        assert_eq!(shares.iter().map(|s| s.1).sum::<Nanos>(), Nanos(100));
        assert_eq!(shares[0], (Cause::PrefillSurge, Nanos(34)));
    }
}
