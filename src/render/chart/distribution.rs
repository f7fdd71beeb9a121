//! How long requests took: counts by duration, slow ones apart, with median, 95th percentile and limit.

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
    format!(
        "{} by duration{}{}{}.",
        counted(all, "request"),
        quantile("median", shape.p50),
        quantile("95th percentile", shape.p95),
        quantile("limit", shape.limit)
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
    let plot = Plot {
        left,
        top: sheet.top + taken + 24,
        right: sheet.width - 14,
        bottom: sheet.height - 34,
        x: Scale::durations(first, last),
        y: Scale::counts(most.unwrap_or(0), 4),
    };
    sheet.axes(&plot)?;
    for bin in &shape.bins {
        column(bin, &plot, sheet)?;
    }
    let lines = [
        ("median", shape.p50, INK),
        ("95%", shape.p95, INK),
        ("limit", shape.limit, ACCENT),
    ];
    let mut free = i32::MIN;
    for (name, value, tone) in lines {
        let Some(value) = value else { continue };
        let x = plot.x(value.0 as f64);
        sheet.line(
            vec![(x, plot.top - 4), (x, plot.bottom)],
            tone,
            if tone == ACCENT { 2 } else { 1 },
        )?;
        let label = format!("{name} {}", short(value));
        let half = width(&label, false) / 2;
        let middle = x.clamp(half, sheet.width - half);
        if middle - half > free {
            sheet.text(
                &label,
                At::Middle(middle, plot.top - 13),
                if tone == INK { MUTED } else { tone },
            )?;
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
