//! Same work, served from elsewhere.

use super::Residual;
use crate::diagnose::Cause;
use crate::diagnose::account::Account;

/// Multiples of its normal inter-token time below which a region is calm, and above which it is not.
const CALM: f64 = 1.35;
const RISEN: f64 = 1.3;
/// Company that moved with a request is slower than its home by this factor at least, and the request by
/// this share of what the servers elsewhere show (in logarithms).
const MOVED: f64 = 1.25;
const LIKE_ELSEWHERE: f64 = 0.4;

impl Residual<'_> {
    /// Served from an address that is not the client's home, which typically takes longer. What a crowd of strangers
    /// there adds to that is left to other causes.
    pub(super) fn routed(&mut self, account: &mut Account) -> bool {
        let scene = self.scene;
        if !scene.routes.is_away(self.index) {
            return false;
        }
        let typical = scene
            .routes
            .typical_extra(self.call)
            .unwrap_or(self.millis.max(0.0));
        // At home it would have met what the calls there met.
        let level = scene.level_at_home(self.request, self.index).unwrap_or(1.0);
        let at_home = (level - 1.0).max(0.0) * self.expected_total();
        let crowded = scene.crowd.weight(self.index) > 0.0 && typical < self.millis;
        let amount = match crowded {
            true => typical,
            false => f64::midpoint(self.millis - at_home, typical).max(0.0),
        };
        let proof = self.proof(
            "endpoint",
            self.call.total(),
            Some(self.expected_total()),
            "ms",
            "attribute",
            "the call went to an address that is not this client's usual one",
        );
        self.charge(account, Cause::RoutingChange, amount, proof);
        self.millis -= amount;
        !crowded
    }

    /// Everybody here was slow while the servers here were not, and servers elsewhere were.
    pub(super) fn served_elsewhere(&self, account: &mut Account) -> bool {
        let scene = self.scene;
        if !self.call.endpoint.is_none() {
            return false;
        }
        let (Some(home), Some(elsewhere)) = (
            scene.serving.at_home(self.call),
            scene.serving.elsewhere(self.call),
        ) else {
            return false;
        };
        let calls = scene.calls_of(self.request);
        let own: Vec<f64> = calls.map(|(_, i, _)| scene.seen(i).log_ratio).collect();
        let own = own.iter().sum::<f64>() / own.len().max(1) as f64;
        let moved = home < CALM && elsewhere > RISEN && elsewhere > home;
        // All that moved is slower than home and no slower than the place it moved to, the request itself
        // as well as its company. What moved a request once moves its other calls.
        let like_elsewhere = account.has(Cause::RoutingChange)
            || own >= RISEN.ln().max(LIKE_ELSEWHERE * elsewhere.ln())
                && self
                    .company()
                    .is_some_and(|(w, _)| w > MOVED * home && w < elsewhere);
        if !(moved && like_elsewhere) {
            return false;
        }
        let proof = self.proof(
            "inter_token_time",
            elsewhere,
            Some(home),
            "x normal",
            "metric",
            "the region's own servers were at their normal pace, another region's were not",
        );
        self.charge(account, Cause::RoutingChange, self.millis, proof)
    }
}
