//! What was paid for nothing: attempts that failed, rounds that asked for the same tool call again, and
//! prompt tokens that are usually read from a cache and were paid in full.

use super::lost;
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

/// Finds what was wasted and writes it into the rows. A call is wasted for one reason only.
pub(super) fn find(calls: &mut Calls<'_>) -> Waste {
    let repeated = repeated(calls);
    let lost = lost::tokens(calls);
    let mut tally = Tally::default();
    // Both lists are in the order of rows.
    let mut lost = lost.iter().copied().peekable();
    let mut rounds = repeated.iter().copied().peekable();
    for row in 0..calls.rows.len() {
        let lost = lost.next_if(|(of, _)| *of == row).map(|(_, lost)| lost);
        let Some(op) = calls.op(row) else {
            continue;
        };
        let (origin, line) = (calls.origins[row], calls.rows[row]);
        while rounds.next_if(|round| *round < origin.op).is_some() {}
        let whole = (line.tokens(), line.cost);
        let found = if op.kind == StepKind::Failed {
            Some((WasteReason::FailedAttempts, whole))
        } else if rounds.peek() == Some(&origin.op) {
            Some((WasteReason::RepeatedCalls, whole))
        } else {
            lost.map(|lost| (WasteReason::LostCache, (lost, extra(calls, row, lost))))
        };
        if let Some((reason, (tokens, cost))) = found {
            tally.add(reason, line.request, tokens, cost);
            calls.rows[row].wasted = cost.unwrap_or(0).max(0);
        }
    }
    count_unmetered(calls, &repeated, &mut tally);
    tally.finish()
}

/// What a row cost more than it would have with `lost` tokens in the cache.
fn extra(calls: &Calls<'_>, row: usize, lost: u64) -> Option<i64> {
    let (op, call, tariff) = calls.get(row)?;
    let usage = usage_of(&call);
    let restored = Usage {
        cached: usage.cached + lost,
        ..usage
    };
    let due = tariff?.cost(terms_of(calls.data, &call, op.window.start), restored)?;
    calls.rows[row].cost.map(|paid| paid - due.0)
}

/// Attempts whose tokens the dump does not show: failed ones, and resends hidden inside a span.
fn count_unmetered(calls: &Calls<'_>, repeated: &[u32], tally: &mut Tally) {
    let hidden = calls.data.llm.any_resends();
    for (request, index) in calls.forest.requests.iter().zip(0..) {
        let before = |end: u32| repeated.partition_point(|round| *round < end);
        let repeated = &repeated[before(request.ops.start)..before(request.ops.end)];
        let own = super::ops(calls.forest, request).iter();
        for (op, at) in own.zip(request.ops.start..) {
            let repeats = || repeated.binary_search(&at).is_ok();
            if !hidden && op.kind != StepKind::Failed && !repeats() {
                continue;
            }
            let span = calls.data.spans.get(op.span as usize);
            let Some(call) = span.and_then(|span| calls.data.llm_index(span)) else {
                continue;
            };
            let hidden = u64::from(calls.data.llm.resends(call).unwrap_or(0));
            tally.unpriced(WasteReason::FailedAttempts, index, hidden);
            let has_row = || calls.origins.binary_search_by_key(&at, |o| o.op).is_ok();
            if op.kind == StepKind::Failed {
                tally.unpriced(WasteReason::FailedAttempts, index, u64::from(!has_row()));
            } else if repeats() {
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
