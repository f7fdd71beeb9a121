//! Requests by kind of task and time: when which work was slow.

use std::collections::BTreeMap;

use super::TimeBins;
use crate::report::Report;
use crate::units::{Nanos, Ratio};

/// Stretches of time at most.
const COLUMNS: usize = 48;
/// Kinds of task at most; the others share a row.
const ROWS: usize = 12;

/// Requests of one kind that started in one stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cell {
    /// Slow ones, of all.
    pub slow: Ratio,
    /// Time the slow ones lost.
    pub lost: Nanos,
}

/// One kind of task.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeatRow {
    /// The kind; absent for the row of all kinds that have none of their own.
    pub kind: Option<String>,
    /// One cell per stretch.
    pub cells: Vec<Cell>,
    /// All cells together.
    pub total: Cell,
}

/// Requests by kind of task and time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heat {
    /// The stretches.
    pub bins: TimeBins,
    /// Kinds, most time lost first, then most requests.
    pub rows: Vec<HeatRow>,
}

impl Cell {
    fn add(&mut self, other: Self) {
        self.slow.part += other.slow.part;
        self.slow.whole += other.slow.whole;
        self.lost += other.lost;
    }
}

impl Heat {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let bins = TimeBins::over(report.summary().window, COLUMNS);
        if bins.count == 0 {
            return Self::default();
        }
        let mut kinds: BTreeMap<&str, HeatRow> = BTreeMap::new();
        for row in report.rows() {
            let cell = Cell {
                slow: Ratio {
                    part: u64::from(row.slow()),
                    whole: 1,
                },
                lost: if row.slow() {
                    row.excess()
                } else {
                    Nanos::ZERO
                },
            };
            let kind = kinds.entry(row.kind()).or_insert_with(|| HeatRow {
                kind: Some(row.kind().to_owned()),
                cells: bins.each(),
                total: Cell::default(),
            });
            if let Some(slot) = kind.cells.get_mut(bins.index(row.request.wall.start)) {
                slot.add(cell);
            }
            kind.total.add(cell);
        }
        let mut rows: Vec<HeatRow> = kinds.into_values().collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.total.lost, row.total.slow.whole)));
        let rest = rows.split_off(rows.len().min(ROWS));
        if !rest.is_empty() {
            rows.push(together(&bins, &rest));
        }
        Self { bins, rows }
    }
}

fn together(bins: &TimeBins, rows: &[HeatRow]) -> HeatRow {
    let mut sum = HeatRow {
        kind: None,
        cells: bins.each(),
        total: Cell::default(),
    };
    for row in rows {
        sum.total.add(row.total);
        for (slot, cell) in sum.cells.iter_mut().zip(&row.cells) {
            slot.add(*cell);
        }
    }
    sum
}
