//! Disturbances over many requests.

use maud::{Markup, html};

use super::part;
use super::text::{safe, some_of};
use crate::report::Report;
use crate::units::human::{count, instant, money, short};

/// Incidents shown at most, the costliest.
const MOST: usize = 100;

pub(super) fn list(report: &Report<'_>) -> Option<Markup> {
    let all = report.incidents().count();
    (all > 0).then(|| html! {
        (part::scroller("Incidents", html! {
            table.data data-sortable="" {
                caption.hidden { "Incidents, most time lost first; times in UTC" }
                thead {
                    tr {
                        th scope="col" { "Cause" }
                        th scope="col" { "What" }
                        th scope="col" { "From (UTC)" }
                        th.n scope="col" { "Lasted" }
                        th.n scope="col" { "Requests" }
                        th.n scope="col" { "Lost" }
                        th.n scope="col" { "Cost" }
                    }
                }
                tbody {
                    @for row in report.incidents().take(MOST) {
                        @let window = row.window();
                        tr data-cause=(row.cause()) data-from=(window.start.as_secs()) data-to=(window.end.as_secs()) {
                            th scope="row" { (part::cause(row.incident.cause)) }
                            td { (safe(&row.scope())) }
                            td.t data-v=(window.start.as_secs()) { (instant(window.start)) }
                            td.n data-v=(window.len().as_secs()) { (short(window.len())) }
                            td.n data-v=(row.count()) { (count(row.count())) }
                            td.n data-v=(row.excess().as_secs()) { (short(row.excess())) }
                            @match row.cost() {
                                Some(cost) => td.n data-v=(cost.as_dollars()) { (money(cost)) },
                                None => td.n.absent data-v="-1" { "no price" },
                            }
                        }
                    }
                }
            }
        }))
        @if let Some(note) = some_of(MOST.min(all), all, "incident") { p.method { (note) } }
    })
}
