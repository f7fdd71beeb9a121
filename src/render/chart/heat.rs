//! When which work was slow: kinds of task by time, stronger where a larger share was slow.

use super::scale::Scale;
use super::sheet::{At, Drawn, Plot, Sheet, fit};
use super::{Form, Pen, Subject};
use crate::render::palette::{INK, RAMP, SURFACE, Sign};
use crate::report::figures::Cell;
use crate::units::human::{counted, percent};

const ROW: i32 = 24;

pub(super) fn height(subject: Subject<'_>, form: Form) -> i32 {
    let label = if form == Form::Narrow { ROW - 6 } else { 0 };
    subject.figures.heat.rows.len() as i32 * (ROW + label) + 74
}

/// Left and right end of the time axis.
pub(super) fn sides(form: Form) -> (i32, i32) {
    let left = if form == Form::Narrow { 8 } else { 190 };
    (left, form.width() - 14)
}

pub(super) fn describe(subject: Subject<'_>) -> String {
    let heat = &subject.figures.heat;
    let worst = heat.rows.first().filter(|row| row.total.slow.part > 0);
    let said = worst.map_or(String::new(), |row| {
        let share = row.total.slow.share().map_or(String::new(), percent);
        let name = row.kind.as_deref().unwrap_or("others");
        format!(
            " Most time was lost by {name}: {share} of {} slow.",
            counted(row.total.slow.whole, "request")
        )
    });
    format!(
        "Rows are kinds of task, columns stretches of time; the stronger the colour, the larger the share that was slow; no request where there is none.{said}"
    )
}

pub(super) fn draw<P: Pen>(subject: Subject<'_>, sheet: &Sheet<'_, P>) -> Drawn {
    let heat = &subject.figures.heat;
    let small = sheet.small();
    let steps = ["none", "to 20%", "to 40%", "to 60%", "to 80%", "more"];
    let legend: Vec<(Sign, String)> = RAMP
        .into_iter()
        .zip(steps)
        .map(|(tone, name)| {
            let corners = crate::render::palette::part(0).corners;
            (
                Sign {
                    tone,
                    letter: ' ',
                    corners,
                },
                name.to_owned(),
            )
        })
        .filter(|(_, name)| !small || name == "none" || name == "more" || name == "to 40%")
        .collect();
    let (left, right) = sides(sheet.form);
    let taken = sheet.legend(sheet.top, left, &legend)?;
    let label = if small { ROW - 6 } else { 0 };
    let plot = Plot {
        left,
        top: sheet.top + taken + 6,
        right,
        bottom: sheet.top + taken + 6 + heat.rows.len() as i32 * (ROW + label),
        x: Scale::times(heat.bins.window(), if small { 4 } else { 9 }),
        y: Scale::default(),
    };
    sheet.axes(&plot)?;
    for (index, row) in heat.rows.iter().enumerate() {
        let y = plot.top + index as i32 * (ROW + label) + label;
        let name = match row.kind.as_deref() {
            None => "all others",
            Some("") => "(not named)",
            Some(kind) => kind,
        };
        match small {
            true => sheet.text(
                &fit(name, sheet.width - 16, false),
                At::Start(left, y - 8),
                INK,
            )?,
            false => sheet.text(
                &fit(name, left - 32, false),
                At::End(left - 8, y + ROW / 2 - 1),
                INK,
            )?,
        }
        for (bin, cell) in row.cells.iter().enumerate() {
            let (from, to) = (heat.bins.at(bin), heat.bins.at(bin + 1));
            let (from, to) = (plot.x(from.0 as f64), plot.x(to.0 as f64));
            let right = (to - 1).max(from + 1);
            sheet.rect((from, y), (right, y + ROW - 2), tone(cell), 1.0)?;
        }
    }
    Ok(())
}

/// The page's own colour where nothing ran, so that absent is not zero.
fn tone(cell: &Cell) -> crate::render::palette::Tone {
    match cell.slow.share() {
        None => SURFACE,
        Some(share) => {
            let step = (share * (RAMP.len() - 1) as f64).ceil() as usize;
            RAMP[step.min(RAMP.len() - 1)]
        }
    }
}
