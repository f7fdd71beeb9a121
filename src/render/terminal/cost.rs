//! What was paid, as text.

use std::io::{self, Write};

use super::sections::some_of;
use super::table::{Column, Table};
use super::{Options, Page};
use crate::render::style::Paint;
use crate::report::cost::{By, CostReport};
use crate::units::human::{compact, count, money, span_of_time};

/// Columns of the labels on the left, indent included.
const LABELS: usize = 12;

/// Writes the report as text.
///
/// # Errors
/// When `out` cannot be written.
pub fn cost(report: &CostReport<'_>, options: Options, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(options.style, out);
    first(report, &mut page)?;
    for by in &report.by {
        match by {
            By::Tool => tools(report, options.top, &mut page)?,
            by => sums(report, *by, options.top, &mut page)?,
        }
    }
    waste(report, &mut page)?;
    differences(report, options.top, &mut page)?;
    unpriced(report, options.top, &mut page)?;
    page.finish()
}

fn first<W: Write>(report: &CostReport<'_>, page: &mut Page<W>) -> io::Result<()> {
    let total = &report.cost.total;
    let version = env!("CARGO_PKG_VERSION");
    let scope = format!(
        "agentdiag {version}: cost of {} requests with {} model calls",
        count(total.requests),
        count(total.calls)
    );
    page.line(&page.style.paint(Paint::Dim, &scope))?;
    if report.cost.window.end.0 > 0 {
        let period = span_of_time(report.cost.window.start, report.cost.window.end);
        page.line(&page.style.paint(Paint::Dim, &period))?;
    }
    page.line("")?;
    for (label, text) in report.headline() {
        page.hanging(&format!("  {label}"), LABELS, &text)?;
    }
    Ok(())
}

fn sums<W: Write>(
    report: &CostReport<'_>,
    by: By,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let totals = report.totals(by);
    if totals.is_empty() || (totals.len() == 1 && totals[0].key.is_empty()) {
        return Ok(());
    }
    let title = format!("COST BY {}", by.label().to_uppercase());
    page.heading(&title, &some_of(totals.len(), top, ""))?;
    let columns = [
        Column::Name(by.label()),
        Column::Number("requests"),
        Column::Number("calls"),
        Column::Number("input"),
        Column::Number("cached"),
        Column::Number("output"),
        Column::Number("wasted"),
        Column::Number("cost"),
    ];
    let mut table = Table::new(page.style, &columns);
    for total in totals.iter().take(top) {
        table.row([
            named(&total.key),
            count(total.requests),
            count(total.calls),
            compact(total.input_tokens),
            if report.cost.shows_cache {
                compact(total.cached_tokens)
            } else {
                "-".to_owned()
            },
            compact(total.output_tokens),
            total
                .wasted
                .filter(|w| w.0 > 0)
                .map_or_else(String::new, money),
            total.cost.map_or_else(|| "no price".to_owned(), money),
        ]);
    }
    page.table(table)
}

fn tools<W: Write>(report: &CostReport<'_>, top: usize, page: &mut Page<W>) -> io::Result<()> {
    let tools = &report.cost.by_tool;
    if tools.is_empty() {
        return Ok(());
    }
    let remark = "what their results cost in later prompts";
    page.heading("COST BY TOOL", &some_of(tools.len(), top, remark))?;
    let columns = [
        Column::Name("tool"),
        Column::Number("calls"),
        Column::Number("tokens added"),
        Column::Number("tokens sent"),
        Column::Number("cost"),
    ];
    let mut table = Table::new(page.style, &columns);
    for tool in tools.iter().take(top) {
        table.row([
            named(&tool.tool),
            count(tool.calls),
            compact(tool.added_tokens),
            compact(tool.carried_tokens),
            match (tool.cost, tool.seen) {
                (Some(cost), _) => money(cost),
                (None, 0) => "not seen".to_owned(),
                (None, _) => "no price".to_owned(),
            },
        ]);
    }
    page.table(table)
}

fn waste<W: Write>(report: &CostReport<'_>, page: &mut Page<W>) -> io::Result<()> {
    let items = &report.cost.waste.items;
    if items.is_empty() {
        return Ok(());
    }
    page.heading("WASTED", "")?;
    for item in items {
        let cost = item.cost.map_or_else(|| "cost not shown".to_owned(), money);
        let calls = format!(
            "{} calls in {} requests",
            count(item.calls),
            count(item.requests)
        );
        let text = format!("{cost}, {calls}: {}", item.reason.why());
        page.hanging(&format!("  {}", item.reason.label()), 19, &text)?;
    }
    Ok(())
}

fn differences<W: Write>(
    report: &CostReport<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let all = &report.cost.reconciliation.differences;
    if all.is_empty() {
        return Ok(());
    }
    let remark = "calls whose reported cost differs from the computed one";
    page.heading("REPORTED COST", &some_of(all.len(), top, remark))?;
    let columns = [
        Column::Name("model"),
        Column::Number("calls"),
        Column::Number("reported"),
        Column::Number("computed"),
        Column::Word("worst in trace"),
    ];
    let mut table = Table::new(page.style, &columns);
    for one in all.iter().take(top) {
        table.row([
            named(&one.model),
            count(one.calls),
            money(one.reported),
            money(one.computed),
            one.worst.trace.to_string(),
        ]);
    }
    page.table(table)
}

fn unpriced<W: Write>(report: &CostReport<'_>, top: usize, page: &mut Page<W>) -> io::Result<()> {
    let unknown = &report.cost.unknown;
    if unknown.is_empty() {
        return Ok(());
    }
    let remark = "give one with --price MODEL=INPUT/OUTPUT";
    page.heading("WITHOUT A PRICE", &some_of(unknown.len(), top, remark))?;
    let columns = [
        Column::Name("model"),
        Column::Name("provider"),
        Column::Number("calls"),
        Column::Number("tokens"),
    ];
    let mut table = Table::new(page.style, &columns);
    for model in unknown.iter().take(top) {
        let (calls, tokens) = (count(model.calls), compact(model.tokens));
        table.row([named(&model.model), named(&model.provider), calls, tokens]);
    }
    page.table(table)
}

fn named(name: &str) -> String {
    if name.is_empty() { "(not named)" } else { name }.to_owned()
}
