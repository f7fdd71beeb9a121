//! Tables of prices, as every report with money in it names them.

use serde::Serialize;

use crate::aggregate::TableUse;

/// A table and what it was used for.
#[derive(Serialize)]
pub(in crate::report) struct PriceTable<'a> {
    source: &'static str,
    path: Option<&'a str>,
    form: &'static str,
    version: Option<&'a str>,
    as_of: Option<String>,
    age_days: Option<i32>,
    models: usize,
    calls: u64,
}

impl<'a> From<&'a TableUse> for PriceTable<'a> {
    fn from(table: &'a TableUse) -> Self {
        let vintage = &table.vintage;
        Self {
            source: vintage.source.label(),
            path: vintage.path.as_deref(),
            form: vintage.form,
            version: vintage.version.as_deref(),
            as_of: vintage.day(),
            age_days: table.age_days,
            models: vintage.models,
            calls: table.calls,
        }
    }
}
