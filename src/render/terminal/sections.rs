//! The sections below the first screen. A section with nothing to show is left out.

use std::io::{self, Write};

use super::table::{Column, Table};
use super::{INDENT, Page};
use crate::render::sentence;
use crate::report::{Report, Row};
use crate::units::Nanos;
use crate::units::human::{count, instant, percent, short};

/// Disturbances over many requests.
pub(super) fn incidents<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let all = report.incidents().count();
    if all == 0 {
        return Ok(());
    }
    page.heading("INCIDENTS", &some_of(all, top, "times in UTC"))?;
    let columns = [
        Column::Word("cause"),
        Column::Name("what"),
        Column::Word("from"),
        Column::Number("lasted"),
        Column::Number("requests"),
        Column::Number("lost"),
    ];
    let mut table = Table::new(page.style, &columns);
    for row in report.incidents().take(top) {
        table.row([
            row.cause().to_owned(),
            row.scope(),
            since(report, row.window().start),
            short(row.window().len()),
            count(row.count()),
            short(row.excess()),
        ]);
    }
    page.table(table)
}

/// An instant, without the date where all requests are of one day.
fn since(report: &Report<'_>, time: Nanos) -> String {
    let window = report.summary().window;
    let day = |time| instant(time).split(' ').next().map(str::to_owned);
    let text = instant(time);
    match text.split_once(' ') {
        Some((_, clock)) if day(window.start) == day(window.end) => clock.to_owned(),
        _ => text,
    }
}

/// Every cause that took time.
pub(super) fn causes<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let causes = &report.summary().causes;
    if causes.is_empty() {
        return Ok(());
    }
    page.heading("CAUSES", "of the time slow requests lost")?;
    let columns = [
        Column::Word("cause"),
        Column::Number("verdicts"),
        Column::Number("touched"),
        Column::Number("lost"),
        Column::Number("share"),
        Column::Number("sure"),
    ];
    let mut table = Table::new(page.style, &columns);
    for total in causes {
        table.row([
            total.cause.label().to_owned(),
            count(total.requests),
            count(total.touched),
            short(total.excess),
            total.share.share().map_or(String::new(), percent),
            total
                .confidence
                .map_or(String::new(), |c| format!("{c:.2}")),
        ]);
    }
    page.table(table)
}

/// The requests that lost most, each with its strongest evidence.
pub(super) fn slowest<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let all = report.summary().slow as usize;
    if all == 0 || top == 0 {
        return Ok(());
    }
    page.heading(
        "SLOWEST REQUESTS",
        &some_of(all, top, &report.headline().rule),
    )?;
    let columns = [
        Column::Name("trace"),
        Column::Number("took"),
        Column::Number("lost"),
        Column::Word("cause"),
        Column::Number("sure"),
    ];
    let mut table = Table::new(page.style, &columns);
    for row in report.slowest().take(top) {
        table.row([
            row.request.trace.to_string(),
            short(row.request.duration()),
            short(row.excess()),
            row.cause().map_or("", |cause| cause.label()).to_owned(),
            format!("{:.2}", row.confidence()),
        ]);
    }
    let lines = table.lines();
    let (header, lines) = lines.split_at(lines.len().min(1));
    header.iter().try_for_each(|line| page.line(line))?;
    for (line, row) in lines.iter().zip(report.slowest()) {
        page.line(line)?;
        page.hanging("", 2 * INDENT, &evidence(&row))?;
    }
    let hint = "`agentdiag trace ID PATH...` shows one in full; the beginning of an id is enough.";
    page.hanging("", INDENT, hint)
}

/// The strongest fact, as a sentence with its values and its place.
fn evidence(row: &Row<'_>) -> String {
    let Some((_, fact)) = row.evidence().next() else {
        return row.kind().to_owned();
    };
    let text = sentence::fact(row, fact);
    match text.starts_with(row.kind()) {
        true => text,
        false => format!("{}: {text}", row.kind()),
    }
}

/// What the diagnosis wants the reader to know about itself.
pub(super) fn notes<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    if report.notes().is_empty() {
        return Ok(());
    }
    page.heading("NOTES", "")?;
    let mut notes = report.notes().iter();
    notes.try_for_each(|note| page.hanging("  -", 2 * INDENT, note))
}

/// What to do about the causes that matter.
pub(super) fn next<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let named = report.summary().causes.iter().filter(|c| c.requests > 0);
    let causes: Vec<_> = named.take(3).map(|total| total.cause).collect();
    if causes.is_empty() {
        return Ok(());
    }
    page.heading("WHAT TO DO NEXT", "`agentdiag explain CAUSE` says more")?;
    for cause in causes {
        page.line(&format!("  {}", cause.label()))?;
        for check in cause.meta().next_checks {
            page.hanging("    -", 3 * INDENT, check)?;
        }
    }
    Ok(())
}

/// `5 of 41`, when not all are shown, and a remark.
pub(super) fn some_of(all: usize, top: usize, remark: &str) -> String {
    match (all > top, remark.is_empty()) {
        (false, _) => remark.to_owned(),
        (true, true) => format!("{top} of {all}"),
        (true, false) => format!("{top} of {all}, {remark}"),
    }
}
