//! Sums over all requests: cost, latency, drift of tool choice, and what the dump shows.

use std::io::{self, Write};

use super::sections::some_of;
use super::table::{Column, Table};
use super::{INDENT, Page};
use crate::report::Report;
use crate::units::human::{compact, count, instant, money, percent, short};
use crate::units::{Nanos, Ratio};

/// What was paid, by model.
pub(super) fn cost<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let cost = &report.sums().cost;
    if cost.by_model.is_empty() {
        return Ok(());
    }
    let sources = cost.sources.iter().filter(|(_, calls)| *calls > 0);
    let sources: Vec<&str> = sources.map(|(source, _)| source.label()).collect();
    let remark = match sources.is_empty() {
        true => "no price is known".to_owned(),
        false => format!("prices from {}", sources.join(", ")),
    };
    page.heading("COST BY MODEL", &some_of(cost.by_model.len(), top, &remark))?;
    let columns = [
        Column::Name("model"),
        Column::Number("requests"),
        Column::Number("calls"),
        Column::Number("input"),
        Column::Number("cached"),
        Column::Number("output"),
        Column::Number("cost"),
    ];
    let mut table = Table::new(page.style, &columns);
    let cached = report.summary().cached_tokens;
    for model in cost.by_model.iter().take(top) {
        table.row([
            named(&model.key),
            count(model.requests),
            count(model.calls),
            compact(model.input_tokens),
            cached.map_or("not shown".to_owned(), |_| compact(model.cached_tokens)),
            compact(model.output_tokens),
            model.cost.map_or("no price".to_owned(), money),
        ]);
    }
    page.table(table)?;
    if let Some(wasted) = cost.waste.cost.filter(|wasted| wasted.0 > 0) {
        let items = cost.waste.items.iter().filter(|item| item.cost.is_some());
        let reasons: Vec<&str> = items.map(|item| item.reason.label()).collect();
        let text = format!("wasted: {} ({})", money(wasted), reasons.join(", "));
        page.hanging("", INDENT, &text)?;
    }
    let mut warnings = cost
        .tables
        .iter()
        .filter_map(|table| table.warning.as_ref());
    warnings.try_for_each(|warning| page.hanging("", INDENT, warning))
}

/// Quantiles of requests, models and tools.
pub(super) fn latency<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let latency = &report.sums().latency;
    let mut rows = Vec::new();
    rows.extend(
        latency
            .requests
            .map(|spread| ("all requests".to_owned(), spread)),
    );
    for model in latency.models.iter().take(top) {
        let name = named(&model.model);
        rows.push((format!("model {name}"), model.call));
        rows.extend(model.first_token.map(|s| ("  first token".to_owned(), s)));
        rows.extend(
            model
                .inter_token
                .map(|s| ("  per further token".to_owned(), s)),
        );
    }
    let tools = latency.tools.iter().take(top);
    rows.extend(tools.map(|tool| (format!("tool {}", named(&tool.name)), tool.spread)));
    if rows.is_empty() {
        return Ok(());
    }
    page.heading("LATENCY", "")?;
    let columns = [
        Column::Name(""),
        Column::Number("n"),
        Column::Number("p50"),
        Column::Number("p90"),
        Column::Number("p95"),
        Column::Number("p99"),
        Column::Number("max"),
    ];
    let mut table = Table::new(page.style, &columns);
    for (name, spread) in rows {
        let quantiles = [spread.p50, spread.p90, spread.p95, spread.p99].map(|q| q.value);
        let times = quantiles.into_iter().chain([spread.max]).map(short);
        table.row([name, count(spread.n)].into_iter().chain(times));
    }
    page.table(table)
}

/// Tools that are chosen more or less often than before.
pub(super) fn drift<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let drift = &report.sums().drift;
    if !drift.drifted {
        return Ok(());
    }
    let since = drift.split.map_or(String::new(), |at: Nanos| {
        format!("of tool calls, before and after {} UTC", instant(at))
    });
    page.heading("TOOL CHOICE", &some_of(drift.tools.len(), top, &since))?;
    let columns = [
        Column::Name("tool"),
        Column::Number("before"),
        Column::Number("after"),
        Column::Number("calls"),
        Column::Word(""),
    ];
    let mut table = Table::new(page.style, &columns);
    for tool in drift.tools.iter().take(top) {
        let share = |ratio: Ratio| ratio.share().map_or(String::new(), percent);
        table.row([
            named(&tool.tool),
            share(tool.before),
            share(tool.after),
            count(tool.before.part + tool.after.part),
            if tool.drifted { "changed" } else { "" }.to_owned(),
        ]);
    }
    page.table(table)
}

/// What the dump shows, layer by layer, and what that means where it shows too little.
pub(super) fn signals<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let signals = &report.sums().signals;
    let seen = signals.iter().filter(|s| s.coverage.whole > 0);
    let seen: Vec<_> = seen
        .map(|s| (s, s.coverage.share().unwrap_or(0.0)))
        .collect();
    if seen.is_empty() {
        return Ok(());
    }
    page.heading(
        "WHAT THE DUMP SHOWS",
        "share of calls, tools or requests with the signal",
    )?;
    for layer in seen.chunk_by(|(a, _), (b, _)| a.layer == b.layer) {
        let each = layer
            .iter()
            .map(|(s, share)| format!("{} {}", s.name, percent(*share)));
        let each: Vec<String> = each.collect();
        let label = layer.first().map_or("", |(s, _)| s.layer.label());
        page.hanging(&format!("  {label}"), 18, &each.join(", "))?;
    }
    Ok(())
}

/// Signals that fewer than half have.
const RARE: f64 = 0.5;

/// What is missing, what that costs, and how to have it next time.
pub(super) fn missing<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let signals = report.sums().signals.iter();
    let rare = signals.filter_map(|s| Some((s, s.coverage.share()?)).filter(|(_, n)| *n < RARE));
    let rare: Vec<_> = rare.collect();
    if rare.is_empty() {
        return Ok(());
    }
    page.heading("WHAT IS MISSING, AND HOW TO GET IT", "")?;
    for (signal, share) in rare {
        let seen = match signal.coverage.part {
            0 => format!("no {} show it", signal.per),
            _ => format!("{} of {} show it", percent(share), signal.per),
        };
        let (gap, remedy) = (signal.gap, signal.remedy);
        let said = format!("{seen}. Without it, {gap}. To get it, {remedy}.");
        page.hanging(&format!("  {}", signal.name), 18, &said)?;
    }
    Ok(())
}

fn named(name: &str) -> String {
    if name.is_empty() { "(not named)" } else { name }.to_owned()
}
