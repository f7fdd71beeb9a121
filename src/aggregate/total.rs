//! Sums of cost over a group of calls.

use super::sums::SumRow;
use crate::units::{Ratio, Usd};

/// Sums over the calls of one group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Total {
    /// Name of the group; empty where the dump does not name one.
    pub key: String,
    /// Requests with a call in it.
    pub requests: u64,
    /// Model calls with token counts.
    pub calls: u64,
    /// Prompt tokens, cached ones included.
    pub input_tokens: u64,
    /// Of these: served from a cache.
    pub cached_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// US dollars; `None` when no call could be priced.
    pub cost: Option<Usd>,
    /// Of `cost`: paid for nothing.
    pub wasted: Option<Usd>,
    /// Tokens of the calls that could be priced, of all.
    pub priced: Ratio,
}

impl Total {
    /// Tokens that a dollar bought, in and out; `None` when nothing was paid.
    #[must_use]
    pub fn tokens_per_dollar(&self) -> Option<f64> {
        let cost = self.cost.filter(|cost| cost.0 > 0)?;
        Some(self.priced.part as f64 / cost.as_dollars())
    }

    /// What a thousand such requests cost; `None` without a priced call.
    #[must_use]
    pub fn per_thousand_requests(&self) -> Option<Usd> {
        let requests = i128::from(self.requests);
        let nano = i128::from(self.cost?.0) * 1000;
        let each = (nano + requests / 2).checked_div(requests)?;
        i64::try_from(each).ok().map(Usd)
    }
}

/// Sums with the names of their codes.
pub(super) fn labelled(rows: Vec<SumRow>, label: impl Fn(u32) -> String) -> Vec<Total> {
    let total = |row: SumRow| Total {
        key: label(row.code),
        requests: row.requests,
        calls: row.calls,
        input_tokens: row.input,
        cached_tokens: row.cached,
        output_tokens: row.output,
        cost: (row.priced_calls > 0).then_some(Usd(row.cost)),
        wasted: (row.priced_calls > 0).then_some(Usd(row.wasted)),
        priced: Ratio {
            part: row.priced_tokens,
            whole: row.input.saturating_add(row.output),
        },
    };
    rows.into_iter().map(total).collect()
}

/// Sorts by cost, then tokens, both falling, then by name.
pub(super) fn dearest(total: &Total) -> (std::cmp::Reverse<(Option<Usd>, u64)>, &str) {
    let rank = std::cmp::Reverse((total.cost, total.priced.whole));
    (rank, &total.key)
}

/// The sum of all parts; requests are counted apart, for a request may have several parts.
pub(super) fn whole(parts: &[Total], requests: u64) -> Total {
    let mut sum = Total {
        requests,
        ..Total::default()
    };
    for part in parts {
        sum.calls += part.calls;
        sum.input_tokens += part.input_tokens;
        sum.cached_tokens += part.cached_tokens;
        sum.output_tokens += part.output_tokens;
        sum.priced.part += part.priced.part;
        sum.priced.whole += part.priced.whole;
        if let Some(cost) = part.cost {
            *sum.cost.get_or_insert_default() += cost;
        }
        if let Some(wasted) = part.wasted {
            *sum.wasted.get_or_insert_default() += wasted;
        }
    }
    sum
}

/// The date of a day counted from 1970-01-01.
pub(super) fn day_label(day: u32) -> String {
    jiff::Timestamp::from_second(i64::from(day) * 86_400).map_or_else(
        |_| String::new(),
        |midnight| midnight.strftime("%Y-%m-%d").to_string(),
    )
}
