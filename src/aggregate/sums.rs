//! Rows of calls and their sums.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::prelude::*;

/// Calls that one thread sums at a time.
const AT_ONCE: usize = 1 << 15;

/// What calls are grouped by: the columns of [`CallRow::keys`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    Model,
    Task,
    Agent,
    Tenant,
    Day,
}

impl Key {
    const ALL: [Self; 5] = [
        Self::Model,
        Self::Task,
        Self::Agent,
        Self::Tenant,
        Self::Day,
    ];
}

/// One model call, counted once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CallRow {
    /// Codes of model, task, agent, tenant and day, in the order of [`Key`].
    pub(super) keys: [u32; 5],
    pub(super) request: u32,
    pub(super) input: u32,
    pub(super) cached: u32,
    pub(super) output: u32,
    /// Nano-dollars, where the call could be priced.
    pub(super) cost: Option<i64>,
    /// Of these: paid for nothing.
    pub(super) wasted: i64,
}

impl CallRow {
    /// Tokens in and out.
    pub(super) fn tokens(&self) -> u64 {
        u64::from(self.input) + u64::from(self.output)
    }
}

/// Sums over the calls that share a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct SumRow {
    pub(super) code: u32,
    pub(super) calls: u64,
    pub(super) requests: u64,
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) output: u64,
    /// Tokens of calls that could be priced.
    pub(super) priced_tokens: u64,
    pub(super) priced_calls: u64,
    pub(super) cost: i64,
    pub(super) wasted: i64,
}

impl SumRow {
    /// One call, of no request yet and under no code.
    fn of(row: &CallRow) -> Self {
        let priced = row.cost.map(|_| row.tokens());
        Self {
            calls: 1,
            input: row.input.into(),
            cached: row.cached.into(),
            output: row.output.into(),
            priced_tokens: priced.unwrap_or(0),
            priced_calls: u64::from(priced.is_some()),
            cost: row.cost.unwrap_or(0),
            wasted: row.wasted,
            ..Self::default()
        }
    }

    /// Sums of other calls with the same code.
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.requests += other.requests;
        self.input = self.input.saturating_add(other.input);
        self.cached = self.cached.saturating_add(other.cached);
        self.output = self.output.saturating_add(other.output);
        self.priced_tokens = self.priced_tokens.saturating_add(other.priced_tokens);
        self.priced_calls += other.priced_calls;
        self.cost = self.cost.saturating_add(other.cost);
        self.wasted = self.wasted.saturating_add(other.wasted);
    }
}

/// Sums of all calls, by key and code.
#[derive(Debug, Default)]
pub(super) struct Totals([BTreeMap<u32, SumRow>; Key::ALL.len()]);

impl Totals {
    /// Sums `rows`, which come request by request.
    pub(super) fn of(rows: &[CallRow]) -> Self {
        Self::in_parts(rows, AT_ONCE)
    }

    fn in_parts(mut rows: &[CallRow], size: usize) -> Self {
        let mut parts = Vec::new();
        while !rows.is_empty() {
            let at = size.clamp(1, rows.len());
            // Whole requests, so that each is counted in one part.
            let request = rows[at - 1].request;
            let more = rows[at..].iter().take_while(|row| row.request == request);
            let (part, rest) = rows.split_at(at + more.count());
            parts.push(part);
            rows = rest;
        }
        let sums = parts.into_par_iter().map(Part::of);
        sums.collect::<Vec<_>>()
            .iter()
            .fold(Self::default(), Self::with)
    }

    /// Adds what a part sums to, key by key. Money is summed as integers, so that the order of parts cannot show.
    fn with(mut self, part: &Part) -> Self {
        for (sums, seen) in self.0.iter_mut().zip(&part.0) {
            for (code, seen) in seen {
                let sum = sums.entry(*code).or_default();
                sum.code = *code;
                sum.add(&seen.sum);
            }
        }
        self
    }

    /// The sums per code of one key, by code.
    pub(super) fn by(&self, key: Key) -> Vec<SumRow> {
        self.0[key as usize].values().copied().collect()
    }
}

/// What some calls sum to, by key and code.
#[derive(Default)]
struct Part([HashMap<u32, Seen, FixedState>; Key::ALL.len()]);

/// A sum, and the request that was added last.
struct Seen {
    sum: SumRow,
    last: u32,
}

impl Part {
    fn of(rows: &[CallRow]) -> Self {
        let mut part = Self::default();
        for row in rows {
            let call = SumRow::of(row);
            for (sums, code) in part.0.iter_mut().zip(row.keys) {
                let seen = sums.entry(code).or_insert_with(Seen::nothing);
                seen.add(&call, row.request);
            }
        }
        part
    }
}

impl Seen {
    fn nothing() -> Self {
        Self {
            sum: SumRow::default(),
            last: u32::MAX,
        }
    }

    /// One call; requests come one after the other.
    fn add(&mut self, call: &SumRow, request: u32) {
        self.sum.add(call);
        self.sum.requests += u64::from(self.last != request);
        self.last = request;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_per_code_and_no_rows_without_calls() {
        let call = |model, request, cost| CallRow {
            keys: [model, 0, 0, 0, 0],
            request,
            input: 10,
            cached: 4,
            output: 1,
            cost,
            wasted: 1,
        };
        let rows = [
            call(7, 0, Some(5)),
            call(2, 0, None),
            call(7, 0, Some(6)),
            call(7, 1, None),
        ];
        let totals = Totals::of(&rows).by(Key::Model);
        let seven = SumRow {
            code: 7,
            calls: 3,
            requests: 2,
            input: 30,
            cached: 12,
            output: 3,
            priced_tokens: 22,
            priced_calls: 2,
            cost: 11,
            wasted: 3,
        };
        assert_eq!(totals.len(), 2);
        assert_eq!((totals[0].code, totals[0].priced_calls), (2, 0));
        assert_eq!(totals[1], seven);
        assert!(Totals::of(&[]).by(Key::Day).is_empty());
        for size in 1..=5 {
            let parts = Totals::in_parts(&rows, size);
            assert_eq!(parts.by(Key::Model), totals, "{size} at once");
        }
    }
}
