//! The replay of alert rules as text: what fired, what was seen, what stayed quiet and why.

use std::io::{self, Write};

use super::table::{Column, Table};
use super::{Options, Page, text};
use crate::render::style::Paint;
use crate::report::{Firing, Replay, RuleRow, Seen};
use crate::units::{Nanos, human};

/// Writes the replay as text.
///
/// # Errors
/// When `out` cannot be written.
pub fn replay(replay: &Replay<'_>, options: Options, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(options.style, out);
    headline(replay, &mut page)?;
    firings(replay, options.top, &mut page)?;
    incidents(replay, options.top, &mut page)?;
    burns(replay, options.top, &mut page)?;
    rules(replay, &mut page)?;
    if !replay.notes.is_empty() {
        page.heading("NOTES", "")?;
        for note in &replay.notes {
            page.hanging("  -", 4, note)?;
        }
    }
    page.finish()
}

fn headline<W: Write>(replay: &Replay<'_>, page: &mut Page<W>) -> io::Result<()> {
    let first = format!(
        "agentdiag {}: {} over {} series, every {}",
        replay.tool_version(),
        human::counted(replay.rules.len() as u64, "rule"),
        human::count(replay.series as u64),
        human::duration(replay.interval),
    );
    let period = human::span_of_time(replay.window.start, replay.window.end);
    for line in [first, period] {
        let line = text::cut(&line, page.style.width, page.style.ellipsis());
        page.line(&page.style.paint(Paint::Dim, &line))?;
    }
    page.line("")?;
    let (alerts, fired) = replay.alerts();
    let paint = match fired {
        0 => Paint::Good,
        _ => Paint::Bad,
    };
    let mut said = match fired {
        0 => format!("None of {} fired.", human::counted(alerts as u64, "alert")),
        _ => format!(
            "{fired} of {} fired, {} in all.",
            human::counted(alerts as u64, "alert"),
            human::counted(replay.firings.len() as u64, "time"),
        ),
    };
    said += &coverage(replay);
    for line in text::wrap(&text::clean(&said), page.style.width) {
        page.line(&page.style.paint(paint, &line))?;
    }
    Ok(())
}

fn coverage(replay: &Replay<'_>) -> String {
    let total = replay.incidents.len();
    let mut said = match (total, replay.unseen()) {
        (0, _) => " The diagnosis finds no incident.".to_owned(),
        (_, 0) => format!(
            " {} seen by an alert.",
            match total {
                1 => "The one incident was".to_owned(),
                2 => "Both incidents were".to_owned(),
                n => format!("All {n} incidents were"),
            }
        ),
        (_, unseen) => format!(
            " {unseen} of {} seen by no alert.",
            human::counted(total as u64, "incident")
        ),
    };
    let bare = replay.without_incident();
    if bare > 0 {
        said += &format!(
            " {} no incident.",
            match bare {
                1 => "1 firing meets".to_owned(),
                n => format!("{n} firings meet"),
            }
        );
    }
    said
}

fn firings<W: Write>(replay: &Replay<'_>, top: usize, page: &mut Page<W>) -> io::Result<()> {
    if replay.firings.is_empty() {
        return Ok(());
    }
    page.heading("FIRED", &shown(replay.firings.len(), top))?;
    for firing in replay.firings.iter().take(top) {
        let name = named(&replay.rules[firing.rule].name, &firing.labels);
        page.hanging(&stamp(firing.fired), STAMP, &name)?;
        let met = match firing.covers.len() {
            0 => "no incident".to_owned(),
            n => human::counted(n as u64, "incident"),
        };
        let pending = human::short(firing.fired.since(firing.pending));
        let text = format!("pending {pending}, fired {}, {met}", lasted(replay, firing));
        page.hanging("", STAMP, &text)?;
    }
    Ok(())
}

/// Columns of an instant and what is around it.
const STAMP: usize = 23;

fn stamp(at: Nanos) -> String {
    format!("  {}", human::instant(at))
}

fn lasted(replay: &Replay<'_>, firing: &Firing) -> String {
    match firing.resolved {
        Some(resolved) => human::short(resolved.since(firing.fired)),
        None => format!(
            "{} and on",
            human::short(replay.window.end.since(firing.fired))
        ),
    }
}

fn named(alert: &str, labels: &[(String, String)]) -> String {
    let labels = labels.iter().filter(|(name, _)| name != "severity");
    let labels: Vec<&str> = labels.map(|(_, value)| value.as_str()).collect();
    format!("{alert} {}", labels.join(" "))
}

fn shown(total: usize, top: usize) -> String {
    match total > top {
        true => format!("{top} of {total}; --top shows more"),
        false => String::new(),
    }
}

fn incidents<W: Write>(replay: &Replay<'_>, top: usize, page: &mut Page<W>) -> io::Result<()> {
    if replay.incidents.is_empty() {
        return Ok(());
    }
    page.heading(
        "INCIDENTS",
        "found by the diagnosis, and the first alert that saw each",
    )?;
    let mut all: Vec<&Seen> = replay.incidents.iter().collect();
    all.sort_by_key(|seen| !seen.by.is_empty());
    for seen in all.into_iter().take(top) {
        let what = format!(
            "{}, {}: {} in {}",
            seen.cause,
            seen.scope,
            human::counted(seen.requests, "request"),
            human::short(seen.window.len()),
        );
        page.hanging(&stamp(seen.window.start), STAMP, &what)?;
        let first = seen.by.iter().min_by_key(|&&f| replay.firings[f].fired);
        let who = match (first, seen.after) {
            (Some(&f), Some(after)) => {
                let firing = &replay.firings[f];
                let name = named(&replay.rules[firing.rule].name, &firing.labels);
                format!("seen after {} by {name}", human::short(after))
            }
            _ => "seen by no alert".to_owned(),
        };
        page.hanging("", STAMP, &who)?;
    }
    Ok(())
}

fn burns<W: Write>(replay: &Replay<'_>, top: usize, page: &mut Page<W>) -> io::Result<()> {
    if replay.burns.is_empty() {
        return Ok(());
    }
    page.heading(
        "ERROR BUDGET",
        "windows in which failures used it up too fast",
    )?;
    let columns = [
        Column::Word("from (UTC)"),
        Column::Number("lasted"),
        Column::Number("peak"),
        Column::Word("windows"),
        Column::Name("agent"),
    ];
    let mut table = Table::new(page.style, &columns);
    for burn in replay.burns.iter().take(top) {
        let label = |name: &str| {
            let found = burn.labels.iter().find(|(n, _)| n == name);
            found.map_or("", |(_, value)| value)
        };
        let end = burn.to.unwrap_or(replay.window.end);
        table.row([
            human::instant(burn.from),
            human::short(end.since(burn.from)),
            format!("{}x", human::plain(burn.peak)),
            format!("{} and {}", label("long"), label("short")),
            label("agent_id").to_owned(),
        ]);
    }
    page.table(table)
}

fn rules<W: Write>(replay: &Replay<'_>, page: &mut Page<W>) -> io::Result<()> {
    let quiet: Vec<&RuleRow> = replay.rules.iter().filter(|r| r.firings == 0).collect();
    let failed: Vec<&RuleRow> = replay.rules.iter().filter(|r| r.failures > 0).collect();
    if !quiet.is_empty() {
        page.heading("DID NOT FIRE", "")?;
        for rule in quiet {
            page.hanging("  -", 4, &format!("{}: {}", rule.name, rule.why_quiet()))?;
        }
    }
    if !failed.is_empty() {
        page.heading("FAILED", "Prometheus would have logged these errors")?;
        for rule in failed {
            let (at, why) = rule
                .failed
                .as_ref()
                .map_or((Nanos::ZERO, ""), |(a, w)| (*a, w));
            let text = format!(
                "{} ({}:{}): {} of {} evaluations, first at {}: {why}",
                rule.name,
                rule.file,
                rule.line,
                rule.failures,
                rule.evaluations,
                human::instant(at),
            );
            page.hanging("  -", 4, &text)?;
        }
    }
    Ok(())
}
