//! Two sets side by side, as text: what changed first, then every comparison.

use std::io::{self, Write};

use super::table::{Column, Table};
use super::{Options, Page};
use crate::report::compare::{CompareReport, SECTIONS, Section};
use crate::report::drift::chance;
use crate::units::human::{count, counted};

/// Writes the report as text.
///
/// # Errors
/// When `out` cannot be written.
pub fn compare(report: &CompareReport<'_>, options: Options, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(options.style, out);
    let (before, after) = report.found.requests;
    let scope = format!(
        "agentdiag {}: {} of {} compared with {} of {}, each kind of task with itself",
        env!("CARGO_PKG_VERSION"),
        counted(after, "request"),
        report.new,
        count(before),
        report.base
    );
    page.hanging("", 0, &scope)?;
    page.heading("WHAT CHANGED", "")?;
    for line in report.headline(options.top) {
        page.hanging("  -", 4, &line)?;
    }
    for section in SECTIONS {
        rows(report, section, &mut page)?;
    }
    if !report.found.notes.is_empty() {
        page.heading("NOTES", "")?;
        for note in &report.found.notes {
            page.hanging("  -", 4, note)?;
        }
    }
    page.finish()
}

fn rows<W: Write>(
    report: &CompareReport<'_>,
    section: Section,
    page: &mut Page<W>,
) -> io::Result<()> {
    if report.rows(section).next().is_none() {
        return Ok(());
    }
    let title = match section {
        Section::Requests => "REQUESTS",
        Section::Phases => "WHERE THE TIME WENT",
        Section::Causes => "WHY REQUESTS WERE SLOW",
        Section::Tools => "TOOLS",
        Section::Models => "MODELS",
        Section::Cost => "COST",
    };
    // Names have a line of their own: they may be long.
    let named = matches!(section, Section::Tools | Section::Models);
    let remark = match section {
        Section::Requests => report.correction(),
        Section::Phases => "mean per request, on the critical path".to_owned(),
        Section::Causes => "share of requests".to_owned(),
        _ => String::new(),
    };
    page.heading(title, &remark)?;
    let columns = [
        Column::Name(""),
        Column::Number("before"),
        Column::Number("after"),
        Column::Number("change"),
        Column::Number("p"),
        Column::Word(""),
    ];
    let mut table = Table::new(page.style, &columns);
    let mut last = None;
    for row in report.rows(section) {
        if named && last != Some(&row.name) {
            let cells = [row.name.as_str(), "", "", "", "", ""];
            table.row(cells.map(str::to_owned));
            last = Some(&row.name);
        }
        let indent = if named { "  " } else { "" };
        table.row([
            format!("{indent}{}", row.title()),
            row.cell(row.difference.base),
            row.cell(row.difference.new),
            row.shown_change(),
            row.p_value.map_or_else(|| "too few".to_owned(), chance),
            if row.changed() { "changed" } else { "" }.to_owned(),
        ]);
    }
    page.table(table)
}
