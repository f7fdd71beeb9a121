//! What was paid, by model or by kind of task.

use super::scale::Scale;
use super::sheet::{At, Drawn, Plot, Sheet, fit};
use super::{Chart, Form, Pen, Subject};
use crate::render::palette::{ACCENT, INK, MUTED};
use crate::units::Usd;
use crate::units::human::{counted, money};

/// Bars at most; the others are named in the description.
const ROWS: usize = 10;
const BAR: i32 = 18;
const ROW: i32 = 30;

/// Name, cost, calls.
type Bar<'a> = (&'a str, Usd, u64);

/// Bars, and what they leave out: groups and their cost.
fn bars(chart: Chart, subject: Subject<'_>) -> (Vec<Bar<'_>>, u64, Usd, u64) {
    let cost = &subject.report.sums().cost;
    let groups = match chart {
        Chart::CostByTask => &cost.by_task,
        _ => &cost.by_model,
    };
    let mut bars: Vec<Bar<'_>> = groups
        .iter()
        .filter_map(|sum| Some((sum.key.as_str(), sum.cost?, sum.calls)))
        .collect();
    let unpriced = (groups.len() - bars.len()) as u64;
    let rest = bars.split_off(bars.len().min(ROWS));
    let left = rest.iter().map(|(_, cost, _)| *cost).sum();
    (bars, rest.len() as u64, left, unpriced)
}

pub(super) fn height(chart: Chart, subject: Subject<'_>, form: Form) -> i32 {
    let row = if form == Form::Narrow { ROW + 16 } else { ROW };
    bars(chart, subject).0.len() as i32 * row + 46
}

pub(super) fn describe(chart: Chart, subject: Subject<'_>) -> String {
    let (bars, more, left, unpriced) = bars(chart, subject);
    let sum: Usd = bars.iter().map(|(_, cost, _)| *cost).sum();
    let mut text = format!("{} in all", money(sum + left));
    if more > 0 {
        text.push_str(&format!(
            "; {} not drawn, {}",
            counted(more, "further group"),
            money(left)
        ));
    }
    if unpriced > 0 {
        text.push_str(&format!("; {} without a price", counted(unpriced, "group")));
    }
    text.push('.');
    text
}

pub(super) fn draw<P: Pen>(chart: Chart, subject: Subject<'_>, sheet: &Sheet<'_, P>) -> Drawn {
    let (bars, ..) = bars(chart, subject);
    let small = sheet.small();
    let (left, label) = if small { (8, 16) } else { (230, 0) };
    let most = bars.iter().map(|(_, cost, _)| *cost).max();
    let plot = Plot {
        left,
        top: sheet.top + 6,
        right: sheet.width - if small { 70 } else { 170 },
        bottom: sheet.top + 6 + bars.len() as i32 * (ROW + label),
        x: Scale::dollars(most.unwrap_or_default(), if small { 2 } else { 5 }),
        y: Scale::default(),
    };
    sheet.axes(&plot)?;
    for (index, (name, cost, calls)) in bars.iter().enumerate() {
        let y = plot.top + index as i32 * (ROW + label) + label + 4;
        let name = if name.is_empty() { "(not named)" } else { name };
        match small {
            true => sheet.text(
                &fit(name, sheet.width - 16, false),
                At::Start(left, y - 8),
                INK,
            )?,
            false => sheet.text(
                &fit(name, left - 24, false),
                At::End(left - 8, y + BAR / 2),
                INK,
            )?,
        }
        let end = plot.x(cost.as_dollars());
        sheet.rect((left, y), (end.max(left + 1), y + BAR), ACCENT, 1.0)?;
        sheet.text(&money(*cost), At::Start(end + 7, y + BAR / 2), INK)?;
        if !small {
            sheet.text(
                &counted(*calls, "call"),
                At::End(sheet.width - 14, y + BAR / 2),
                MUTED,
            )?;
        }
    }
    Ok(())
}
