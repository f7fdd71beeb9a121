//! One request: its account, the evidence, what would have made it surer, and its waterfall.

use maud::{Markup, html};

use super::part;
use super::text::{named, safe, sentence};
use crate::render::palette;
use crate::report::{Cause, Row};
use crate::units::Nanos;
use crate::units::human::{counted, instant, measured, money, short};

/// Facts shown of one request at most.
const FACTS: usize = 12;

/// Id of the request's card in the page. Both parts are hexadecimal.
pub(super) fn id(row: &Row<'_>) -> String {
    format!("r-{}-{}", row.request.trace, row.root_span())
}

/// The card, closed.
pub(super) fn card(row: &Row<'_>) -> Markup {
    let cause = row.cause().unwrap_or(Cause::Unexplained);
    let request = row.request;
    html! {
        details.card.request id=(id(row)) data-cause=(cause.label()) data-kind=(safe(row.kind())) data-start=(request.wall.start.as_secs()) {
            summary {
                (part::cause(cause)) " " span.about { (named(row.kind())) }
                span.sum { "lost " b { (short(row.excess())) } " of " (short(request.duration())) }
            }
            div.inside {
                (facts(row))
                (account(row))
                (super::waterfall::drawing(row))
                h3 { "Evidence" }
                (evidence(std::slice::from_ref(row)))
            }
        }
    }
}

fn facts(row: &Row<'_>) -> Markup {
    let request = row.request;
    let calls = format!(
        "{}, {}",
        counted(u64::from(row.model_calls()), "model call"),
        counted(u64::from(request.tool_calls), "tool call")
    );
    let cost = row.cost.cost.map_or("no price".to_owned(), money);
    let repairs: Vec<&str> = request.repairs.names().collect();
    html! {
        dl.facts {
            div { dt { "Trace" } dd { code { (request.trace.to_string()) } } }
            div { dt { "Started" } dd { (instant(request.wall.start)) " UTC" } }
            div { dt { "Sure" } dd { (format!("{:.2}", row.confidence())) } }
            div { dt { "Work" } dd { (calls) ", " (cost) } }
            @if !row.missing().is_empty() { div { dt { "Missing" } dd { (row.missing().join(", ")) } } }
            @if !repairs.is_empty() { div { dt { "Mended" } dd { (repairs.join(", ")) } } }
        }
    }
}

/// Expected time and what each cause added: they sum to the time taken.
fn account(row: &Row<'_>) -> Markup {
    let entries = Cause::ALL.into_iter().zip(row.contributions());
    let mut entries: Vec<(Cause, Nanos)> =
        entries.filter(|(_, time)| *time > Nanos::ZERO).collect();
    entries.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    let whole = row.request.duration().as_secs().max(1e-9);
    html! {
        table.account {
            caption.hidden { "Account of the request" }
            tbody {
                @if let Some(expected) = row.expected() {
                    tr {
                        th scope="row" { "expected" }
                        td.n { (short(expected)) }
                        td.barcell { (part::bar(expected.as_secs() / whole, "normal")) }
                    }
                }
                @for (cause, time) in entries {
                    tr {
                        th scope="row" { (part::cause(cause)) }
                        td.n { "+" (short(time)) }
                        td.barcell { (part::bar(time.as_secs() / whole, palette::cause(cause.index()).tone.name)) }
                    }
                }
            }
            tfoot { tr { th scope="row" { "took" } td.n { (short(row.request.duration())) } td {} } }
        }
    }
}

/// What was seen, against what is normal, and how it became known.
pub(super) fn evidence(rows: &[Row<'_>]) -> Markup {
    let many = rows.len() > 1;
    part::scroller(
        "Evidence",
        html! {
            table.data {
                caption.hidden { "Evidence" }
                thead {
                    tr {
                        @if many { th scope="col" { "Request" } } @else { th scope="col" { "Speaks for" } }
                        th scope="col" { "Fact" }
                        th.n scope="col" { "Seen" }
                        th.n scope="col" { "Normally" }
                        th scope="col" { "Known from" }
                        th scope="col" { "Span" }
                    }
                }
                tbody {
                    @for row in rows {
                        @for (cause, fact) in row.evidence().take(if many { 1 } else { FACTS }) {
                            tr {
                                th scope="row" {
                                    @if many { a href={ "#" (id(row)) } { code { (row.request.trace.to_string().get(..8).unwrap_or_default()) } } }
                                    @else { (part::cause(cause)) }
                                }
                                td.text {
                                    @if fact.note.is_empty() { (fact.fact.replace('_', " ")) } @else { (sentence(&fact.note)) }
                                }
                                td.n { (measured(fact.observed, fact.unit)) }
                                td.n { @if let Some(normal) = fact.expected { (measured(normal, fact.unit)) } @else { span.absent { "not known" } } }
                                td { (fact.via) }
                                td { @if let Some((span, name)) = row.span_of(fact) { (named(name)) " " code { (span.to_string()) } } }
                            }
                        }
                    }
                }
            }
        },
    )
}
