//! What would have been without each incident.

use std::io::{self, Write};

use super::Page;
use super::table::{Column, Table};
use crate::report::{Report, WhatIf};
use crate::units::human::{count, money, short};

/// Latency of the requests that started while each incident lasted, and cost of those it touched.
pub(super) fn write<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let shown = report.incidents().take(top);
    let known: Vec<(&str, WhatIf)> = shown
        .filter_map(|row| Some((row.cause(), row.what_if()?)))
        .collect();
    if known.is_empty() {
        return Ok(());
    }
    let about = "requests that started while it lasted, replayed without it";
    page.heading("WITHOUT THE INCIDENT", about)?;
    let columns = [
        Column::Word("cause"),
        Column::Number("requests"),
        Column::Number("p50"),
        Column::Number("without"),
        Column::Number("p95"),
        Column::Number("without"),
        Column::Number("cost"),
        Column::Number("without"),
    ];
    let mut table = Table::new(page.style, &columns);
    for (cause, what) in known {
        table.row([
            cause.to_owned(),
            count(what.requests),
            short(what.p50.observed),
            short(what.p50.without),
            short(what.p95.observed),
            short(what.p95.without),
            what.cost.map_or(String::new(), |c| money(c.observed)),
            what.cost.map_or(String::new(), |c| money(c.without)),
        ]);
    }
    page.table(table)
}
