//! The table of calls and its sums: the one place that speaks polars. Plain rows go in and out.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use polars::prelude::*;
use rayon::prelude::*;

/// Calls summed at once. What a table takes besides its rows is several times their size, and its sums are
/// few.
const AT_ONCE: usize = 1 << 15;

/// The table could not be built or summed.
#[derive(Debug, thiserror::Error)]
#[error("summing the calls failed: {0}")]
pub struct FrameError(#[from] PolarsError);

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
    const NAMES: [&str; 5] = ["model", "task", "agent", "tenant", "day"];
    /// Columns that count requests by each.
    const REQUESTS: [&str; 5] = [
        "model_requests",
        "task_requests",
        "agent_requests",
        "tenant_requests",
        "day_requests",
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
    pub(super) fn of(rows: &[CallRow]) -> Result<Self, FrameError> {
        Self::in_parts(rows, AT_ONCE)
    }

    fn in_parts(mut rows: &[CallRow], size: usize) -> Result<Self, FrameError> {
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
        let sums = parts.into_par_iter().map(|part| {
            let frame = Frame::new(part)?;
            let sums = Key::ALL.into_iter().map(|key| frame.sums(key));
            sums.collect::<Result<Vec<_>, _>>()
        });
        let mut totals = Self::default();
        for part in sums.collect::<Result<Vec<_>, FrameError>>()? {
            totals.add(&part);
        }
        Ok(totals)
    }

    /// Adds what a part sums to, key by key.
    fn add(&mut self, part: &[Vec<SumRow>]) {
        for (sums, rows) in self.0.iter_mut().zip(part) {
            for row in rows {
                let fresh = || SumRow {
                    code: row.code,
                    ..SumRow::default()
                };
                sums.entry(row.code).or_insert_with(fresh).add(row);
            }
        }
    }

    /// The sums per code of one key, by code.
    pub(super) fn by(&self, key: Key) -> Vec<SumRow> {
        self.0[key as usize].values().copied().collect()
    }
}

/// Where the calls of a request that share all keys are joined, and the codes it has under each key.
type Known = HashMap<[u32; Key::ALL.len()], usize, FixedState>;
type Codes = HashSet<(usize, u32), FixedState>;

/// Calls of one request that share all keys: mostly all it made.
#[derive(Clone, Copy, Default)]
struct Alike {
    keys: [u32; Key::ALL.len()],
    /// One for each key whose code the request has not had before.
    fresh: [u64; Key::ALL.len()],
    sum: SumRow,
}

impl Alike {
    /// Joins the calls of each request, which come one after the other.
    fn join(rows: &[CallRow]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::with_capacity(rows.len() / 2);
        let (mut known, mut codes) = (Known::default(), Codes::default());
        for rows in rows.chunk_by(|a, b| a.request == b.request) {
            known.clear();
            codes.clear();
            for row in rows {
                let at = *known.entry(row.keys).or_insert_with(|| {
                    let mut fresh = |key| codes.insert((key, row.keys[key]));
                    all.push(Self {
                        keys: row.keys,
                        fresh: std::array::from_fn(|key| u64::from(fresh(key))),
                        sum: SumRow::default(),
                    });
                    all.len() - 1
                });
                all[at].sum.add(&SumRow::of(row));
            }
        }
        all
    }
}

/// Some calls, one column per quantity.
struct Frame(DataFrame);

impl Frame {
    fn new(rows: &[CallRow]) -> Result<Self, FrameError> {
        fn column<T, V>(name: &str, rows: &[Alike], value: impl Fn(&Alike) -> V) -> Column
        where
            Series: NamedFrom<Vec<V>, T>,
            T: ?Sized,
        {
            let values: Vec<V> = rows.iter().map(value).collect();
            Series::new(name.into(), values).into_column()
        }
        let rows = &Alike::join(rows);
        let keys = (0..).zip(Key::NAMES).zip(Key::REQUESTS);
        let keys = keys.flat_map(|((key, name), requests): ((usize, _), _)| {
            [
                column(name, rows, |row| row.keys[key]),
                column(requests, rows, |row| row.fresh[key]),
            ]
        });
        let mut columns: Vec<Column> = keys.collect();
        columns.extend([
            column("calls", rows, |row| row.sum.calls),
            column("input", rows, |row| row.sum.input),
            column("cached", rows, |row| row.sum.cached),
            column("output", rows, |row| row.sum.output),
            column("priced", rows, |row| row.sum.priced_tokens),
            column("priced_calls", rows, |row| row.sum.priced_calls),
            column("cost", rows, |row| row.sum.cost),
            column("wasted", rows, |row| row.sum.wasted),
        ]);
        Ok(Self(DataFrame::new(rows.len(), columns)?))
    }

    /// Sums per code of one key. Money is summed as integers, so the order of rows and threads cannot
    /// show.
    fn sums(&self, key: Key) -> Result<Vec<SumRow>, FrameError> {
        let (name, requests) = (Key::NAMES[key as usize], Key::REQUESTS[key as usize]);
        let sums = [
            "calls",
            requests,
            "input",
            "cached",
            "output",
            "priced",
            "priced_calls",
            "cost",
            "wasted",
        ];
        let frame = self
            .0
            .clone()
            .lazy()
            .group_by([col(name)])
            .agg(sums.map(|name| col(name).sum()))
            .collect()?;
        let codes = frame.column(name)?.u32()?;
        let costs = frame.column("cost")?.i64()?;
        let wasted = frame.column("wasted")?.i64()?;
        let number = |name: &str, row: usize| -> Result<u64, FrameError> {
            Ok(frame.column(name)?.u64()?.get(row).unwrap_or(0))
        };
        (0..frame.height())
            .map(|row| {
                Ok(SumRow {
                    code: codes.get(row).unwrap_or(0),
                    calls: number("calls", row)?,
                    requests: number(requests, row)?,
                    input: number("input", row)?,
                    cached: number("cached", row)?,
                    output: number("output", row)?,
                    priced_tokens: number("priced", row)?,
                    priced_calls: number("priced_calls", row)?,
                    cost: costs.get(row).unwrap_or(0),
                    wasted: wasted.get(row).unwrap_or(0),
                })
            })
            .collect()
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
        let totals = Totals::of(&rows).unwrap().by(Key::Model);
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
        assert!(Totals::of(&[]).unwrap().by(Key::Day).is_empty());
        for size in 1..=5 {
            let parts = Totals::in_parts(&rows, size).unwrap();
            assert_eq!(parts.by(Key::Model), totals, "{size} at once");
        }
    }
}
