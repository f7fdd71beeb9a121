//! One request over time: a line per span, wait or fold; what held up the end is drawn solid.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::part;
use super::text::{named, safe};
use crate::render::palette;
use crate::report::{Line, Part, Piece, Row, Waterfall, What};
use crate::units::human::{counted, short};
use crate::units::{Nanos, Window};

/// Lines at most.
const LINES: usize = 36;
/// Indents drawn at most, so that a deep trace stays on the page.
const DEEPEST: usize = 10;
/// Units from start to end of the drawing.
const WIDTH: f64 = 1_000.0;

pub(super) fn drawing(row: &Row<'_>) -> Markup {
    let fall = Waterfall::of(row, LINES);
    let pieces = fall.lines.iter().flat_map(|line| &line.pieces);
    let parts: BTreeSet<Part> = pieces.filter_map(|piece| piece.part).collect();
    html! {
        h3 { "Waterfall" }
        ul.keys {
            @for time in parts {
                li { (part::sign(palette::part(time as usize))) (time.name().replace('_', " ")) }
            }
            li.muted { "solid: the end of the request was waiting for it" }
        }
        (part::scroller("Waterfall", html! {
            table.fall {
                caption.hidden { "Spans and waits in order, with how long they took and how long the end waited for them" }
                thead { tr { th scope="col" { "What" } th.n scope="col" { "Took" } th.n scope="col" { "On the path" } th scope="col" { "0 to " (short(fall.window.len())) } } }
                tbody { @for line in &fall.lines { (one(line, fall.window)) } }
            }
        }))
    }
}

fn one(line: &Line<'_>, whole: Window) -> Markup {
    let depth = line.depth.min(DEEPEST);
    html! {
        tr {
            th scope="row" class={ "d" (depth) } { (what(line)) }
            td.n { (short(line.window.len())) }
            td.n { @if line.on_path > Nanos::ZERO { (short(line.on_path)) } }
            td.draw {
                svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true" {
                    @for piece in &line.pieces { (drawn(piece, whole)) }
                }
            }
        }
    }
}

fn what(line: &Line<'_>) -> Markup {
    match &line.what {
        What::Gap => html! { i { "agent between calls" } },
        What::RetryWait => html! { i { "wait before the next attempt" } },
        What::Folded { spans, names } => html! {
            span.muted {
                (counted(*spans as u64, "further span"))
                @if !names.is_empty() { ": " }
                @for (index, (name, times)) in names.iter().enumerate() {
                    @if index > 0 { ", " } (named(name)) @if *times > 1 { " x " (times) }
                }
            }
        },
        What::Span(span) => html! {
            span.cited[span.cited] { (named(span.name)) }
            span.muted { " " (span.kind) @if !span.service.is_empty() { ", " (safe(span.service)) } }
            @if span.failed { " " span.bad { "failed" @if let Some(error) = span.error { " (" (error) ")" } } }
            @if span.open { " " span.bad { "never ended" } }
            @if let Some(call) = &span.call {
                span.muted {
                    @if let Some(input) = call.input { ", " (input) " in" }
                    @if let Some(cached) = call.cached { " (" (cached) " cached)" }
                    @if let Some(output) = call.output { ", " (output) " out" }
                }
            }
        },
    }
}

fn drawn(piece: &Piece, whole: Window) -> Markup {
    let at =
        |time: Nanos| time.since(whole.start).as_secs() / whole.len().as_secs().max(1e-9) * WIDTH;
    let (from, to) = (at(piece.window.start), at(piece.window.end));
    let width = (to - from).max(1.5);
    let (y, height, class, opacity) = match piece.part {
        None => (5, 4, "f-grid".to_owned(), "1"),
        Some(part) => {
            let class = format!("f-{}", palette::part(part as usize).tone.name);
            if piece.critical {
                (1, 12, class, "1")
            } else {
                (3, 8, class, "0.45")
            }
        }
    };
    html! { rect class=(class) x=(format!("{from:.1}")) y=(y) width=(format!("{width:.1}")) height=(height) fill-opacity=(opacity) {} }
}
