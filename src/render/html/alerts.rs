//! Alert rules replayed: what fired, and which incidents nobody saw.

use maud::{Markup, html};

use super::part;
use super::text::{safe, sentence, some_of};
use crate::report::{Firing, Replay, RuleRow, Seen};
use crate::units::human::{count, counted, instant, plain, short};

/// Rows of one list at most.
const ROWS: usize = 60;

/// Nothing where there are no rules, or nothing they could be held against.
pub(super) fn lists(replay: &Replay<'_>) -> Option<Markup> {
    let (alerts, fired) = replay.alerts();
    (alerts > 0).then(|| {
        html! {
            p {
                (count(fired as u64)) " of " (counted(alerts as u64, "alert")) " would have fired, "
                (counted(replay.firings.len() as u64, "time")) " in all"
                @match (replay.incidents.len() as u64, replay.unseen() as u64) {
                    (0, _) => {},
                    (_, 0) => "; every incident was seen by one",
                    (all, none) => { "; " (count(none)) " of " (counted(all, "incident")) " seen by none" },
                }
                "."
            }
            @if !replay.firings.is_empty() { (firings(replay)) }
            @if replay.unseen() > 0 { (unseen(replay)) }
            (quiet(replay))
            @for note in replay.notes.iter().take(ROWS) { p.method { (sentence(note)) } }
        }
    })
}

fn firings(replay: &Replay<'_>) -> Markup {
    html! {
        (part::scroller("Alerts that fired", html! {
            table.data data-sortable="" {
                caption.hidden { "Alerts that fired, by when; times in UTC" }
                thead {
                    tr {
                        th scope="col" { "Alert" }
                        th scope="col" { "Of" }
                        th scope="col" { "Fired (UTC)" }
                        th.n scope="col" { "Pending before" }
                        th.n scope="col" { "Fired for" }
                        th.n scope="col" { "Peak" }
                        th.n scope="col" { "Incidents" }
                    }
                }
                tbody { @for firing in replay.firings.iter().take(ROWS) { (row(replay, firing)) } }
            }
        }))
        @if let Some(note) = some_of(ROWS.min(replay.firings.len()), replay.firings.len(), "firing") { p.method { (note) } }
    }
}

fn row(replay: &Replay<'_>, firing: &Firing) -> Markup {
    let end = firing.resolved.unwrap_or(replay.window.end);
    let lasted = end.since(firing.fired);
    let pending = firing.fired.since(firing.pending);
    html! {
        tr data-from=(firing.pending.as_secs()) data-to=(end.as_secs()) {
            th scope="row" { (safe(name(replay, firing.rule))) }
            td { (safe(&labels(firing))) }
            td.t data-v=(firing.fired.as_secs()) { (instant(firing.fired)) }
            td.n data-v=(pending.as_secs()) { (short(pending)) }
            td.n data-v=(lasted.as_secs()) { (short(lasted)) @if firing.resolved.is_none() { " and on" } }
            td.n data-v=(firing.peak) { (plain(firing.peak)) }
            td.n data-v=(firing.covers.len()) { @if firing.covers.is_empty() { "none" } @else { (count(firing.covers.len() as u64)) } }
        }
    }
}

fn name<'a>(replay: &'a Replay<'_>, rule: usize) -> &'a str {
    replay.rules.get(rule).map_or("", |rule| rule.name.as_str())
}

/// What tells alerts of one name apart.
fn labels(firing: &Firing) -> String {
    let labels = firing.labels.iter().filter(|(name, _)| name != "severity");
    let labels: Vec<&str> = labels.map(|(_, value)| value.as_str()).collect();
    labels.join(", ")
}

fn unseen(replay: &Replay<'_>) -> Markup {
    let all: Vec<&Seen> = replay
        .incidents
        .iter()
        .filter(|i| i.by.is_empty())
        .collect();
    html! {
        h3 { "Incidents that no alert saw" }
        ul {
            @for seen in all.iter().take(ROWS) {
                li { (instant(seen.window.start)) ", " (seen.cause) ", " (safe(&seen.scope)) ": " (counted(seen.requests, "request")) " in " (short(seen.window.len())) }
            }
        }
        @if let Some(note) = some_of(ROWS.min(all.len()), all.len(), "incident") { p.method { (note) } }
    }
}

fn quiet(replay: &Replay<'_>) -> Markup {
    let quiet = replay
        .rules
        .iter()
        .filter(|rule| rule.alert && rule.firings == 0);
    let quiet: Vec<&RuleRow> = quiet.collect();
    html! {
        @if !quiet.is_empty() {
            h3 { "Alerts that did not fire" }
            ul {
                @for rule in quiet.iter().take(ROWS) {
                    li { (safe(&rule.name)) ": " (sentence(&rule.why_quiet())) }
                }
            }
        }
    }
}
