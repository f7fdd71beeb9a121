//! Calls that took longer than their work at the normal price. Who is to blame is decided by the
//! strongest evidence first; what nobody supports is natural variation and charged to nobody.

use std::cell::OnceCell;

use crate::baseline::{Call, CallIx};
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, LONE_SLOWDOWN, Proof, Target};
use crate::diagnose::scene::Scene;
use crate::diagnose::volume::Seen;
use crate::diagnose::windows::Site;
use crate::model::Span;
use crate::units::{Nanos, Window};

/// Share of the expectation that healthy calls exceed it by anyway.
const NATURAL: f64 = 0.25;
/// Company counts from this multiple of the natural spread on, at least from a third above normal.
const COMPANY: f64 = 2.7;
const LEAST_COMPANY: f64 = 0.3;
/// The spread of single calls also holds what the fit does not know, which a median over many calls
/// averages out: beyond this, company counts whatever the spread.
const MOST_COMPANY: f64 = 0.7;
/// It counts fully from this much more on.
const FULL_COMPANY: f64 = 1.3;
/// … and is beyond doubt from this multiple of where it begins to count: without outside load the calls
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
/// A server is crowded from this multiple of its usual number of requests in flight, and this many more,
/// on; it counts against calls slowed by this many natural spreads.
const CROWD: f64 = 3.0;
const LEAST_CROWD: f64 = 0.5;
const CROWD_SLOWED: f64 = 3.0;
/// A giant's extra prefill must amount to this share of the residual.
const GIANT_SHARE: f64 = 0.8;
/// Interference lasts this many slow floors beyond the giant's own first token.
const GIANT_TAIL: f64 = 6.0;

/// Least share of a fault's pure price in its price and the contention, for the contention to be its own.
const COLD_SHARE: f64 = 0.20;
const SURGE_SHARE: f64 = 0.12;

/// The work went on under the silence of a stalled process: this share of it is lost at most.
const UNDER_SILENCE: f64 = 0.75;
/// A release that settles less than this share of a residual leaves the rest to other causes.
const RELEASED_SHARE: f64 = 0.5;
/// Failed attempts are throttling up to this many slow floors; longer ones hang, and make nobody wait.
const THROTTLED: f64 = 4.0;
/// Multiples of its normal inter-token time below which a region is calm, and above which it is not.
const CALM: f64 = 1.35;
const RISEN: f64 = 1.3;
/// Company that moved with a request is slower than its home by this factor at least, and the request by
/// this share of what the servers elsewhere show (in logarithms).
const MOVED: f64 = 1.25;
const LIKE_ELSEWHERE: f64 = 0.4;

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
        let charged_otherwise = account.charges.iter().any(|c| {
            c.target == target
                && c.cause != Cause::LongGeneration
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
        let millis = seen.residual(call) - (long - seen.long().map_or(0.0, |e| e.millis)).max(0.0);
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
        if it.millis <= 0.0
            || it.hidden_retry(account)
            || it.outside_server(account)
            || it.served_elsewhere(account)
            || it.throttled_company(account)
        {
            continue;
        }
        left.push(it);
    }
    let together = together(scene, request, &left);
    for mut it in left {
        it.together = together;
        it.neighbour(account, has_volume);
    }
    own_contention(account);
}

/// ln(observed / expected) over the calls in `left` and those that were faster than expected; `None` for a
/// single call, of which all is said already.
fn together(scene: &Scene<'_>, request: u32, left: &[Residual<'_>]) -> Option<f64> {
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
/// price is a fair share of the harm; else it is a victim that happened to lose some cache.
fn own_contention(account: &mut Account) {
    let contention = account.total(Cause::NoisyNeighbour);
    for (cause, share) in [
        (Cause::ColdCache, COLD_SHARE),
        (Cause::PrefillSurge, SURGE_SHARE),
    ] {
        let pure = account.total(cause);
        if pure > 0.0 && contention > 0.0 && pure >= share * (pure + contention) {
            account.reassign(Cause::NoisyNeighbour, cause);
            return;
        }
    }
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

    /// Served from an address that is not the client's home, which typically takes longer.
    fn routed(&self, account: &mut Account) -> bool {
        let scene = self.scene;
        if !scene.routes.is_away(self.index) {
            return false;
        }
        let typical = scene
            .routes
            .typical_extra(self.call)
            .unwrap_or(self.millis.max(0.0));
        let amount = f64::midpoint(self.millis, typical).max(0.0);
        let proof = self.proof(
            "endpoint",
            self.call.total(),
            Some(self.expected_total()),
            "ms",
            "attribute",
            "the call went to an address that is not this client's usual one",
        );
        self.charge(account, Cause::RoutingChange, amount, proof)
    }

    /// Ended together with operations of other requests: the process held them all. Returns the
    /// milliseconds this settles: all of them, unless the silence was too short to be the main reason.
    fn released(&self, account: &mut Account) -> f64 {
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
        if amount < RELEASED_SHARE * self.millis {
            amount
        } else {
            self.millis
        }
    }

    /// The client logged failed attempts under a call that then succeeded.
    fn hidden_retry(&self, account: &mut Account) -> bool {
        let span: &Span = &self.scene.dataset.spans[self.call.span as usize];
        let facts = self.scene.dataset.llm_of(span);
        let resends = facts.and_then(|l| l.resends).map_or(0, u32::from);
        let logged = self
            .scene
            .warned
            .get(&(self.scene.dataset.trace_of(span), span.id))
            .copied()
            .unwrap_or(0);
        let (count, via) = if logged > 0 {
            (logged, "log")
        } else {
            (resends, "attribute")
        };
        if count == 0 {
            return false;
        }
        let proof = self.proof(
            "hidden_attempts",
            f64::from(count),
            Some(0.0),
            "attempts",
            via,
            "attempts failed inside the span of a call that then succeeded",
        );
        self.charge(account, Cause::RetryCascade, self.millis, proof)
    }

    /// The server worked for a shorter time than the client waited, and not because of the network.
    fn outside_server(&self, account: &mut Account) -> bool {
        let Some(engine) = self
            .call
            .engine
            .and_then(|e| self.scene.dataset.spans.get(e.get() as usize))
        else {
            return false;
        };
        let outside = self.call.window.len().since(engine.duration()).as_millis();
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

    /// Everybody here was slow while the servers here were not, and servers elsewhere were.
    fn served_elsewhere(&self, account: &mut Account) -> bool {
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
        // as well as its company.
        let like_elsewhere = own >= RISEN.ln().max(LIKE_ELSEWHERE * elsewhere.ln())
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

    /// Others were failing at that moment, and this call waited before its first token.
    fn throttled_company(&self, account: &mut Account) -> bool {
        let scene = self.scene;
        let floor = scene.options.floor();
        let (early, others_needed, reach) = match self.seen.residual_split(self.call) {
            Some((first, _)) => (first > 2.0 * floor && first >= 0.6 * self.millis, 3, 20.0),
            None => (self.millis > 3.0 * floor, 5, 8.0),
        };
        if !early
            || self
                .company()
                .is_some_and(|(w, _)| w > self.company_limit())
        {
            return false;
        }
        // On quick dumps, one and a half tasks, as for all company.
        let reach = Nanos((reach * 1e9) as u64).min(scene.reach);
        let (from, to) = (self.call.window.start - reach, self.call.window.end + reach);
        let list = &scene.failures;
        let mut others: Vec<u32> = list
            [list.partition_point(|f| f.0 < from)..list.partition_point(|f| f.0 <= to)]
            .iter()
            .filter(|f| f.1 != self.request && f.2.as_millis() < THROTTLED * floor)
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
        self.charge(account, Cause::RetryCascade, self.millis, proof)
    }

    fn company(&self) -> Option<(f64, u32)> {
        let find = || self.scene.company(self.request, self.index);
        *self.company.get_or_init(find)
    }

    fn company_limit(&self) -> f64 {
        if let Some(swing) = &self.scene.swing {
            return swing.limit();
        }
        (COMPANY * self.scene.base.prices.spread)
            .clamp(LEAST_COMPANY, MOST_COMPANY)
            .exp()
    }

    /// Same work, higher price, in company: neighbours.
    fn neighbour(&self, account: &mut Account, has_volume: bool) {
        let best = self
            .company_evidence()
            .into_iter()
            .chain(self.giant_evidence())
            .chain(self.solo_evidence())
            .chain(self.together_evidence())
            .chain(self.metric_evidence())
            .chain(self.crowd_evidence())
            .fold(Support::default(), Support::with);
        let (weight, Some(proof)) = (best.weight, best.proof) else {
            return;
        };
        // What everybody suffers beyond doubt is not the natural variation of this request.
        let natural = if has_volume {
            0.0
        } else {
            NATURAL * self.expected_total() * (1.0 - best.certainty)
        };
        let millis = self.millis - natural;
        if millis <= 0.0 {
            return;
        }
        account.vouch(weight * millis, best.certainty);
        self.charge(account, Cause::NoisyNeighbour, weight * millis, proof);
    }

    fn company_evidence(&self) -> Option<Support> {
        let (shared, _) = self.company()?;
        let limit = self.company_limit();
        let weight = ((shared / limit - 1.0) / (FULL_COMPANY - 1.0)).clamp(0.0, 1.0);
        let certainty = (shared / limit - FULL_COMPANY) / (CERTAIN_COMPANY - FULL_COMPANY);
        Some(Support::of(
            weight,
            certainty.clamp(0.0, 1.0),
            self.proof(
                "shared_slowdown",
                shared,
                Some(1.0),
                "x normal",
                "derived",
                "other requests' calls at the same place and time were slowed as well",
            ),
        ))
    }

    fn giant_evidence(&self) -> Option<Support> {
        let tail = Nanos((GIANT_TAIL * self.scene.options.floor() * 1e6) as u64);
        let reach = Window {
            start: self.call.window.start - tail,
            end: self.call.window.end,
        };
        let extra: f64 = self
            .scene
            .giants(self.site, reach)
            .filter(|g| g.request != self.request)
            .map(|g| g.millis)
            .sum();
        (extra > 0.0 && extra >= GIANT_SHARE * self.millis).then(|| {
            Support::of(
                1.0,
                0.0,
                self.proof(
                    "neighbour_prefill",
                    extra,
                    Some(0.0),
                    "ms",
                    "derived",
                    "another request's extra prompt was being computed at the same place",
                ),
            )
        })
    }

    fn crowd_evidence(&self) -> Option<Support> {
        let others = self.scene.crowd.others(self.index)?;
        let usual = self.scene.crowd.usual;
        let weight = (others - CROWD * usual - LEAST_CROWD).clamp(0.0, 1.0);
        if weight <= 0.0 || self.seen.log_ratio < CROWD_SLOWED * self.scene.base.prices.spread {
            return None;
        }
        Some(Support::of(
            weight,
            0.0,
            self.proof(
                "others_in_flight",
                others,
                Some(usual),
                "calls",
                "derived",
                "the server was working for others at the same time",
            ),
        ))
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
                    "slowdown_of_request",
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
        let level = self.scene.serving.at_home(self.call)?;
        let limit = self.company_limit().max(PRESSURE);
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
