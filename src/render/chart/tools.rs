//! Which tools were chosen, over time: shares of all tool calls.

use super::scale::Scale;
use super::sheet::{At, Drawn, Plot, Sheet, fit, width};
use super::{Form, Pen, Subject};
use crate::render::palette::{self, INK, Sign};
use crate::report::figures::ToolShares;
use crate::units::human::{counted, instant, percent};

pub(super) fn height(form: Form) -> i32 {
    match form {
        Form::File => 430,
        Form::Page => 360,
        Form::Narrow => 380,
    }
}

pub(super) fn describe(subject: Subject<'_>) -> String {
    let shares = &subject.figures.tools;
    let calls = counted(shares.totals.iter().sum(), "tool call");
    let drift = &subject.report.sums().drift;
    let said = shares.since.map(|at| {
        let changed = drift.tools.iter().filter(|t| t.drifted).filter_map(|t| {
            let (before, after) = (t.before.share()?, t.after.share()?);
            Some(format!(
                "{} from {} to {}",
                t.tool,
                percent(before),
                percent(after)
            ))
        });
        let changed: Vec<String> = changed.take(3).collect();
        format!(
            "The choice changed at {} UTC: {}.",
            instant(at),
            changed.join(", ")
        )
    });
    let said = said.unwrap_or_else(|| "No change beyond chance.".to_owned());
    format!("{calls}. {said}")
}

pub(super) fn draw<P: Pen>(subject: Subject<'_>, sheet: &Sheet<'_, P>) -> Drawn {
    let shares = &subject.figures.tools;
    let left = if sheet.small() { 48 } else { 68 };
    let taken = sheet.legend(sheet.top, left, &legend(shares, sheet.width - left - 30))?;
    let plot = Plot {
        left,
        top: sheet.top + taken + 22,
        right: sheet.width - 14,
        bottom: sheet.height - 34,
        x: Scale::times(shares.bins.window(), if sheet.small() { 4 } else { 9 }),
        y: Scale::linear(1.0, 4, percent),
    };
    sheet.axes(&plot)?;
    for (bin, total) in shares
        .totals
        .iter()
        .enumerate()
        .filter(|(_, total)| **total > 0)
    {
        column(shares, bin, *total, &plot, sheet)?;
    }
    if let Some(at) = shares.since {
        let x = plot.x(at.0 as f64);
        sheet.line(vec![(x, plot.top - 8), (x, plot.bottom)], INK, 2)?;
        let half = width("changed", true) / 2;
        let middle = x.clamp(half, sheet.width - half);
        sheet.bold("changed", At::Middle(middle, plot.top - 14), INK)?;
    }
    Ok(())
}

fn column<P: Pen>(
    shares: &ToolShares,
    bin: usize,
    total: u64,
    plot: &Plot,
    sheet: &Sheet<'_, P>,
) -> Drawn {
    let (from, to) = (
        plot.x(shares.bins.at(bin).0 as f64),
        plot.x(shares.bins.at(bin + 1).0 as f64),
    );
    let to = (to - 2).max(from + 1);
    let mut sum = 0;
    for (index, tool) in shares.tools.iter().enumerate() {
        let calls = tool.calls.get(bin).copied().unwrap_or(0);
        let bottom = plot.y(sum as f64 / total as f64);
        sum += calls;
        let top = plot.y(sum as f64 / total as f64);
        if top >= bottom {
            continue;
        }
        let sign = palette::series(index);
        sheet.rect((from, top), (to, (bottom - 1).max(top + 1)), sign.tone, 1.0)?;
        let letter = sign.letter.to_string();
        if bottom - top > 16 && to - from > width(&letter, true) + 4 {
            sheet.bold(
                &letter,
                At::Middle((from + to) / 2, (top + bottom) / 2),
                sign.letter_tone(),
            )?;
        }
    }
    Ok(())
}

fn legend(shares: &ToolShares, room: i32) -> Vec<(Sign, String)> {
    let item = |(index, tool): (usize, &crate::report::figures::ToolShare)| {
        let sign = palette::series(index);
        let name = match tool.tool.as_deref() {
            None => "all others",
            Some("") => "(not named)",
            Some(name) => name,
        };
        let changed = if tool.drifted { ", changed" } else { "" };
        (
            sign,
            fit(
                &format!("{} {name}{changed}", sign.letter),
                room.min(280),
                false,
            ),
        )
    };
    shares.tools.iter().enumerate().map(item).collect()
}
