//! What changed, as text.

use std::io::{self, Write};

use super::sections::some_of;
use super::table::{Column, Table};
use super::{Options, Page};
use crate::report::drift::{DriftReport, Effect, chance};
use crate::units::Ratio;
use crate::units::human::{count, percent, plain};

/// Columns of the labels on the left, indent included.
const LABELS: usize = 13;

/// Writes the report as text.
///
/// # Errors
/// When `out` cannot be written.
pub fn drift(report: &DriftReport<'_>, options: Options, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(options.style, out);
    first(report, &mut page)?;
    tools(report, options.top, &mut page)?;
    slices(report, options.top, &mut page)?;
    measures(report, &mut page)?;
    page.finish()
}

fn first<W: Write>(report: &DriftReport<'_>, page: &mut Page<W>) -> io::Result<()> {
    let study = report.study;
    let scope = format!(
        "agentdiag {}: {} requests compared with {} {}",
        env!("CARGO_PKG_VERSION"),
        count(study.after.requests),
        count(study.before.requests),
        report.against
    );
    page.hanging("", 0, &scope)?;
    page.line("")?;
    for (label, text) in report.headline() {
        page.hanging(&format!("  {label}"), LABELS, &text)?;
    }
    Ok(())
}

fn tools<W: Write>(report: &DriftReport<'_>, top: usize, page: &mut Page<W>) -> io::Result<()> {
    let tools = &report.study.tools.tools;
    if tools.is_empty() {
        return Ok(());
    }
    page.heading(
        "TOOL CHOICE",
        &some_of(tools.len(), top, "shares of tool calls"),
    )?;
    let columns = [
        Column::Name("tool"),
        Column::Number("before"),
        Column::Number("after"),
        Column::Number("calls"),
        Column::Number("p"),
        Column::Word(""),
    ];
    let mut table = Table::new(page.style, &columns);
    for tool in tools.iter().take(top) {
        let share = |ratio: Ratio| ratio.share().map_or_else(|| "-".to_owned(), percent);
        table.row([
            tool.tool.clone(),
            share(tool.before),
            share(tool.after),
            count(tool.before.part + tool.after.part),
            tool.p_value.map_or_else(|| "too rare".to_owned(), chance),
            if tool.drifted { "changed" } else { "" }.to_owned(),
        ]);
    }
    page.table(table)
}

fn slices<W: Write>(report: &DriftReport<'_>, top: usize, page: &mut Page<W>) -> io::Result<()> {
    let slices = &report.study.slices;
    if slices.is_empty() {
        return Ok(());
    }
    page.heading(
        "TOOL CHOICE BY PART",
        &some_of(slices.len(), top, &corrected(report)),
    )?;
    let columns = [
        Column::Word("by"),
        Column::Name("name"),
        Column::Number("before"),
        Column::Number("after"),
        Column::Number("bits"),
        Column::Number("p"),
        Column::Name("clearest tool"),
    ];
    let mut table = Table::new(page.style, &columns);
    for slice in slices.iter().take(top) {
        table.row([
            slice.by.to_owned(),
            slice.name.clone(),
            count(slice.calls.0),
            count(slice.calls.1),
            slice
                .divergence
                .map_or_else(|| "-".to_owned(), |bits| format!("{bits:.3}")),
            slice.p_value.map_or_else(|| "too few".to_owned(), chance),
            slice.tool.clone().unwrap_or_default(),
        ]);
    }
    page.table(table)
}

fn measures<W: Write>(report: &DriftReport<'_>, page: &mut Page<W>) -> io::Result<()> {
    page.heading("WHAT ELSE MAY HAVE CHANGED", &corrected(report))?;
    let columns = [
        Column::Name("what"),
        Column::Number("n before"),
        Column::Number("n after"),
        Column::Number("median before"),
        Column::Number("after"),
        Column::Number("p"),
    ];
    let mut table = Table::new(page.style, &columns);
    for measure in &report.study.measures {
        let median = |median: Option<f64>| median.map_or_else(String::new, plain);
        table.row([
            measure.what.to_owned(),
            count(measure.before.n),
            count(measure.after.n),
            median(measure.before.median),
            median(measure.after.median),
            match (measure.p_value, measure.effect) {
                (Some(p), _) => chance(p),
                (None, Some(Effect::Divergence(0.0))) => "alike".to_owned(),
                (None, _) => "too few".to_owned(),
            },
        ]);
    }
    page.table(table)
}

fn corrected(report: &DriftReport<'_>) -> String {
    format!(
        "p corrected for {} comparisons (Holm)",
        count(report.study.comparisons)
    )
}
