//! Sums that are no verdicts: latencies, choice of tools, and what the dump shows at all.

use maud::{Markup, html};

use super::charts::Said;
use super::part::{self, figure};
use super::text::{named, some_of};
use crate::render::chart::{Chart, Subject};
use crate::report::Report;
use crate::units::human::{count, percent, plain, short};
use crate::units::{Nanos, Ratio};

/// Rows of one table at most.
const ROWS: usize = 60;

/// Distribution of requests, then quantiles of requests, models and tools.
pub(super) fn latency(subject: Subject<'_>) -> Said {
    let chart = figure(Chart::Distribution, subject)?;
    let latency = &subject.report.sums().latency;
    // Name, number, quantiles and maximum.
    let mut rows: Vec<(String, u64, [Nanos; 5])> = Vec::new();
    let mut add = |name: String, n: u64, values: [Nanos; 5]| rows.push((name, n, values));
    if let Some(s) = &latency.requests {
        add(
            "all requests".to_owned(),
            s.n,
            [s.p50.value, s.p90.value, s.p95.value, s.p99.value, s.max],
        );
    }
    for task in &latency.by_task {
        let s = &task.spread;
        add(
            format!("task {}", named(&task.name)),
            s.n,
            [s.p50.value, s.p90.value, s.p95.value, s.p99.value, s.max],
        );
    }
    for model in &latency.models {
        let name = named(&model.model);
        let spreads = [
            ("call", Some(&model.call)),
            ("first token", model.first_token.as_ref()),
            ("per further token", model.inter_token.as_ref()),
        ];
        for (what, spread) in spreads {
            if let Some(s) = spread {
                add(
                    format!("model {name}, {what}"),
                    s.n,
                    [s.p50.value, s.p90.value, s.p95.value, s.p99.value, s.max],
                );
            }
        }
    }
    for tool in &latency.tools {
        let s = &tool.spread;
        add(
            format!("tool {}", named(&tool.name)),
            s.n,
            [s.p50.value, s.p90.value, s.p95.value, s.p99.value, s.max],
        );
    }
    let all = rows.len();
    Ok(chart.map(|chart| html! {
        (chart)
        details.plain open[all <= 12] {
            summary { "Quantiles" }
            (part::scroller("Quantiles", html! {
                table.data data-sortable="" {
                    caption.hidden { "Quantiles of durations" }
                    thead { tr { th scope="col" { "What" } th.n scope="col" { "Number" } th.n scope="col" { "p50" } th.n scope="col" { "p90" } th.n scope="col" { "p95" } th.n scope="col" { "p99" } th.n scope="col" { "Longest" } } }
                    tbody {
                        @for (name, n, values) in rows.iter().take(ROWS) {
                            tr {
                                th scope="row" { (name) }
                                td.n data-v=(n) { (count(*n)) }
                                @for value in values { td.n data-v=(value.as_secs()) { (short(*value)) } }
                            }
                        }
                    }
                }
            }))
            @if let Some(note) = some_of(ROWS.min(all), all, "row") { p.method { (note) } }
        }
    }))
}

/// Tools before and after.
pub(super) fn tools(subject: Subject<'_>) -> Said {
    let chart = figure(Chart::Tools, subject)?;
    let drift = &subject.report.sums().drift;
    let share = |ratio: Ratio| ratio.share().map_or("none".to_owned(), percent);
    let number = |ratio: Ratio| ratio.share().unwrap_or(-1.0);
    Ok(chart.map(|chart| html! {
        (chart)
        p.method {
            @if let Some(p) = drift.p_value { "Chance of so large a change when nothing changed: " (plain(p)) ". " }
            "The same tool with the same arguments counts once per request here: to repeat a call is a retry and not another choice."
        }
        @if !drift.tools.is_empty() {
            (part::scroller("Tools before and after", html! {
                table.data data-sortable="" {
                    caption.hidden { "Share of tool calls before and after" }
                    thead { tr { th scope="col" { "Tool" } th.n scope="col" { "Before" } th.n scope="col" { "After" } th.n scope="col" { "Calls" } th scope="col" { "Verdict" } } }
                    tbody {
                        @for tool in drift.tools.iter().take(ROWS) {
                            tr {
                                th scope="row" { (named(&tool.tool)) }
                                td.n data-v=(number(tool.before)) { (share(tool.before)) }
                                td.n data-v=(number(tool.after)) { (share(tool.after)) }
                                td.n data-v=(tool.before.part + tool.after.part) { (count(tool.before.part + tool.after.part)) }
                                td { @if tool.drifted && drift.drifted { b { "changed" } } @else { "as before" } }
                            }
                        }
                    }
                }
            }))
            @if let Some(note) = some_of(ROWS.min(drift.tools.len()), drift.tools.len(), "tool") { p.method { (note) } }
        }
    }))
}

/// How much of what a diagnosis needs is there, layer by layer.
pub(super) fn signals(report: &Report<'_>) -> Option<Markup> {
    let signals = report
        .sums()
        .signals
        .iter()
        .filter(|signal| signal.coverage.whole > 0);
    let signals: Vec<_> = signals.collect();
    (!signals.is_empty()).then(|| {
        part::scroller("Signals", html! {
            table.data {
                caption.hidden { "Signals by layer, and what is lost without them" }
                thead { tr { th scope="col" { "Layer" } th scope="col" { "Signal" } th.n scope="col" { "Share" } th scope="col" { "Coverage" } th scope="col" { "Without it" } } }
                tbody {
                    @for layer in signals.chunk_by(|a, b| a.layer == b.layer) {
                        @for (index, signal) in layer.iter().enumerate() {
                            @let share = signal.coverage.share().unwrap_or(0.0);
                            tr .first[index == 0] {
                                @if index == 0 { th scope="rowgroup" rowspan=(layer.len()) { (signal.layer.label()) } }
                                th scope="row" { (signal.name.replace('_', " ")) }
                                td.n { (percent(share)) " of " (signal.per) }
                                td.barcell { (part::bar(share, if share < 0.5 { "c2" } else { "accent" })) }
                                td.text { @if share < 0.995 { (signal.gap) } @else { span.absent { "nothing is missing" } } }
                            }
                        }
                    }
                }
            }
        })
    })
}
