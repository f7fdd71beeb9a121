//! Whether company makes tokens slower: calls in flight at one server against time per further token.

use super::scale::Scale;
use super::sheet::{At, Drawn, Plot, Sheet};
use super::{Form, Pen, Subject};
use crate::render::palette::{ACCENT, BAD, INK, MUTED, NORMAL, Sign};
use crate::units::human::{count, counted, plain};

pub(super) fn height(form: Form) -> i32 {
    match form {
        Form::File => 430,
        Form::Page => 360,
        Form::Narrow => 330,
    }
}

pub(super) fn describe(subject: Subject<'_>) -> String {
    let load = &subject.figures.load;
    let calls = counted(load.calls, "model call");
    let ends = load.steps.first().zip(load.steps.last());
    let said = ends.map_or(String::new(), |(few, many)| {
        format!(
            " With {} in flight the median call took {} times its model's usual time per token; with {} in flight, {} times.",
            count(few.in_flight),
            plain(few.quartiles[1]),
            count(many.in_flight),
            plain(many.quartiles[1])
        )
    });
    format!("{calls} of the dump by calls in flight at the same server.{said}")
}

pub(super) fn draw<P: Pen>(subject: Subject<'_>, sheet: &Sheet<'_, P>) -> Drawn {
    let load = &subject.figures.load;
    let disc = |tone| Sign {
        tone,
        letter: ' ',
        corners: &[],
    };
    let mut legend = vec![(disc(NORMAL), "call".to_owned())];
    if load.points.iter().any(|point| point.slow) {
        legend.push((disc(BAD), "of a slow request".to_owned()));
    }
    legend.push((disc(ACCENT), "median and quartiles".to_owned()));
    let left = if sheet.small() { 44 } else { 68 };
    let taken = sheet.legend(sheet.top, left, &legend)?;
    let top = load.points.iter().map(|p| p.slowdown).fold(1.0, f64::max);
    let low = load.points.iter().map(|p| p.slowdown).fold(1.0, f64::min);
    let most = load.points.iter().map(|p| p.in_flight).fold(1.0, f64::max);
    let plot = Plot {
        left,
        top: sheet.top + taken + 26,
        right: sheet.width - 24,
        bottom: sheet.height - 50,
        x: Scale::counts(most.ceil() as u64, if sheet.small() { 4 } else { 8 }),
        y: multiples(low, top),
    };
    sheet.text("x the model's median", At::Start(8, plot.top - 16), MUTED)?;
    sheet.axes(&plot)?;
    let caption = "calls in flight at the same server";
    sheet.text(caption, At::End(plot.right, sheet.height - 12), MUTED)?;
    for slow in [false, true] {
        for point in load.points.iter().filter(|point| point.slow == slow) {
            let at = (plot.x(point.in_flight), plot.y(point.slowdown));
            let tone = if slow { BAD } else { NORMAL };
            sheet.disc(at, 2, tone, 0.7)?;
        }
    }
    let usual = plot.y(1.0);
    sheet.line(vec![(plot.left, usual), (plot.right, usual)], INK, 1)?;
    let mut line = Vec::new();
    for step in &load.steps {
        let [low, middle, high] = step.quartiles;
        let x = plot.x(step.in_flight as f64);
        sheet.line(vec![(x, plot.y(low)), (x, plot.y(high))], ACCENT, 2)?;
        line.push((x, plot.y(middle)));
    }
    for at in &line {
        sheet.disc(*at, 4, ACCENT, 1.0)?;
    }
    sheet.line(line, ACCENT, 2)
}

/// Multiples on a logarithmic scale.
fn multiples(low: f64, top: f64) -> Scale {
    let (from, to) = (low.max(0.05) * 0.9, top.max(2.0) * 1.1);
    let round = [
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0,
    ];
    let ticks = round.into_iter().filter(|v| (from..=to).contains(v));
    Scale {
        from,
        to,
        log: true,
        ticks: ticks.map(|v| (v, plain(v))).collect(),
    }
}
