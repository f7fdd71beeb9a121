//! Attempts that left no span: logged, counted by the client, seen in what the server did not see, or told by
//! the failures of others, or by who was served meanwhile.

use super::{Residual, SETTLED_SHARE};
use crate::diagnose::Cause;
use crate::diagnose::account::Account;
use crate::units::{Nanos, Window};

/// Failed attempts are throttling up to this many slow floors; longer ones hang, and make nobody wait.
const THROTTLED: f64 = 4.0;
/// Least wait before the first token, in slow floors, that failed attempts are told by.
const LEAST_WAIT: f64 = 0.3;

impl Residual<'_> {
    /// The client logged failed attempts under a call that then succeeded. Returns the milliseconds this settles: all
    /// of them, unless the server was at work on the call for most.
    pub(super) fn hidden_retry(&self, account: &mut Account) -> f64 {
        let resends = u32::from(self.call.resends);
        let logged = self.scene.warnings(self.call.span);
        let (count, via) = if logged > 0 {
            (logged, "log")
        } else {
            (resends, "attribute")
        };
        if count == 0 {
            return 0.0;
        }
        let proof = self.proof(
            "hidden_attempts",
            f64::from(count),
            Some(0.0),
            "attempts",
            via,
            "attempts failed inside the span of a call that then succeeded",
        );
        let unseen = self.engine().map(|engine| self.outside(engine));
        let amount = self.before_first_token();
        let amount = unseen.map_or(amount, |unseen| amount.min(unseen));
        self.charge(account, Cause::RetryCascade, amount, proof);
        if amount < SETTLED_SHARE * self.millis {
            amount
        } else {
            self.millis
        }
    }

    /// When the server worked on this call, by its own span.
    fn engine(&self) -> Option<Window> {
        self.scene.served.get(&self.index).copied()
    }

    /// Milliseconds of the call that the server did not see.
    fn outside(&self, engine: Window) -> f64 {
        self.call.window.len().since(engine.len()).as_millis()
    }

    /// Of the residual, what lies before the first token, where that is shown: attempts that fail inside a
    /// call end before it. Where hardly anything does, the first token was timed from the last attempt on.
    fn before_first_token(&self) -> f64 {
        match self.seen.residual_split(self.call) {
            Some((first, _)) if first > LEAST_WAIT * self.scene.options.floor() => {
                first.min(self.millis)
            }
            _ => self.millis,
        }
    }

    /// The server worked for a shorter time than the client waited, and not because of the network.
    pub(super) fn outside_server(&self, account: &mut Account) -> bool {
        let Some(engine) = self.engine() else {
            return false;
        };
        let outside = self.outside(engine);
        let before = engine.start.since(self.call.window.start).as_millis();
        let after = self.call.window.end.since(engine.end).as_millis();
        if outside < 0.6 * self.millis || outside < self.scene.options.floor() {
            return false;
        }
        let late_start = before >= after;
        let (cause, note) = if late_start {
            (
                Cause::RetryCascade,
                "the server saw the call late: attempts before it left no span",
            )
        } else {
            (
                Cause::OrchestrationGap,
                "the server had finished long before the client went on",
            )
        };
        let proof = self.proof("outside_server", outside, Some(0.0), "ms", "child", note);
        self.charge(account, cause, self.millis.min(outside), proof)
    }

    /// Others were failing at that moment, and this call waited before its first token.
    pub(super) fn throttled_company(&self, account: &mut Account) -> bool {
        let scene = self.scene;
        let floor = scene.options.floor();
        let (early, others_needed, reach) = match self.seen.residual_split(self.call) {
            Some((first, _)) => (first > 2.0 * floor && first >= 0.6 * self.millis, 3, 20.0),
            None => (self.millis > 3.0 * floor, 5, 8.0),
        };
        if !early || self.slowed_company().is_some() {
            return false;
        }
        // On quick dumps, one and a half tasks, as for all company.
        let reach = Nanos((reach * 1e9) as u64).min(scene.reach);
        let (from, to) = (self.call.window.start - reach, self.call.window.end + reach);
        let (list, own) = (&scene.failures, scene.number(self.request));
        let mut others: Vec<u32> = list
            [list.partition_point(|f| f.0 < from)..list.partition_point(|f| f.0 <= to)]
            .iter()
            .filter(|f| f.1 != own && f.2.as_millis() < THROTTLED * floor)
            .map(|f| f.1)
            .collect();
        others.sort_unstable();
        others.dedup();
        if others.len() < others_needed {
            return false;
        }
        let proof = self.proof(
            "others_failing",
            others.len() as f64,
            Some(0.0),
            "requests",
            "derived",
            "the call waited before its first token while calls of other requests were failing",
        );
        self.charge(
            account,
            Cause::RetryCascade,
            self.before_first_token(),
            proof,
        )
    }

    /// Calls begun later were answered at once meanwhile: it was no queue that this one waited in.
    pub(super) fn overtaken(&self, account: &mut Account) -> bool {
        let Some(others) = self.scene.overtaken.by(self.index) else {
            return false;
        };
        if self.slowed_company().is_some() {
            return false;
        }
        let proof = self.proof(
            "overtaken_by",
            f64::from(others),
            Some(0.0),
            "calls",
            "derived",
            "calls begun later at the same place had their first token at once meanwhile, and this one then ran at its usual rate: attempts before it left no span",
        );
        self.charge(
            account,
            Cause::RetryCascade,
            self.before_first_token(),
            proof,
        )
    }
}
