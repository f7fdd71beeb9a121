//! How long requests took: counts by duration, slow ones apart, with median, 95th percentile, limit and what
//! budgets allow.

use super::scale::Scale;
use super::sheet::{At, Drawn, Plot, Sheet, width};
use super::{Form, Pen, Subject};
use crate::render::palette::{ACCENT, BAD, INK, MUTED, NORMAL, Sign, Tone};
use crate::report::figures::DurationBin;
use crate::units::Nanos;
use crate::units::human::{counted, short};

pub(super) fn height(form: Form) -> i32 {
    match form {
        Form::File => 400,
        Form::Page => 320,
        Form::Narrow => 290,
    }
}

pub(super) fn describe(subject: Subject<'_>) -> String {
    let shape = &subject.figures.distribution;
    let all = shape.bins.iter().map(|bin| bin.normal + bin.slow).sum();
    let quantile = |name: &str, value: Option<Nanos>| {
        value.map_or(String::new(), |v| format!("; {name} {}", short(v)))
    };
    let budgets = shape.budgets.iter();
    let budgets = budgets.map(|(name, value)| format!("; budget of {name} {}", short(*value)));
    format!(
        "{} by duration{}{}{}{}.",
        counted(all, "request"),
        quantile("median", shape.p50),
        quantile("95th percentile", shape.p95),
        quantile("limit", shape.limit),
        budgets.collect::<String>()
    )
}

pub(super) fn draw<P: Pen>(subject: Subject<'_>, sheet: &Sheet<'_, P>) -> Drawn {
    let shape = &subject.figures.distribution;
    let square = |tone: Tone| Sign {
        tone,
        letter: ' ',
        corners: crate::render::palette::part(0).corners,
    };
    let legend = [
        (square(NORMAL), "not slow".to_owned()),
        (square(BAD), "slow".to_owned()),
    ];
    let left = if sheet.small() { 44 } else { 68 };
    let taken = sheet.legend(sheet.top, left, &legend)?;
    let most = shape.bins.iter().map(|bin| bin.normal + bin.slow).max();
    let first = shape.bins.first().map_or(Nanos::ZERO, |bin| bin.from);
    let last = shape.bins.last().map_or(Nanos::ZERO, |bin| bin.to);
    let seen = [("median", shape.p50), ("95%", shape.p95)];
    let seen = seen.map(|(name, value)| value.map(|value| (name.to_owned(), value)));
    let seen: Vec<(String, Nanos)> = seen.into_iter().flatten().collect();
    let limit = shape.limit.map(|value| ("limit".to_owned(), value));
    let budgets = shape.budgets.iter();
    let budgets = budgets.map(|(name, value)| (format!("budget {name}"), *value));
    let allowed: Vec<(String, Nanos)> = limit.into_iter().chain(budgets).collect();
    let longest = allowed
        .iter()
        .map(|(_, value)| *value)
        .fold(last, Nanos::max);
    let rows = if allowed.is_empty() { 1 } else { 2 };
    let plot = Plot {
        left,
        top: sheet.top + taken + 8 + rows * LABEL,
        right: sheet.width - 14,
        bottom: sheet.height - 34,
        x: Scale::durations(first, longest),
        y: Scale::counts(most.unwrap_or(0), 4),
    };
    sheet.axes(&plot)?;
    for bin in &shape.bins {
        column(bin, &plot, sheet)?;
    }
    lines(&plot, sheet, seen, (INK, MUTED), 1)?;
    lines(&plot, sheet, allowed, (ACCENT, ACCENT), rows)
}

/// Height of a row of labels.
const LABEL: i32 = 16;

/// Upright lines at durations, with their names in a row above the plot where there is room.
fn lines<P: Pen>(
    plot: &Plot,
    sheet: &Sheet<'_, P>,
    mut all: Vec<(String, Nanos)>,
    (tone, of_label): (Tone, Tone),
    row: i32,
) -> Drawn {
    all.sort_by_key(|(_, value)| *value);
    let mut free = i32::MIN;
    for (name, value) in all {
        let x = plot.x(value.0 as f64);
        let top = plot.top + 12 - LABEL * row;
        let strength = if tone == ACCENT { 2 } else { 1 };
        sheet.line(vec![(x, top), (x, plot.bottom)], tone, strength)?;
        let label = format!("{name} {}", short(value));
        let half = width(&label, false) / 2;
        let middle = x.clamp(half, sheet.width - half);
        if middle - half > free {
            sheet.text(&label, At::Middle(middle, top - 9), of_label)?;
            free = middle + half + 8;
        }
    }
    Ok(())
}

fn column<P: Pen>(bin: &DurationBin, plot: &Plot, sheet: &Sheet<'_, P>) -> Drawn {
    let (from, to) = (plot.x(bin.from.0 as f64), plot.x(bin.to.0 as f64));
    let to = (to - 1).max(from + 1);
    let slow = plot.y(bin.slow as f64);
    let all = plot.y((bin.slow + bin.normal) as f64);
    if bin.slow > 0 {
        sheet.rect((from, slow), (to, plot.bottom), BAD, 1.0)?;
    }
    if bin.normal > 0 {
        sheet.rect((from, all), (to, slow), NORMAL, 1.0)?;
    }
    Ok(())
}
