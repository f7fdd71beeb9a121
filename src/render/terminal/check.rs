//! Whether budgets are kept, as text; the last line is for `grep`.

use std::io::{self, Write};

use super::table::{Column, Table};
use super::{Options, Page};
use crate::render::style::Paint;
use crate::report::check::{CheckReport, Line, Verdict};
use crate::units::human::{count, counted, percent};

/// Columns of the labels on the left, indent included.
const LABELS: usize = 13;

/// Writes the report as text.
///
/// # Errors
/// When `out` cannot be written.
pub fn check(report: &CheckReport<'_>, options: Options, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(options.style, out);
    first(report, &mut page)?;
    table(report, &mut page)?;
    reasons(report, &mut page)?;
    input(report, &mut page)?;
    page.line("")?;
    let paint = match report.verdict() {
        "PASS" => Paint::Good,
        "WARN" | "CANNOT TELL" => Paint::Warn,
        _ => Paint::Bad,
    };
    let last = page.style.paint(paint, &report.summary());
    page.line(&last)?;
    page.finish()
}

fn first<W: Write>(report: &CheckReport<'_>, page: &mut Page<W>) -> io::Result<()> {
    let lines = report.lines().count() as u64;
    let against = report.baseline.as_ref();
    let against = against.map(|name| format!(", compared with {name}"));
    let scope = format!(
        "agentdiag {}: {} held to {} of {}{}",
        env!("CARGO_PKG_VERSION"),
        counted(report.requests, "request"),
        counted(lines, "budget"),
        report.file(),
        against.unwrap_or_default()
    );
    page.hanging("", 0, &scope)?;
    let rule = format!(
        "A budget is broken where even the better end of its value breaks the limit; a healthy set fails in at most {} of runs, all budgets together.",
        percent(report.false_alarms())
    );
    page.hanging("", 0, &rule)
}

fn table<W: Write>(report: &CheckReport<'_>, page: &mut Page<W>) -> io::Result<()> {
    page.heading("BUDGETS", "what matters most first")?;
    let columns = [
        Column::Word("verdict"),
        Column::Name("budget"),
        Column::Number("value"),
        Column::Number("at best"),
        Column::Number("limit"),
        Column::Number("n"),
    ];
    let mut table = Table::new(page.style, &columns);
    for line in report.by_weight() {
        let finding = line.finding;
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| line.cell(v));
        let limit = shown(finding.limit);
        let limit = match finding.limit {
            Some(_) => format!("{} {limit}", line.budget.expect.comparison.sign()),
            None => limit,
        };
        table.row([
            said(finding.verdict).to_owned(),
            line.budget.name.clone(),
            shown(finding.value),
            shown(finding.at_best.filter(|_| finding.risk > 0.0)),
            limit,
            count(finding.n),
        ]);
    }
    page.table(table)
}

fn reasons<W: Write>(report: &CheckReport<'_>, page: &mut Page<W>) -> io::Result<()> {
    let telling = |line: &Line<'_>| {
        !matches!(line.finding.verdict, Verdict::Kept | Verdict::Off) || line.finding.left_out > 0
    };
    let lines: Vec<Line<'_>> = report.by_weight().into_iter().filter(telling).collect();
    if lines.is_empty() {
        return Ok(());
    }
    page.heading("WHY", "")?;
    for line in lines {
        let place = format!(
            "{} ({}:{}:{})",
            line.budget.name,
            report.file(),
            line.budget.place.line,
            line.budget.place.column
        );
        page.hanging(&format!("  {}", said(line.finding.verdict)), 16, &place)?;
        page.hanging("", 16, &line.message())?;
    }
    Ok(())
}

fn input<W: Write>(report: &CheckReport<'_>, page: &mut Page<W>) -> io::Result<()> {
    let integrity = &report.integrity;
    if !integrity.weakens() && integrity.effects.is_empty() {
        return Ok(());
    }
    page.heading("INPUT", "")?;
    if integrity.weakens() {
        let lost = format!(
            "{} lost while reading; `agentdiag analyze --explain-input` says where.",
            counted(integrity.lost, "record")
        );
        page.hanging("  lost", LABELS, &lost)?;
    }
    for effect in &integrity.effects {
        page.hanging("  note", LABELS, effect)?;
    }
    Ok(())
}

/// A verdict for people.
fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Broken => "BROKEN",
        Verdict::Warned => "warning",
        Verdict::CannotTell => "cannot tell",
        Verdict::WithinNoise => "within noise",
        Verdict::Kept => "kept",
        Verdict::Off => "off",
    }
}
