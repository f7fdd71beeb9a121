//! Slow requests: a table that scripts sort and filter, and the worst ones with all that is known.

use maud::{Markup, html};

use super::text::{named, safe, some_of};
use super::{part, request};
use crate::report::{Cause, Report, Row};
use crate::units::human::{count, instant, money, short};

/// Rows of the table at most, those that lost most.
const ROWS: usize = 500;
/// Requests shown in full at most.
const CARDS: usize = 40;

pub(super) fn table(report: &Report<'_>) -> Option<Markup> {
    let all = report.summary().slow as usize;
    (all > 0).then(|| html! {
        div.tools.scripted {
            label { "Search " input type="search" id="search" autocomplete="off" placeholder="task, trace, cause"; }
            p id="shown" role="status" {}
            button type="button" id="clear" hidden { "Show all" }
        }
        (part::scroller("Slow requests", html! {
            table.data id="slow" data-sortable="" {
                caption.hidden { "Slow requests, most time lost first; times in UTC" }
                thead {
                    tr {
                        th scope="col" { "Cause" }
                        th scope="col" { "Task" }
                        th scope="col" { "Started (UTC)" }
                        th.n scope="col" { "Took" }
                        th.n scope="col" aria-sort="descending" { "Lost" }
                        th.n scope="col" { "Sure" }
                        th.n scope="col" { "Model calls" }
                        th.n scope="col" { "Retries" }
                        th.n scope="col" { "Cost" }
                        th scope="col" { "Trace" }
                    }
                }
                tbody {
                    @for (index, row) in report.slowest().take(ROWS).enumerate() { (line(&row, index < CARDS)) }
                }
            }
        }))
        @if let Some(note) = some_of(ROWS.min(all), all, "slow request") { p.method { (note) } }
    })
}

fn line(row: &Row<'_>, linked: bool) -> Markup {
    let request = row.request;
    let cause = row.cause().unwrap_or(Cause::Unexplained);
    let trace = request.trace.to_string();
    html! {
        tr data-cause=(cause.label()) data-kind=(safe(row.kind())) data-start=(request.wall.start.as_secs()) data-trace=(trace) {
            th scope="row" { (part::cause(cause)) }
            td { (named(row.kind())) }
            td.t data-v=(request.wall.start.as_secs()) { (instant(request.wall.start)) }
            td.n data-v=(request.duration().as_secs()) { (short(request.duration())) }
            td.n data-v=(row.excess().as_secs()) { (short(row.excess())) }
            td.n { (format!("{:.2}", row.confidence())) }
            td.n data-v=(row.model_calls()) { (count(row.model_calls().into())) }
            td.n data-v=(request.retries) { (count(request.retries.into())) }
            @match row.cost.cost {
                Some(cost) => td.n data-v=(cost.as_dollars()) { (money(cost)) },
                None => td.n.absent data-v="-1" { "no price" },
            }
            td { @if linked { a.trace href={ "#" (request::id(row)) } { (trace) } } @else { span.trace { (trace) } } }
        }
    }
}

pub(super) fn worst(report: &Report<'_>) -> Option<Markup> {
    let all = report.summary().slow as usize;
    (all > 0).then(|| {
        html! {
            p.tools.scripted {
                button type="button" id="open-all" { "Open all" } " "
                button type="button" id="close-all" { "Close all" }
            }
            div id="cards" { @for row in report.slowest().take(CARDS) { (request::card(&row)) } }
            @if let Some(note) = some_of(CARDS.min(all), all, "slow request") {
                p.method { (note) " " code { "agentdiag trace" } " shows any of them." }
            }
        }
    })
}
