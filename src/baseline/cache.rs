//! When a prompt is usually found in a prefix cache. Caches forget: what counts is how long the same
//! tenant's agent was idle, so hits are learned per idle time.

use std::sync::Arc;

use super::{Call, CallIx, Calls, Map};
use crate::stats::{median, quantile};
use crate::units::{Nanos, Sym, roomy};

/// Upper bounds of the idle-time bins, seconds; the last bin is open.
const IDLE_BINS: [f64; 4] = [20.0, 60.0, 150.0, 400.0];
/// Hits are expected where at least this share was one.
const EXPECT_AT: f64 = 0.7;
/// A later call of a lane is expected to find the prompt before it as soon as this share does: within a
/// lane there is no idle time to forget in, so misses are not natural however many there are.
const EXPECT_LATER_AT: f64 = 0.15;
/// Where this many requests lost their cache in later calls, a first call's miss at the same place and time was no
/// accident, even if first calls hit as seldom as that.
const WITNESSES: u32 = 2;
/// Where this many requests had later calls and kept their cache, it was one, unless hits are this much the rule.
const WATCHERS: u32 = 4;
const SURE_AT: f64 = 0.8;
/// Bins with fewer calls than this are not relied on.
const LEAST: u32 = 4;

type Group = (Sym, Sym);

/// Cache habits of first calls, by kind of task and agent.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct CacheHabits {
    #[serde(skip)]
    idle: Arc<Idle>,
    #[serde(with = "super::pairs")]
    hits: Map<(Group, usize), (u32, u32)>,
    #[serde(with = "super::pairs")]
    cached: Map<Group, f64>,
    #[serde(with = "super::pairs")]
    later: Map<Group, (u32, u32)>,
    any_later: (u32, u32),
    /// Median share of the lane's previous prompt that a later call finds cached.
    kept_share: f64,
    /// True when the dump shows cached tokens at all.
    pub shown: bool,
    /// Of requests with later calls at a place and time: how many lost their cache in one, and all.
    #[serde(with = "super::pairs")]
    losses: Map<(Sym, u64), (u32, u32)>,
    /// Length of such a time, nanoseconds.
    bin: u64,
}

impl CacheHabits {
    /// Learns from the calls in `kept`; idle times come from all calls.
    #[must_use]
    pub fn learn(calls: &Calls, idle: &Arc<Idle>, kept: &[CallIx]) -> Self {
        let mut habits = Self {
            idle: Arc::clone(idle),
            shown: calls.all.iter().any(|c| c.cached.is_some()),
            ..Self::default()
        };
        let mut cached: Map<Group, Vec<f64>> = Map::default();
        let first = |&i: &CallIx| {
            let call = calls.get(i);
            (call.previous.is_none()).then_some((i, call, f64::from(call.cached?)))
        };
        for (_, call, tokens) in kept.iter().filter_map(first) {
            cached
                .entry((call.kind, call.agent))
                .or_default()
                .push(tokens);
        }
        for (group, mut values) in cached {
            values.sort_unstable_by(f64::total_cmp);
            // A full hit is what the better calls get; what most hits get is their median.
            let full = quantile(&values, 0.8).unwrap_or(0.0);
            let mut hits: Vec<f64> = values
                .into_iter()
                .filter(|v| *v > 0.5 * full && *v > 0.0)
                .collect();
            if let Some(typical) = median(&mut hits) {
                habits.cached.insert(group, typical);
            }
        }
        for (i, call, tokens) in kept.iter().filter_map(first) {
            let group = (call.kind, call.agent);
            let Some(&typical) = habits.cached.get(&group) else {
                continue;
            };
            let hit = u32::from(tokens > 0.5 * typical);
            let bin = habits.idle.bin(i);
            let entry = habits.hits.entry((group, bin)).or_default();
            *entry = (entry.0 + hit, entry.1 + 1);
        }
        habits.learn_later(calls, kept);
        habits.count_losses(calls);
        habits
    }

    /// With idle times that were learned among more calls than these.
    pub(crate) fn set_idle_times(&mut self, idle: Idle) {
        self.idle = Arc::new(idle);
    }

    /// Takes from `other` what it knows. Idle times and what is shown stay this dump's.
    pub(super) fn prefer(&mut self, other: &Self) {
        // Two days count together: each alone has few first calls of an agent after a given idle time.
        for (key, (hits, n)) in &other.hits {
            let own = self.hits.entry(*key).or_default();
            *own = (own.0 + hits, own.1 + n);
        }
        self.cached.extend(&other.cached);
        let enough = other.later.iter().filter(|(_, (_, n))| *n >= LEAST);
        self.later.extend(enough);
        if other.any_later.1 >= LEAST {
            self.any_later = other.any_later;
            self.kept_share = other.kept_share;
        }
    }

    fn learn_later(&mut self, calls: &Calls, kept: &[CallIx]) {
        let mut shares = roomy(kept.len());
        for &i in kept {
            let call = calls.get(i);
            let (Some(before), Some(cached)) =
                (call.before(calls).and_then(|b| b.input), call.cached)
            else {
                continue;
            };
            let share = f64::from(cached) / f64::from(before).max(1.0);
            let hit = u32::from(share >= 0.5);
            for entry in [
                self.later.entry((call.kind, call.agent)).or_default(),
                &mut self.any_later,
            ] {
                entry.0 += hit;
                entry.1 += 1;
            }
            if hit == 1 {
                shares.push(share.min(1.0));
            }
        }
        self.kept_share = median(&mut shares).unwrap_or(0.0);
    }

    /// Counts over all calls, faulted or not, in times as long as one and a half requests.
    fn count_losses(&mut self, calls: &Calls) {
        let requests = || calls.all.chunk_by(|a, b| a.request == b.request);
        let mut lengths: Vec<f64> = requests().filter_map(length).collect();
        self.bin = (1.5 * median(&mut lengths).unwrap_or(0.0)).clamp(1e9, 30e9) as u64;
        let mut own: Map<(Sym, u64), bool> = Map::default();
        for request in requests() {
            for call in request {
                if let Some(lost) = self.lost(calls, call) {
                    *own.entry(self.place(call)).or_default() |= lost;
                }
            }
            for (place, lost) in own.drain() {
                let sum = self.losses.entry(place).or_default();
                *sum = (sum.0 + u32::from(lost), sum.1 + 1);
            }
        }
    }

    /// Whether a later call lost the cache that its lane had.
    fn lost(&self, calls: &Calls, call: &Call) -> Option<bool> {
        let usual = self.expected_later(calls, call)?;
        Some(f64::from(call.cached?) < 0.5 * usual)
    }

    fn place(&self, call: &Call) -> (Sym, u64) {
        let time = call.window.start.0 / self.bin.max(1);
        (call.endpoint.or(call.region), time)
    }

    /// Requests with later calls at the place and time of a call: those that lost their cache, and all.
    fn around(&self, call: &Call) -> (u32, u32) {
        let (place, time) = self.place(call);
        let times = time.saturating_sub(1)..=time + 1;
        let counts = times.filter_map(|time| self.losses.get(&(place, time)));
        counts.fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1))
    }

    /// Tokens a later call of a lane is expected to find cached: the prompt of the call before it, where
    /// later calls of its kind usually do.
    #[must_use]
    pub fn expected_later(&self, calls: &Calls, call: &Call) -> Option<f64> {
        let before = call.before(calls)?.input?;
        let (hits, n) = self
            .later
            .get(&(call.kind, call.agent))
            .copied()
            .filter(|(_, n)| *n >= LEAST)
            .unwrap_or(self.any_later);
        (n > 0 && f64::from(hits) >= EXPECT_LATER_AT * f64::from(n))
            .then(|| f64::from(before) * self.kept_share)
    }

    /// Tokens a first call of this kind usually finds cached, and the share of such calls that do after
    /// the same idle time.
    #[must_use]
    pub fn usual(&self, index: CallIx, call: &Call) -> Option<(f64, f64)> {
        let group = (call.kind, call.agent);
        let typical = *self.cached.get(&group)?;
        let (hits, n) = self
            .hits
            .get(&(group, self.idle.bin(index)))
            .copied()
            .filter(|(_, n)| *n >= LEAST)?;
        Some((typical, f64::from(hits) / f64::from(n)))
    }

    /// Tokens a first call is expected to find cached; `None` where hits are not the rule. A single miss may be an
    /// accident; those who were served at the same place and time tell.
    #[must_use]
    pub fn expected(&self, index: CallIx, call: &Call) -> Option<f64> {
        let (tokens, rate) = self.usual(index, call)?;
        let (lost, all) = self.around(call);
        let least = if lost >= WITNESSES {
            EXPECT_LATER_AT
        } else if all >= WATCHERS {
            SURE_AT
        } else {
            EXPECT_AT
        };
        (rate >= least).then_some(tokens)
    }

    /// Tokens a first call of this kind finds when it finds any.
    #[must_use]
    pub fn when_hit(&self, call: &Call) -> Option<f64> {
        self.cached.get(&(call.kind, call.agent)).copied()
    }
}

/// How long the same tenant's agent had not been served at the same address before each first call.
/// Absent for the first of its tenant and agent. Does not depend on what is normal.
#[derive(Clone, Debug, Default)]
pub struct Idle(Map<CallIx, u8>);

impl Idle {
    /// Looks at all calls.
    #[must_use]
    pub fn before(calls: &Calls) -> Self {
        let key = |c: &Call| (c.tenant, c.agent, c.endpoint);
        let mut ends: Map<(Sym, Sym, Sym), Vec<Nanos>> = Map::default();
        for call in &calls.all {
            ends.entry(key(call)).or_default().push(call.window.end);
        }
        ends.values_mut().for_each(|v| v.sort_unstable());
        let firsts = calls.all.iter().zip(0..);
        let firsts = firsts.filter(|(c, _)| c.previous.is_none());
        let bins = firsts.filter_map(|(call, i)| {
            let list = ends.get(&key(call))?;
            let before = list.partition_point(|e| *e <= call.window.start);
            let last = *list.get(before.checked_sub(1)?)?;
            Some((i, bin(call.window.start.since(last).as_millis())))
        });
        Self(bins.collect())
    }

    /// What was learned of these calls among others, as [`Idle::known`] gave it.
    pub(crate) fn among_others(known: impl IntoIterator<Item = (CallIx, u8)>) -> Self {
        Self(known.into_iter().collect())
    }

    /// Number of the bin of idle time before a call, where something came before.
    pub(crate) fn known(&self, index: CallIx) -> Option<u8> {
        self.0.get(&index).copied()
    }

    /// The same; one of its own where nothing came before.
    fn bin(&self, index: CallIx) -> usize {
        self.known(index).map_or(IDLE_BINS.len() + 1, usize::from)
    }
}

fn bin(idle_ms: f64) -> u8 {
    IDLE_BINS.iter().take_while(|b| idle_ms > **b * 1e3).count() as u8
}

/// From the first start to the last end of a request's calls, nanoseconds.
fn length(request: &[Call]) -> Option<f64> {
    let start = request.iter().map(|call| call.window.start).min()?;
    let end = request.iter().map(|call| call.window.end).max()?;
    Some(end.since(start).0 as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Small, Window};

    const PROMPT: u32 = 4_000;

    /// Requests of two calls, one each second; those numbered in `cold` find nothing cached, and of every
    /// four another's first call does not either.
    fn calls(cold: std::ops::Range<u32>) -> Calls {
        let mut calls = Calls::default();
        for request in 0..80_u32 {
            let start = u64::from(request) * 1_000_000_000;
            for round in 0..2_u32 {
                let start = start + u64::from(round) * 2_000_000_000;
                let misses = cold.contains(&request) || round == 0 && request % 4 == 0;
                let previous = (round > 0).then(|| Small::new(calls.all.len() as u32 - 1));
                calls.all.push(Call {
                    op: 0,
                    request,
                    span: 0,
                    previous,
                    round,
                    window: Window {
                        start: Nanos(start),
                        end: Nanos(start + 1_000_000_000),
                    },
                    input: Some(Small::new(PROMPT)),
                    cached: Some(Small::new(if misses { 0 } else { PROMPT })),
                    output: None,
                    first_token: None,
                    model: Sym(1),
                    endpoint: Sym::NONE,
                    region: Sym::NONE,
                    service: Sym::NONE,
                    kind: Sym(2),
                    agent: Sym(2),
                    finish: Sym::NONE,
                    tenant: Sym(request + 3),
                    server_side_only: false,
                    resends: 0,
                    engine: None,
                });
            }
        }
        calls
    }

    fn expected(calls: &Calls, request: u32) -> Option<f64> {
        let idle = Arc::new(Idle::before(calls));
        let kept: Vec<CallIx> = (0..calls.all.len() as CallIx).collect();
        let habits = CacheHabits::learn(calls, &idle, &kept);
        habits.expected(2 * request, calls.get(2 * request))
    }

    #[test]
    fn a_miss_among_others_that_kept_their_cache_is_an_accident() {
        assert_eq!(expected(&calls(0..0), 40), None);
    }

    #[test]
    fn a_miss_among_others_that_lost_theirs_is_none() {
        let calls = calls(38..43);
        assert_eq!(expected(&calls, 40), Some(f64::from(PROMPT)));
        assert_eq!(expected(&calls, 4), None);
    }
}
