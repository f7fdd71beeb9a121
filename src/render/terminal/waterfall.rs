//! The waterfall: one line per span, each phase with its own letter, capitals where the end of the
//! request was waiting. Colour repeats what the letters say.

use std::io::{self, Write};

use super::cells::{Cell, Cells};
use super::{INDENT, Page, text};
use crate::render::sentence;
use crate::render::style::Paint;
use crate::report::{Line, Part, Piece, Waterfall, What};
use crate::units::human::{count, counted, short};
use crate::units::{Nanos, Window};

/// Columns of the duration, the space before it included.
const TOOK: usize = 9;
/// Columns a tick of the axis needs at least.
const TICK: usize = 7;

/// The waterfall, its legend below it.
pub(super) fn write<W: Write>(
    drawn: &Waterfall<'_>,
    wall: Window,
    page: &mut Page<W>,
) -> io::Result<()> {
    page.heading(
        "WATERFALL",
        "capitals: the end of the request was waiting for it",
    )?;
    let names = (page.style.width / 3).clamp(20, 44);
    let bars = page.style.width - INDENT - names - TOOK - 2;
    let left = INDENT + names + TOOK + 2;
    page.line(&format!("{:left$}{}", "", axis(drawn.window, wall, bars)))?;
    let path = row(page, "  ", "critical path", wall.len(), names);
    let cells = Cells::of(&drawn.path, drawn.window, bars);
    page.line(&format!("{path}  {}", cells.text(page.style)))?;
    let mut seen: Vec<Part> = drawn.path.iter().filter_map(|piece| piece.part).collect();
    for line in &drawn.lines {
        seen.extend(line.pieces.iter().filter_map(|piece: &Piece| piece.part));
        let label = row(
            page,
            mark(line),
            &label(line, names),
            line.window.len(),
            names,
        );
        let cells = Cells::of(&line.pieces, drawn.window, bars);
        page.line(&format!("{label}  {}", cells.text(page.style)))?;
    }
    legend(drawn, seen, page)
}

fn row<W: Write>(page: &Page<W>, mark: &str, label: &str, took: Nanos, names: usize) -> String {
    let label = text::cut(&text::clean(label), names, page.style.ellipsis());
    let label = text::pad(&label, names);
    let label = match mark {
        "! " => page.style.paint(Paint::Bad, &format!("{mark}{label}")),
        _ => format!("{mark}{label}"),
    };
    format!("{label}{:>TOOK$}", short(took))
}

/// What the left margin says.
fn mark(line: &Line<'_>) -> &'static str {
    match line.what {
        What::Span(span) if span.failed => "! ",
        What::Span(span) if span.cited => "* ",
        _ => "  ",
    }
}

/// The name under those that contain it; the deepest levels share one indent.
fn label(line: &Line<'_>, names: usize) -> String {
    let indent = " ".repeat(line.depth.min(names / 3));
    let said = match &line.what {
        What::Gap => "(agent idle)".to_owned(),
        What::RetryWait => "(waiting to retry)".to_owned(),
        What::Span(span) => match sentence::ended(span).as_str() {
            "" => span.name.to_owned(),
            ended => format!("{ended}: {}", span.name),
        },
        What::Folded { spans, names } => {
            let each = names.iter().map(|(name, n)| match n {
                1 => (*name).to_owned(),
                n => format!("{name} x{n}"),
            });
            let each = each.collect::<Vec<_>>().join(", ");
            format!("+{} more: {each}", count(*spans as u64))
        }
    };
    format!("{indent}{said}")
}

/// Ticks at round times, counted from the start of the request.
fn axis(shown: Window, wall: Window, columns: usize) -> String {
    let whole = shown.len().as_secs().max(1e-9);
    let step = round_step(whole * TICK as f64 / columns as f64);
    let before = wall.start.since(shown.start).as_secs();
    let mut axis = String::new();
    for tick in 0..=columns {
        let at = tick as f64 * step;
        let column = ((before + at) / whole * columns as f64).round() as usize;
        let label = format!("|{}", tick_label(at));
        if column + label.len() > columns {
            break;
        }
        if column >= axis.len() {
            axis = text::pad(&axis, column);
            axis.push_str(&label);
        }
    }
    axis
}

/// The next of 1, 2, 5, 10, … that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|s| s * power);
    steps
        .into_iter()
        .find(|s| *s >= least * 0.999)
        .unwrap_or(power * 10.0)
}

fn tick_label(secs: f64) -> String {
    match secs {
        0.0 => "0".to_owned(),
        s if s >= 1.0 => format!("{}s", trimmed(s)),
        s if s >= 1e-3 => format!("{}ms", trimmed(s * 1e3)),
        s => format!("{}us", trimmed(s * 1e6)),
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.1}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn legend<W: Write>(
    drawn: &Waterfall<'_>,
    mut seen: Vec<Part>,
    page: &mut Page<W>,
) -> io::Result<()> {
    seen.sort_unstable();
    seen.dedup();
    let mut words: Vec<String> = seen
        .into_iter()
        .map(|part| format!("{}={}", Cell::shown_letter(part), part.name()))
        .collect();
    words.push(format!("{}=open", Cell::rule(page.style)));
    if drawn.lines.iter().any(|line| mark(line) == "! ") {
        words.push("!=failed".to_owned());
    }
    if drawn.lines.iter().any(|line| mark(line) == "* ") {
        words.push("*=named by the evidence".to_owned());
    }
    page.hanging("", INDENT, &words.join("  "))?;
    if drawn.inner > 0 {
        let inner = counted(drawn.inner as u64, "span");
        let said =
            format!("{inner} inside model calls, further records of the same work, not drawn");
        page.hanging("", INDENT, &said)?;
    }
    Ok(())
}
