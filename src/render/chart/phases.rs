//! Where time went and where it should have gone: stacked bars, each part with its letter.

use super::scale::Scale;
use super::sheet::{At, Drawn, Plot, Sheet, legend_height, width};
use super::{Form, Pen, Subject};
use crate::render::palette::{self, INK, MUTED, Sign};
use crate::report::figures::{PartTimes, Phases};
use crate::units::Nanos;
use crate::units::human::{counted, short};

/// Pixels of a bar, and from one bar to the next.
const BAR: i32 = 26;
const ROW: i32 = 34;
/// Pixels between slow and other requests.
const APART: i32 = 30;

/// A bar: group, which of the two, its parts.
type Bar = (String, &'static str, PartTimes);

pub(super) fn height(subject: Subject<'_>, form: Form) -> i32 {
    let phases = &subject.figures.phases;
    let groups = bars(phases).len() as i32 / 2;
    legend_height(&legend(phases), left(form), form) + groups * (2 * ROW + APART) + 50
}

pub(super) fn describe(subject: Subject<'_>) -> String {
    let mean = |parts: &PartTimes| short(parts.iter().map(|(_, time)| *time).sum());
    let groups = [
        ("slow", subject.figures.phases.slow),
        ("other", subject.figures.phases.normal),
    ];
    let said = groups.into_iter().filter_map(|(name, pair)| {
        let pair = pair?;
        let requests = counted(pair.requests, &format!("{name} request"));
        let (seen, due) = (mean(&pair.observed), mean(&pair.expected));
        Some(format!(
            "{requests} took {seen} on average instead of {due}"
        ))
    });
    format!("{}.", said.collect::<Vec<_>>().join("; "))
}

pub(super) fn draw<P: Pen>(subject: Subject<'_>, sheet: &Sheet<'_, P>) -> Drawn {
    let phases = &subject.figures.phases;
    let bars = bars(phases);
    let total = |parts: &PartTimes| parts.iter().map(|(_, time)| *time).sum::<Nanos>();
    let most = bars.iter().map(|(.., parts)| total(parts)).max();
    let left = left(sheet.form);
    let taken = sheet.legend(sheet.top, left, &legend(phases))?;
    let plot = Plot {
        left,
        top: sheet.top + taken + 4,
        right: sheet.width - 70,
        bottom: sheet.height - 34,
        x: Scale::lengths(most.unwrap_or_default(), if sheet.small() { 3 } else { 6 }),
        y: Scale::default(),
    };
    sheet.axes(&plot)?;
    let mut y = plot.top;
    for (index, (group, which, parts)) in bars.iter().enumerate() {
        if index % 2 == 0 {
            sheet.bold(group, At::Start(left, y + 12), INK)?;
            y += APART - 6;
        }
        sheet.text(which, At::End(left - 8, y + BAR / 2), MUTED)?;
        stacked(parts, &plot, y, sheet)?;
        let end = plot.x(total(parts).as_secs());
        sheet.text(&short(total(parts)), At::Start(end + 7, y + BAR / 2), INK)?;
        y += ROW + if index % 2 == 0 { 0 } else { 6 };
    }
    Ok(())
}

fn stacked<P: Pen>(parts: &PartTimes, plot: &Plot, y: i32, sheet: &Sheet<'_, P>) -> Drawn {
    let mut sum = Nanos::ZERO;
    for (index, (_, time)) in parts.iter().enumerate() {
        let from = plot.x(sum.as_secs());
        sum += *time;
        let to = plot.x(sum.as_secs());
        if to <= from {
            continue;
        }
        let sign = palette::part(index);
        // A hair of the page between two parts tells them apart without colour.
        sheet.rect((from, y), ((to - 1).max(from + 1), y + BAR), sign.tone, 1.0)?;
        let letter = sign.letter.to_string();
        if to - from > width(&letter, true) + 8 {
            sheet.bold(
                &letter,
                At::Middle((from + to) / 2, y + BAR / 2),
                sign.letter_tone(),
            )?;
        }
    }
    Ok(())
}

fn left(form: Form) -> i32 {
    if form == Form::Narrow { 72 } else { 96 }
}

fn bars(phases: &Phases) -> Vec<Bar> {
    let groups = [("slow", phases.slow), ("not slow", phases.normal)];
    let mut bars = Vec::new();
    for (name, pair) in groups {
        let Some(pair) = pair else { continue };
        let group = format!("{}, {name}", counted(pair.requests, "request"));
        bars.push((group.clone(), "took", pair.observed));
        bars.push((group, "expected", pair.expected));
    }
    bars
}

/// Parts that occur.
fn legend(phases: &Phases) -> Vec<(Sign, String)> {
    let bars = bars(phases);
    let Some((.., names)) = bars.first() else {
        return Vec::new();
    };
    let occurs = |index: usize| bars.iter().any(|(.., parts)| parts[index].1 > Nanos::ZERO);
    let named = names.iter().enumerate().filter(|(index, _)| occurs(*index));
    let item = |(index, (name, _)): (usize, &(&str, Nanos))| {
        let sign = palette::part(index);
        (sign, format!("{} {}", sign.letter, name.replace('_', " ")))
    };
    named.map(item).collect()
}
