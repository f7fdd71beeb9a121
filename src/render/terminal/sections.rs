//! The sections below the first screen. A section with nothing to show is left out.

use std::io::{self, Write};

use super::table::{Column, Table};
use super::{INDENT, Page};
use crate::report::{Report, Row};
use crate::units::Nanos;
use crate::units::human::{
    bytes, compact, count, counted, duration, instant, measured, money, percent,
};

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
            duration(row.window().len()),
            count(row.count()),
            duration(row.excess()),
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
        Column::Name(""),
    ];
    let mut table = Table::new(page.style, &columns);
    for total in causes {
        table.row([
            total.cause.label().to_owned(),
            count(total.requests),
            count(total.touched),
            duration(total.excess),
            total.share.share().map_or(String::new(), percent),
            total
                .confidence
                .map_or(String::new(), |c| format!("{c:.2}")),
            total.cause.meta().title.to_owned(),
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
            duration(row.request.duration()),
            duration(row.excess()),
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
    Ok(())
}

/// The strongest fact, as a sentence with its figures and its place.
fn evidence(row: &Row<'_>) -> String {
    let Some((_, fact)) = row.evidence().next() else {
        return row.kind().to_owned();
    };
    let mut text = if fact.note.is_empty() {
        fact.fact.replace('_', " ")
    } else {
        fact.note.trim_end_matches('.').to_owned()
    };
    text = format!(
        "{}: {text}: {}",
        row.kind(),
        measured(fact.observed, fact.unit)
    );
    if let Some(expected) = fact.expected {
        text = format!("{text}, normally {}", measured(expected, fact.unit));
    }
    match row.span_of(fact) {
        Some((id, name)) => format!("{text} ({name}, span {id})"),
        None => text,
    }
}

/// What was paid, by model.
pub(super) fn cost<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let figures = report.figures();
    if figures.models.is_empty() {
        return Ok(());
    }
    let remark = some_of(figures.models.len(), top, &figures.price_list);
    page.heading("COST BY MODEL", &remark)?;
    let columns = [
        Column::Name("model"),
        Column::Name("provider"),
        Column::Number("calls"),
        Column::Number("input"),
        Column::Number("cached"),
        Column::Number("output"),
        Column::Number("cost"),
    ];
    let mut table = Table::new(page.style, &columns);
    for model in figures.models.iter().take(top) {
        table.row([
            model.model.clone(),
            model.provider.clone(),
            count(model.calls),
            compact(model.input_tokens),
            compact(model.cached_tokens),
            compact(model.output_tokens),
            model.usd.map_or("not priced".to_owned(), money),
        ]);
    }
    page.table(table)
}

/// What was read, and what was lost, mended or guessed.
pub(super) fn input<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let inputs = report.inputs();
    if inputs.is_empty() {
        return Ok(());
    }
    page.heading("INPUT", &some_of(inputs.len(), top, ""))?;
    for input in inputs.iter().take(top) {
        let mut held = vec![counted(input.spans, "span")];
        let others = [
            (input.points, "metric point"),
            (input.logs, "log record"),
            (input.events, "cluster event"),
        ];
        held.extend(others.iter().filter(|o| o.0 > 0).map(|o| counted(o.0, o.1)));
        let size = bytes(input.bytes);
        let body = format!(
            "{}: {}, {size}, {}",
            input.path,
            input.format,
            held.join(", ")
        );
        page.hanging("", INDENT, &body)?;
    }
    dialects(report, page)?;
    for problem in &report.integrity().problems {
        let place = match problem.file.is_empty() {
            true => String::new(),
            false => format!(
                " in {} from byte {}",
                problem.file,
                count(problem.byte_offset)
            ),
        };
        let detail = match problem.detail.is_empty() {
            true => String::new(),
            false => format!(" ({})", problem.detail),
        };
        let (id, times) = (problem.id, count(problem.count));
        page.hanging(
            "",
            INDENT,
            &format!("[{}] {id} x {times}{place}{detail}", problem.severity),
        )?;
        page.hanging("", 2 * INDENT, problem.hint)?;
    }
    Ok(())
}

fn dialects<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let integrity = report.integrity();
    let list = |pairs: Vec<(&str, u64)>| {
        let each = pairs
            .into_iter()
            .map(|(name, n)| format!("{name} ({})", count(n)));
        each.collect::<Vec<_>>().join(", ")
    };
    if !integrity.dialects.is_empty() {
        let spoken = list(integrity.dialects.clone());
        page.hanging("", INDENT, &format!("vocabularies: {spoken}"))?;
    }
    if !integrity.strange_keys.is_empty() {
        let keys = integrity.strange_keys.iter().take(5);
        let keys = list(keys.map(|(k, n)| (k.as_str(), *n)).collect());
        page.hanging("", INDENT, &format!("keys not understood: {keys}"))?;
    }
    Ok(())
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
fn some_of(all: usize, top: usize, remark: &str) -> String {
    match (all > top, remark.is_empty()) {
        (false, _) => remark.to_owned(),
        (true, true) => format!("{top} of {all}"),
        (true, false) => format!("{top} of {all}, {remark}"),
    }
}
