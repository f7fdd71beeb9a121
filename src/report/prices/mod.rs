//! Price tables to be shown: the values behind `agentdiag prices`.

pub mod v1;

use crate::aggregate::{Changes, Entry, Vintage};

/// Prices of a list of models.
pub struct Listing<'a> {
    /// The tables, in the order in which they are asked.
    pub tables: Vec<Vintage>,
    /// Every tier of every model.
    pub rows: Vec<PriceRow<'a>>,
    /// How many models.
    pub models: u64,
}

/// One tier of a model, or the machine it runs on.
pub struct PriceRow<'a> {
    /// The model; empty on all but its first row.
    pub model: &'a str,
    /// Table it stands in.
    pub source: &'static str,
    /// For requests of more than so many input tokens.
    pub above: u64,
    /// Dollars per million tokens: input, cached input, five-minute and one-hour cache writes, output.
    pub prices: [Option<f64>; 5],
    /// What else the price depends on, or what it is of.
    pub remark: String,
}

impl<'a> Listing<'a> {
    /// Prices in force at a Unix second.
    #[must_use]
    pub fn new(tables: Vec<Vintage>, entries: &'a [Entry], second: u64) -> Self {
        let rows = entries
            .iter()
            .flat_map(|entry| rows(entry, second))
            .collect();
        Self {
            tables,
            rows,
            models: entries.len() as u64,
        }
    }
}

fn rows(entry: &Entry, second: u64) -> Vec<PriceRow<'_>> {
    let remark = entry.remark();
    let tiers = match entry.rates_at(second) {
        tiers if tiers.is_empty() => vec![(0, [None; 5])],
        tiers => tiers,
    };
    let row = |(index, (above, prices)): (usize, (u64, [Option<f64>; 5]))| PriceRow {
        model: if index == 0 { &entry.name } else { "" },
        source: entry.source.label(),
        above,
        prices,
        remark: if index == 0 {
            remark.clone()
        } else {
            String::new()
        },
    };
    tiers.into_iter().enumerate().map(row).collect()
}

/// What became of an imported table.
pub struct Imported {
    /// The table.
    pub table: Option<Vintage>,
    /// Names written.
    pub models: u64,
    /// Entries left out, by reason.
    pub skipped: Vec<(&'static str, u64)>,
    /// Where it was written.
    pub path: String,
}

/// Two tables compared.
pub struct Compared {
    /// The first.
    pub left: String,
    /// The second.
    pub right: String,
    /// What differs.
    pub changes: Changes,
}
