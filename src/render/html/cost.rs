//! What was paid, by model, task, agent, tenant and day, and what has no price.

use maud::{Markup, html};

use super::charts::Said;
use super::part::{self, figure};
use super::text::{named, some_of};
use crate::render::chart::{Chart, Subject};
use crate::report::Report;
use crate::units::Usd;
use crate::units::human::{compact, count, counted, money, percent};

/// Groups shown of each kind at most.
const ROWS: usize = 30;

/// Name, requests, calls, tokens in, cached, out, cost, priced share.
struct Sum<'a> {
    name: &'a str,
    requests: u64,
    calls: u64,
    input: u64,
    cached: u64,
    output: u64,
    cost: Option<Usd>,
    wasted: Option<Usd>,
    priced: Option<f64>,
}

pub(super) fn tables(subject: Subject<'_>) -> Said {
    let report = subject.report;
    let cost = &report.sums().cost;
    if cost.by_model.is_empty() {
        return Ok(None);
    }
    // One bar says nothing that the sentence above does not.
    let chart = |chart, bars: usize| match bars {
        0 | 1 => Ok(None),
        _ => figure(chart, subject),
    };
    let by_model = chart(Chart::CostByModel, cost.by_model.len())?;
    let by_task = chart(Chart::CostByTask, cost.by_task.len())?;
    // Nothing is known of caches when no call shows any.
    let cached = report.summary().cached_tokens.is_some();
    let groups = [
        ("model", &cost.by_model),
        ("task", &cost.by_task),
        ("agent", &cost.by_agent),
        ("tenant", &cost.by_tenant),
        ("day", &cost.by_day),
    ];
    let groups = groups.map(|(by, sums)| {
        let sums = sums.iter().map(|sum| Sum {
            name: &sum.key,
            requests: sum.requests,
            calls: sum.calls,
            input: sum.input_tokens,
            cached: sum.cached_tokens,
            output: sum.output_tokens,
            cost: sum.cost,
            wasted: sum.wasted,
            priced: sum.priced.share(),
        });
        (by, sums.collect::<Vec<Sum<'_>>>())
    });
    // One group without a name says nothing.
    let telling = |sums: &[Sum<'_>]| sums.len() > 1 || sums.iter().any(|sum| !sum.name.is_empty());
    Ok(Some(html! {
        @if let Some(said) = &report.headline().cost { p { (said) "." } }
        @if let Some(chart) = by_model { h3 { "By model" } (chart) }
        @if let Some(chart) = by_task { h3 { "By task" } (chart) }
        @for (by, sums) in &groups {
            @if telling(sums) { (group(by, sums, cached)) }
        }
        @if !cost.waste.items.is_empty() {
            h3 { "Paid for nothing" }
            (wasted(report))
        }
        @if !cost.unknown.is_empty() {
            h3 { "Without a price" }
            ul {
                @for model in cost.unknown.iter().take(ROWS) {
                    li { (named(&model.model)) ": " (counted(model.calls, "call")) ", " (compact(model.tokens)) " tokens" }
                }
            }
            p.method { "Give their prices with --prices; they are not counted as free." }
        }
    }))
}

/// What was paid for nothing, by reason.
fn wasted(report: &Report<'_>) -> Markup {
    let cost = &report.sums().cost;
    let share = cost.waste.cost.zip(cost.total.cost.filter(|all| all.0 > 0));
    let share = share.map(|(wasted, all)| wasted.0 as f64 / all.0 as f64);
    let hidden: u64 = cost
        .waste
        .items
        .iter()
        .map(|item| item.unpriced_calls)
        .sum();
    html! {
        @match (cost.waste.cost, share) {
            (Some(wasted), Some(share)) => p { (money(wasted)) ", " (percent(share)) " of the cost, bought nothing." },
            _ => p { "The dump does not show what it cost." },
        }
        (part::scroller("Paid for nothing", html! {
            table.data data-sortable="" {
                caption.hidden { "Cost that bought nothing, by reason" }
                thead {
                    tr {
                        th scope="col" { "Reason" }
                        th.n scope="col" { "Requests" }
                        th.n scope="col" { "Calls" }
                        th.n scope="col" { "Tokens" }
                        th.n scope="col" { "Cost" }
                        th scope="col" { "What it is" }
                    }
                }
                tbody {
                    @for item in &cost.waste.items {
                        tr {
                            th scope="row" { (item.reason.label().replace('_', " ")) }
                            td.n data-v=(item.requests) { (count(item.requests)) }
                            td.n data-v=(item.calls) { (count(item.calls)) }
                            td.n data-v=(item.tokens) { (compact(item.tokens)) }
                            @match item.cost {
                                Some(cost) => td.n data-v=(cost.as_dollars()) { (money(cost)) },
                                None => td.n.absent data-v="-1" { "not shown" },
                            }
                            td.text { (item.reason.why()) }
                        }
                    }
                }
            }
        }))
        @if hidden > 0 { p.method { "Of " (counted(hidden, "call")) " among these the dump shows no tokens or no price: not in the cost." } }
    }
}

fn group(by: &str, sums: &[Sum<'_>], cached: bool) -> Markup {
    html! {
        details.plain open[by == "model"] {
            summary { "Table by " (by) }
            (part::scroller(&format!("Cost by {by}"), html! {
                table.data data-sortable="" {
                    caption.hidden { "Cost by " (by) }
                    thead {
                        tr {
                            th scope="col" { (by) }
                            th.n scope="col" { "Requests" }
                            th.n scope="col" { "Calls" }
                            th.n scope="col" { "Input" }
                            th.n scope="col" { "Cached" }
                            th.n scope="col" { "Output" }
                            th.n scope="col" { "Priced" }
                            th.n scope="col" { "Wasted" }
                            th.n scope="col" { "Cost" }
                        }
                    }
                    tbody {
                        @for sum in sums.iter().take(ROWS) {
                            tr {
                                th scope="row" { (named(sum.name)) }
                                td.n data-v=(sum.requests) { (count(sum.requests)) }
                                td.n data-v=(sum.calls) { (count(sum.calls)) }
                                td.n data-v=(sum.input) { (compact(sum.input)) }
                                @if cached { td.n data-v=(sum.cached) { (compact(sum.cached)) } } @else { td.n.absent data-v="-1" { "not shown" } }
                                td.n data-v=(sum.output) { (compact(sum.output)) }
                                td.n data-v=(sum.priced.unwrap_or(-1.0)) { (sum.priced.map_or("none".to_owned(), percent)) }
                                @match sum.wasted {
                                    Some(wasted) => td.n data-v=(wasted.as_dollars()) { (money(wasted)) },
                                    None => td.n.absent data-v="-1" { "not shown" },
                                }
                                @match sum.cost {
                                    Some(cost) => td.n data-v=(cost.as_dollars()) { (money(cost)) },
                                    None => td.n.absent data-v="-1" { "no price" },
                                }
                            }
                        }
                    }
                }
            }))
            @if let Some(note) = some_of(ROWS.min(sums.len()), sums.len(), "group") { p.method { (note) } }
        }
    }
}
