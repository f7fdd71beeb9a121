//! The table of calls and its sums: the one place that speaks polars. Plain rows go in and out.

use polars::prelude::*;

/// The table could not be built or summed.
#[derive(Debug, thiserror::Error)]
#[error("summing the calls failed: {0}")]
pub struct FrameError(#[from] PolarsError);

/// What calls are grouped by: the columns of [`CallRow::keys`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(super) enum Key {
    Model,
    Task,
    Agent,
    Tenant,
    Day,
}

const KEYS: [&str; 5] = ["model", "task", "agent", "tenant", "day"];

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

/// All calls, one column per quantity.
pub(super) struct Frame(DataFrame);

impl Frame {
    pub(super) fn new(rows: &[CallRow]) -> Result<Self, FrameError> {
        fn column<T, V>(name: &str, rows: &[CallRow], value: impl Fn(&CallRow) -> V) -> Column
        where
            Series: NamedFrom<Vec<V>, T>,
            T: ?Sized,
        {
            let values: Vec<V> = rows.iter().map(value).collect();
            Series::new(name.into(), values).into_column()
        }
        let mut columns: Vec<Column> = KEYS
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

    /// Sums per code of one key, by code. Money is summed as integers, so the order of rows and
    /// threads cannot show.
    pub(super) fn totals(&self, key: Key) -> Result<Vec<SumRow>, FrameError> {
        let name = KEYS[key as usize];
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
        let mut rows = (0..frame.height())
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
            .collect::<Result<Vec<_>, FrameError>>()?;
        rows.sort_unstable_by_key(|row| row.code);
        Ok(rows)
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
        let totals = Frame::new(&rows)
            .and_then(|f| f.totals(Key::Model))
            .unwrap();
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
        assert!(
            Frame::new(&[])
                .and_then(|f| f.totals(Key::Day))
                .unwrap()
                .is_empty()
        );
    }
}
