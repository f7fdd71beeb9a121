//! The table of calls and its sums: the one place that speaks polars. Plain rows go in and out.

use std::collections::BTreeMap;

use polars::prelude::*;

/// Rows summed at once. What a table takes besides its rows is several times their size, and its sums are
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
}

/// One model call, counted once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CallRow {
    /// Codes of model, task, agent, tenant and day, in the order of [`Key`].
    pub(super) keys: [u32; 5],
    pub(super) request: u32,
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) output: u64,
    /// Nano-dollars, where the call could be priced.
    pub(super) cost: Option<i64>,
    /// Of these: paid for nothing.
    pub(super) wasted: i64,
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
    /// Sums of other requests with the same code.
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
        let mut totals = Self::default();
        while !rows.is_empty() {
            let at = size.clamp(1, rows.len());
            // Whole requests, so that each is counted in one part.
            let request = rows[at - 1].request;
            let more = rows[at..].iter().take_while(|row| row.request == request);
            let (part, rest) = rows.split_at(at + more.count());
            totals.add(&Frame::new(part)?)?;
            rows = rest;
        }
        Ok(totals)
    }

    fn add(&mut self, frame: &Frame) -> Result<(), FrameError> {
        for (sums, key) in self.0.iter_mut().zip(Key::ALL) {
            for row in frame.sums(key)? {
                let fresh = || SumRow {
                    code: row.code,
                    ..SumRow::default()
                };
                sums.entry(row.code).or_insert_with(fresh).add(&row);
            }
        }
        Ok(())
    }

    /// The sums per code of one key, by code.
    pub(super) fn by(&self, key: Key) -> Vec<SumRow> {
        self.0[key as usize].values().copied().collect()
    }
}

/// Some calls, one column per quantity.
struct Frame(DataFrame);

impl Frame {
    fn new(rows: &[CallRow]) -> Result<Self, FrameError> {
        fn column<T, V>(name: &str, rows: &[CallRow], value: impl Fn(&CallRow) -> V) -> Column
        where
            Series: NamedFrom<Vec<V>, T>,
            T: ?Sized,
        {
            let values: Vec<V> = rows.iter().map(value).collect();
            Series::new(name.into(), values).into_column()
        }
        let mut columns: Vec<Column> = Key::NAMES
            .into_iter()
            .enumerate()
            .map(|(i, name)| column(name, rows, |row| row.keys[i]))
            .collect();
        columns.extend([
            column("request", rows, |row| row.request),
            column("input", rows, |row| row.input),
            column("cached", rows, |row| row.cached),
            column("output", rows, |row| row.output),
            column("priced", rows, |row| {
                row.cost.map_or(0, |_| row.input.saturating_add(row.output))
            }),
            column("cost", rows, |row| row.cost),
            column("wasted", rows, |row| row.wasted),
        ]);
        Ok(Self(DataFrame::new(rows.len(), columns)?))
    }

    /// Sums per code of one key. Money is summed as integers, so the order of rows and threads cannot
    /// show.
    fn sums(&self, key: Key) -> Result<Vec<SumRow>, FrameError> {
        let name = Key::NAMES[key as usize];
        let sums =
            ["input", "cached", "output", "priced", "cost", "wasted"].map(|name| col(name).sum());
        let counts = [
            len().cast(DataType::UInt64).alias("calls"),
            col("request")
                .n_unique()
                .cast(DataType::UInt64)
                .alias("requests"),
            col("cost")
                .count()
                .cast(DataType::UInt64)
                .alias("priced_calls"),
        ];
        let frame = self
            .0
            .clone()
            .lazy()
            .group_by_stable([col(name)])
            .agg([&sums[..], &counts[..]].concat())
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
                    requests: number("requests", row)?,
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
