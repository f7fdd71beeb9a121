//! What was paid for nothing: attempts that failed, rounds that asked for the same tool call again, and
//! prompt tokens that are usually read from a cache and were paid in full.

use hashbrown::HashMap;
use rayon::prelude::*;

use super::pricer::{Calls, terms_of, usage_of};
use crate::aggregate::prices::Usage;
use crate::trace::{Repeats, StepKind};
use crate::units::Usd;

/// Why a call, or part of it, was paid for nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WasteReason {
    /// It failed, and its tokens were paid.
    FailedAttempts,
    /// It asked for a tool call that had been made before with the same arguments.
    RepeatedCalls,
    /// Its prompt is usually read from the cache and was not.
    LostCache,
}

impl WasteReason {
    const ALL: [Self; 3] = [Self::FailedAttempts, Self::RepeatedCalls, Self::LostCache];

    /// Stable lower-case name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::FailedAttempts => "failed_attempts",
            Self::RepeatedCalls => "repeated_calls",
            Self::LostCache => "lost_cache",
        }
    }

    /// One sentence for the reader.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::FailedAttempts => "model calls that failed",
            Self::RepeatedCalls => {
                "rounds that asked for a tool call that had been made before with the same arguments"
            }
            Self::LostCache => {
                "prompt tokens that such calls usually read from the cache, paid at the full price"
            }
        }
    }
}

/// What was wasted for one reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WasteItem {
    /// Why.
    pub reason: WasteReason,
    /// Calls concerned.
    pub calls: u64,
    /// Requests with such a call.
    pub requests: u64,
    /// Tokens paid for nothing, or paid too dear.
    pub tokens: u64,
    /// What that cost; `None` when no such call could be priced.
    pub cost: Option<Usd>,
    /// Calls concerned whose tokens or price the dump does not show: not in `cost`.
    pub unpriced_calls: u64,
}

/// What was paid for nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Waste {
    /// Over all reasons; `None` when no call was found that could be priced.
    pub cost: Option<Usd>,
    /// By reason, dearest first; reasons without a call are left out.
    pub items: Vec<WasteItem>,
}

/// Calls alike that it takes to know what share of their prompts the cache usually holds.
const LEAST_ALIKE: usize = 8;
/// A cache is lost when it holds less than this part of the usual.
const LOST: u64 = 2;
/// Positions in a conversation that are told apart; later ones are alike.
const POSITIONS: u32 = 3;

/// Calls whose caching is compared: price list, kind of task, position in the conversation.
type Alike = (u32, u32, u32);

/// Finds what was wasted and writes it into the rows. A call is wasted for one reason only.
pub(super) fn find(calls: &mut Calls<'_>) -> Waste {
    let repeated = repeated(calls);
    let places = places(calls);
    let usual = usual_shares(calls, &places);
    let wasted = |row: usize| {
        let (op, line) = (calls.op(row)?, &calls.rows[row]);
        let whole = |reason| Found {
            row,
            reason,
            tokens: line.input.saturating_add(line.output),
            cost: line.cost,
        };
        if op.kind == StepKind::Failed {
            Some(whole(WasteReason::FailedAttempts))
        } else if repeated.binary_search(&calls.origins[row].op).is_ok() {
            Some(whole(WasteReason::RepeatedCalls))
        } else {
            lost_cache(calls, row, places[row], &usual)
        }
    };
    let found = (0..calls.rows.len()).into_par_iter().filter_map(wasted);
    let found: Vec<Found> = found.collect();
    let mut tally = Tally::default();
    for found in found {
        let line = &mut calls.rows[found.row];
        tally.add(found.reason, line.request, found.tokens, found.cost);
        line.wasted = found.cost.unwrap_or(0).max(0);
    }
    count_unmetered(calls, &repeated, &mut tally);
    tally.finish()
}

/// What one call wasted.
struct Found {
    row: usize,
    reason: WasteReason,
    tokens: u64,
    cost: Option<i64>,
}

/// The part of a prompt that calls alike usually find in the cache, and this one did not.
fn lost_cache(
    calls: &Calls<'_>,
    row: usize,
    place: Place,
    usual: &HashMap<Alike, u64>,
) -> Option<Found> {
    let (origin, line) = (calls.origins[row], &calls.rows[row]);
    let alike = (origin.tariff, line.keys[1], place.position);
    let share = *usual.get(&alike).filter(|_| origin.shows_cache)?;
    if !is_lost(line.cached, place.usual(share)) {
        return None;
    }
    let (op, call, tariff) = calls.get(row)?;
    let usage = usage_of(&call);
    let lost = lost(usage, place.usual(share));
    let restored = Usage {
        cached: usage.cached + lost,
        ..usage
    };
    let terms = terms_of(calls.data, &call, op.window.start);
    let cheaper = tariff.and_then(|tariff| tariff.cost(terms, restored));
    (lost > 0).then_some(Found {
        row,
        reason: WasteReason::LostCache,
        tokens: lost,
        cost: line.cost.zip(cheaper).map(|(paid, due)| paid - due.0),
    })
}

/// Attempts whose tokens the dump does not show: failed ones, and resends hidden inside a span.
fn count_unmetered(calls: &Calls<'_>, repeated: &[u32], tally: &mut Tally) {
    for (request, index) in calls.forest.requests.iter().zip(0..) {
        for (op, at) in super::ops(calls.forest, request)
            .iter()
            .zip(request.ops.start..)
        {
            let Some(call) = super::call_of(calls.data, op) else {
                continue;
            };
            let hidden = u64::from(call.resends.unwrap_or(0));
            tally.unpriced(WasteReason::FailedAttempts, index, hidden);
            let has_row = || calls.origins.binary_search_by_key(&at, |o| o.op).is_ok();
            if op.kind == StepKind::Failed {
                tally.unpriced(WasteReason::FailedAttempts, index, u64::from(!has_row()));
            } else if repeated.binary_search(&at).is_ok() {
                tally.unpriced(WasteReason::RepeatedCalls, index, u64::from(!has_row()));
            }
        }
    }
}

/// Operations that are rounds which asked for the same again, sorted.
fn repeated(calls: &Calls<'_>) -> Vec<u32> {
    let repeats = Repeats::find(calls.data, calls.forest);
    let mut rounds = Vec::new();
    for (lane, index) in calls.forest.lanes.iter().zip(0..) {
        let of_lane = repeats.of(index).iter();
        rounds.extend(of_lane.map(|repeat| lane.ops.start + repeat.round as u32));
    }
    rounds.sort_unstable();
    rounds.dedup();
    rounds
}

/// Where a call stands in its conversation, and how much of its prompt was sent before.
#[derive(Clone, Copy)]
struct Place {
    position: u32,
    /// Prompt tokens that the call before sent as well; of the first call nothing is known, so that
    /// its cache is counted in tokens and not as a share.
    before: Option<u64>,
}

/// The place of each row's call in its lane.
fn places(calls: &Calls<'_>) -> Vec<Place> {
    let mut places = Vec::with_capacity(calls.rows.len());
    let (mut lane, mut next, mut sent) = (u32::MAX, 0, None);
    for (row, line) in calls.rows.iter().enumerate() {
        let of = calls.op(row).map_or(u32::MAX, |op| op.lane);
        if of != lane {
            (lane, next, sent) = (of, 0, None);
        }
        places.push(Place {
            position: next.min(POSITIONS),
            before: sent.map(|sent: u64| sent.min(line.input)),
        });
        next += 1;
        sent = Some(line.input);
    }
    places
}

impl Place {
    /// What shares of the cache are taken of.
    fn base(self) -> u64 {
        self.before.unwrap_or(MILLION)
    }

    /// Tokens that the cache usually holds here.
    fn usual(self, share: u64) -> u64 {
        (u128::from(self.base()) * u128::from(share) / u128::from(MILLION)) as u64
    }
}

const MILLION: u64 = 1_000_000;

/// How much the cache holds in the median of calls alike: of the first call in tokens, of later ones in
/// millionths of what was sent before.
fn usual_shares(calls: &Calls<'_>, places: &[Place]) -> HashMap<Alike, u64> {
    let mut shares: HashMap<Alike, Vec<u64>> = HashMap::new();
    for (row, place) in places.iter().enumerate() {
        let (origin, line) = (calls.origins[row], &calls.rows[row]);
        if origin.shows_cache && line.input > 0 && place.base() > 0 {
            let cached = u128::from(line.cached.min(line.input));
            let share = cached * u128::from(MILLION) / u128::from(place.base());
            let alike = (origin.tariff, line.keys[1], place.position);
            shares.entry(alike).or_default().push(share as u64);
        }
    }
    let median = |(alike, mut all): (Alike, Vec<u64>)| {
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable(middle);
        (alike, *median)
    };
    let enough = shares
        .into_iter()
        .filter(|(_, all)| all.len() >= LEAST_ALIKE);
    enough.map(median).collect()
}

fn is_lost(cached: u64, usual: u64) -> bool {
    cached.saturating_mul(LOST) < usual
}

/// Tokens that the cache usually holds and did not.
fn lost(usage: Usage, usual: u64) -> u64 {
    let room = usage
        .input
        .saturating_sub(usage.cached)
        .saturating_sub(usage.cache_write);
    if is_lost(usage.cached, usual) {
        (usual - usage.cached).min(room)
    } else {
        0
    }
}

#[derive(Default)]
struct Tally {
    items: [Option<WasteItem>; WasteReason::ALL.len()],
    last: [Option<u32>; WasteReason::ALL.len()],
    seen: [hashbrown::HashSet<u32>; WasteReason::ALL.len()],
}

impl Tally {
    fn item(&mut self, reason: WasteReason, request: u32) -> &mut WasteItem {
        let at = reason as usize;
        let fresh = self.last[at] != Some(request) && self.seen[at].insert(request);
        self.last[at] = Some(request);
        let item = self.items[at].get_or_insert(WasteItem {
            reason,
            calls: 0,
            requests: 0,
            tokens: 0,
            cost: None,
            unpriced_calls: 0,
        });
        item.requests += u64::from(fresh);
        item
    }

    fn add(&mut self, reason: WasteReason, request: u32, tokens: u64, cost: Option<i64>) {
        let item = self.item(reason, request);
        item.calls += 1;
        item.tokens += tokens;
        match cost {
            Some(cost) => *item.cost.get_or_insert_default() += Usd(cost.max(0)),
            None => item.unpriced_calls += 1,
        }
    }

    fn unpriced(&mut self, reason: WasteReason, request: u32, calls: u64) {
        if calls > 0 {
            let item = self.item(reason, request);
            item.calls += calls;
            item.unpriced_calls += calls;
        }
    }

    fn finish(self) -> Waste {
        let mut items: Vec<WasteItem> = self.items.into_iter().flatten().collect();
        items.sort_by_key(|item| (std::cmp::Reverse(item.cost), item.reason));
        let mut costs = items.iter().filter_map(|item| item.cost).peekable();
        Waste {
            cost: costs.peek().is_some().then(|| costs.sum()),
            items,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_lost_when_it_holds_less_than_half_of_the_usual() {
        let usage = |input, cached| Usage {
            input,
            cached,
            ..Usage::default()
        };
        assert_eq!(lost(usage(1000, 0), 800), 800);
        assert_eq!(lost(usage(1000, 300), 800), 500);
        assert_eq!(lost(usage(1000, 400), 800), 0);
        assert_eq!(lost(usage(1000, 0), 0), 0);
        // A prompt that grew is not a cache that was lost.
        assert_eq!(lost(usage(9000, 800), 800), 0);
        let written = Usage {
            cache_write: 900,
            ..usage(1000, 0)
        };
        assert_eq!(lost(written, 800), 100);
    }
}
