//! Latency over time: every request a mark, its cause in shape and colour; incidents as stretches above.

use super::scale::Scale;
use super::sheet::{At, Drawn, Plot, Sheet, fit, width};
use super::{Form, Pen, Subject};
use crate::render::palette::{self, ACCENT, BAD, INK, NORMAL, Sign};
use crate::report::figures::{Mark, Timeline};
use crate::report::{Cause, Report};
use crate::units::human::{count, counted, short};
use crate::units::{Nanos, Window};

/// Pixels from one lane of incidents to the next.
const LANE: i32 = 18;
/// Lanes of incidents at most.
const LANES: usize = 4;

pub(super) fn height(form: Form) -> i32 {
    match form {
        Form::File => 500,
        Form::Page => 440,
        Form::Narrow => 380,
    }
}

/// Left and right end of the time axis.
pub(super) fn sides(form: Form) -> (i32, i32) {
    let left = if form == Form::Narrow { 52 } else { 68 };
    (left, form.width() - 14)
}

pub(super) fn describe(subject: Subject<'_>) -> String {
    let line = &subject.figures.timeline;
    let all = line.normal_of + line.slow_of;
    let mut text = format!(
        "{}, {} of them slow. Each mark is a request at its start; shape and colour are its cause.",
        counted(all, "request"),
        count(line.slow_of)
    );
    if line.is_sample() {
        let (slow, normal) = (line.slow.len() as u64, line.normal.len() as u64);
        text.push_str(&format!(
            " Drawn are the {} slow ones that lost most and {} others, evenly spread.",
            count(slow),
            count(normal)
        ));
    }
    let (drawn, left_out) = alerts(subject);
    if !drawn.is_empty() {
        text.push_str(" Red above: alerts that would have fired, thin while pending");
        if left_out > 0 {
            text.push_str(&format!("; {left_out} more stand in the list of alerts"));
        }
        text.push('.');
    }
    text
}

pub(super) fn draw<P: Pen>(subject: Subject<'_>, sheet: &Sheet<'_, P>) -> Drawn {
    let line = &subject.figures.timeline;
    let mut top = sheet.top + 8;
    if sheet.form == Form::File {
        top += sheet.legend(top, 24, &legend(subject.report))? + 8;
    }
    let (alerts, _) = alerts(subject);
    let above = alerts.len() as i32 * LANE;
    let lanes = lanes(line);
    let used = lanes.iter().map(|lane| lane + 1).max().unwrap_or(0) as i32;
    let marks = || line.normal.iter().chain(&line.slow);
    let longest = marks().map(|m| m.duration).max().unwrap_or_default();
    let shortest = marks().map(|m| m.duration).min().unwrap_or_default();
    let plot = Plot {
        left: sides(sheet.form).0,
        top: top + above + used * LANE + 10,
        right: sides(sheet.form).1,
        bottom: sheet.height - 34,
        x: Scale::times(line.window, if sheet.small() { 4 } else { 9 }),
        y: Scale::durations(shortest, longest),
    };
    sheet.axes(&plot)?;
    firings(&alerts, top, &plot, sheet)?;
    bands(line, &lanes, top + above, &plot, sheet)?;
    for mark in &line.normal {
        sheet.disc(place(&plot, mark), 2, NORMAL, 0.8)?;
    }
    for mark in &line.slow {
        let index = mark.cause.unwrap_or(Cause::Unexplained).index();
        sheet.mark(palette::cause(index), place(&plot, mark), 4.0)?;
    }
    if let Some(limit) = line.limit {
        let y = plot.y(limit.0 as f64);
        sheet.line(vec![(plot.left, y), (plot.right, y)], ACCENT, 2)?;
        let label = format!("slow from {} on", short(limit));
        sheet.text(&label, At::End(plot.right - 4, y - 11), ACCENT)?;
    }
    Ok(())
}

fn place(plot: &Plot, mark: &Mark) -> (i32, i32) {
    (plot.x(mark.start.0 as f64), plot.y(mark.duration.0 as f64))
}

/// Causes that occur, and the others.
pub(super) fn legend(report: &Report<'_>) -> Vec<(Sign, String)> {
    let named = report.summary().causes.iter().filter(|c| c.requests > 0);
    let mut items: Vec<(Sign, String)> = named
        .map(|total| {
            let name = format!("{} {}", total.cause.label(), count(total.requests));
            (palette::cause(total.cause.index()), name)
        })
        .collect();
    let not_slow = Sign {
        tone: NORMAL,
        letter: '-',
        corners: &[],
    };
    items.push((not_slow, "not slow".to_owned()));
    items
}

/// The lane of each incident: the first that is free; none where all are taken.
fn lanes(line: &Timeline) -> Vec<usize> {
    let mut free = Vec::new();
    let mut lanes = Vec::new();
    for band in &line.bands {
        let fits = |(_, taken): &(usize, &Vec<Window>)| {
            taken.iter().all(|w| w.overlap(band.window).0 == 0)
        };
        match free.iter().enumerate().find(fits).map(|(lane, _)| lane) {
            Some(lane) => {
                free[lane].push(band.window);
                lanes.push(lane);
            }
            None if free.len() < LANES => {
                lanes.push(free.len());
                free.push(vec![band.window]);
            }
            None => break,
        }
    }
    lanes
}

/// The stretches in which alerts of one name were pending and then fired.
struct Alert<'a> {
    name: &'a str,
    /// From pending to resolved, and when it fired in between.
    spells: Vec<(Window, Nanos)>,
}

/// Alerts that fired, a lane each, the first to fire above; and how many more there are.
fn alerts(subject: Subject<'_>) -> (Vec<Alert<'_>>, usize) {
    let mut alerts: Vec<Alert<'_>> = Vec::new();
    let replay = subject.alerts.into_iter();
    let firings = replay.flat_map(|replay| replay.firings.iter().map(move |f| (replay, f)));
    for (replay, firing) in firings {
        let rule = replay.rules.get(firing.rule);
        let name = rule.map_or("", |rule| rule.name.as_str());
        let window = Window {
            start: firing.pending,
            end: firing.resolved.unwrap_or(replay.window.end),
        };
        let spell = (window, firing.fired);
        match alerts.iter().position(|alert| alert.name == name) {
            Some(known) => alerts[known].spells.push(spell),
            None => alerts.push(Alert {
                name,
                spells: vec![spell],
            }),
        }
    }
    let left_out = alerts.len().saturating_sub(LANES);
    alerts.truncate(LANES);
    (alerts, left_out)
}

/// Pale while pending, strong while firing.
fn firings<P: Pen>(alerts: &[Alert<'_>], top: i32, plot: &Plot, sheet: &Sheet<'_, P>) -> Drawn {
    let place = |time: Nanos| plot.x(time.0 as f64).clamp(plot.left, plot.right);
    for (lane, alert) in alerts.iter().enumerate() {
        let (high, low) = (
            top + lane as i32 * LANE,
            top + lane as i32 * LANE + LANE - 3,
        );
        for (window, fired) in &alert.spells {
            let (from, at, to) = (place(window.start), place(*fired), place(window.end));
            sheet.rect((from, high + 5), (at, low - 5), BAD, 0.35)?;
            sheet.rect((at, high), (to.max(at + 3), low), BAD, 0.22)?;
            sheet.rect((at, high), (at + 3, low), BAD, 1.0)?;
        }
        // Behind the last spell where there is room, else before the first.
        let windows = || alert.spells.iter().map(|(window, _)| *window);
        let first = windows().map(|w| w.start).min().unwrap_or_default();
        let last = windows().map(|w| w.end).max().unwrap_or_default();
        let (first, last, y) = (place(first), place(last), high + 7);
        if last + 8 + width(alert.name, false) <= plot.right {
            sheet.text(alert.name, At::Start(last + 8, y), INK)?;
        } else {
            let label = fit(alert.name, first - plot.left - 12, false);
            sheet.text(&label, At::End(first - 8, y), INK)?;
        }
    }
    Ok(())
}

fn bands<P: Pen>(
    line: &Timeline,
    lanes: &[usize],
    top: i32,
    plot: &Plot,
    sheet: &Sheet<'_, P>,
) -> Drawn {
    for (band, lane) in line.bands.iter().zip(lanes) {
        let sign = palette::cause(band.cause.index());
        let (from, to) = (
            plot.x(band.window.start.0 as f64),
            plot.x(band.window.end.0 as f64),
        );
        let y = top + *lane as i32 * LANE;
        let to = to.max(from + 3);
        sheet.rect((from, y), (to, y + LANE - 3), sign.tone, 0.22)?;
        sheet.rect((from, y), (from + 3, y + LANE - 3), sign.tone, 1.0)?;
        let label = format!("{} {}", sign.letter, band.scope);
        let room = to - from - 10;
        if room >= width("W scope", false) {
            sheet.text(&fit(&label, room, false), At::Start(from + 7, y + 7), INK)?;
        } else if room >= width("W", true) {
            sheet.bold(&sign.letter.to_string(), At::Start(from + 7, y + 7), INK)?;
        }
    }
    Ok(())
}
