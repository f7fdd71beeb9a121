//! Devices over time: one panel per quantity, one line per device.

use super::scale::Scale;
use super::sheet::{At, Drawn, Plot, Sheet, fit};
use super::{Form, Pen, Subject};
use crate::render::palette::{self, INK, Sign};
use crate::report::figures::GpuPanel;
use crate::units::Nanos;
use crate::units::human::{counted, plain};

/// Pixels of a panel, and of the space above it.
const PANEL: i32 = 120;
const ABOVE: i32 = 44;

pub(super) fn height(subject: Subject<'_>, form: Form) -> i32 {
    let panels = subject.figures.gpu.panels.len() as i32;
    let legend = if form == Form::Narrow { 110 } else { 60 };
    panels * (PANEL + ABOVE) + legend
}

pub(super) fn describe(subject: Subject<'_>) -> String {
    let gpu = &subject.figures.gpu;
    let panels: Vec<String> = gpu
        .panels
        .iter()
        .map(|panel| panel.title.to_lowercase().replacen("gpu", "GPU", 1))
        .collect();
    let devices = gpu.panels.iter().map(|p| p.tracks.len() + p.left_out).max();
    let hidden = gpu.panels.iter().map(|p| p.left_out).max().unwrap_or(0);
    let hidden = match hidden {
        0 => String::new(),
        n => format!(" {} not drawn.", counted(n as u64, "further device")),
    };
    format!(
        "{} of {}.{hidden}",
        panels.join(", "),
        counted(devices.unwrap_or(0) as u64, "device")
    )
}

pub(super) fn draw<P: Pen>(subject: Subject<'_>, sheet: &Sheet<'_, P>) -> Drawn {
    let gpu = &subject.figures.gpu;
    let mut names: Vec<&str> = gpu
        .panels
        .iter()
        .flat_map(|p| &p.tracks)
        .map(|t| t.device.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let sign = |device: &str| palette::series(names.iter().position(|n| *n == device).unwrap_or(0));
    let legend: Vec<(Sign, String)> = names
        .iter()
        .map(|n| (sign(n), fit(n, 200, false)))
        .collect();
    let left = if sheet.small() { 44 } else { 68 };
    let mut top = sheet.top + sheet.legend(sheet.top, left, &legend)?;
    for panel in &gpu.panels {
        sheet.bold(
            &format!("{}, {}", panel.title, panel.unit),
            At::Start(left, top + 14),
            INK,
        )?;
        let plot = Plot {
            left,
            top: top + 28,
            right: sheet.width - 14,
            bottom: top + 28 + PANEL - 22,
            x: Scale::times(gpu.window, if sheet.small() { 4 } else { 9 }),
            y: Scale::linear(panel.top.unwrap_or_else(|| highest(panel)), 2, plain),
        };
        sheet.axes(&plot)?;
        for track in &panel.tracks {
            let place = |(at, value): &(Nanos, f64)| (plot.x(at.0 as f64), plot.y(*value));
            for stretch in stretches(&track.points) {
                let tone = sign(&track.device).tone;
                match stretch {
                    [alone] => sheet.disc(place(alone), 2, tone, 1.0)?,
                    _ => sheet.line(stretch.iter().map(place).collect(), tone, 2)?,
                }
            }
        }
        top += PANEL + ABOVE;
    }
    Ok(())
}

/// Where values are missing the line is broken: a device that did not answer was not in between.
fn stretches(points: &[(Nanos, f64)]) -> impl Iterator<Item = &[(Nanos, f64)]> {
    let mut steps: Vec<u64> = points.windows(2).map(|p| p[1].0.since(p[0].0).0).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(0);
    let near =
        move |a: &(Nanos, f64), b: &(Nanos, f64)| b.0.since(a.0).0 <= usual.saturating_mul(3) / 2;
    points.chunk_by(near)
}

fn highest(panel: &GpuPanel) -> f64 {
    let values = panel.tracks.iter().flat_map(|t| &t.points).map(|p| p.1);
    values.fold(0.0, f64::max)
}
