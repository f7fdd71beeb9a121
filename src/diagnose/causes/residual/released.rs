//! The process held several operations and let them go at once.

use super::{Residual, SETTLED_SHARE};
use crate::diagnose::Cause;
use crate::diagnose::account::Account;

/// The work went on under the silence of a stalled process: this share of it is lost at most.
const UNDER_SILENCE: f64 = 0.75;

impl Residual<'_> {
    /// Ended together with operations of other requests: the process held them all. Returns the
    /// milliseconds this settles: all of them, unless the silence was too short to be the main reason.
    pub(super) fn released(&self, account: &mut Account) -> f64 {
        let op = self.scene.forest.requests[self.request as usize].ops.start + self.position as u32;
        let Some(silence) = self.scene.releases.of_op(op) else {
            return 0.0;
        };
        let amount = self.millis.min(UNDER_SILENCE * silence);
        if amount < 0.3 * self.scene.options.floor() {
            return 0.0;
        }
        let proof = self.proof("released_together", silence, Some(0.0), "ms", "derived", "operations of several requests ended at the same instant after a silence of the process");
        self.charge(account, Cause::OrchestrationGap, amount, proof);
        if amount < SETTLED_SHARE * self.millis {
            amount
        } else {
            self.millis
        }
    }
}
