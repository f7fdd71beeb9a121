//! Small parts that many sections use: signs, bars, figures with their chart.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use crate::render::chart::{Chart, ChartError, Form, Subject};
use crate::render::palette::{self, Sign};
use crate::report::Cause;

/// Shape and letter of a cause before its label.
pub(super) fn cause(cause: Cause) -> Markup {
    html! {
        span.cause { (sign(palette::cause(cause.index()))) (cause.label()) }
    }
}

/// Shape and letter.
pub(super) fn sign(sign: Sign) -> Markup {
    html! {
        span.sign aria-hidden="true" {
            svg viewBox="-1.5 -1.5 3 3" { (shape(sign)) }
            b { (sign.letter) }
        }
    }
}

fn shape(sign: Sign) -> Markup {
    let class = format!("f-{}", sign.tone.name);
    if sign.corners.is_empty() {
        return html! { circle class=(class) r="1.1" {} };
    }
    let mut line = String::new();
    for (index, (x, y)) in sign.corners.iter().enumerate() {
        let _ = write!(line, "{}{x} {y}", if index == 0 { "M" } else { "L" });
    }
    html! { path class=(class) d={ (line) "Z" } {} }
}

/// A share as a bar; what it means stands beside it as a number.
pub(super) fn bar(share: f64, tone: &str) -> Markup {
    let width = share.clamp(0.0, 1.0) * 100.0;
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect.f-grid width="100" height="8" {}
            rect class={ "f-" (tone) } width=(format!("{width:.1}")) height="8" {}
        }
    }
}

/// A chart for wide and one for narrow pages, with what it says below; nothing without data.
pub(super) fn figure(chart: Chart, subject: Subject<'_>) -> Result<Option<Markup>, ChartError> {
    if !chart.has_data(subject) {
        return Ok(None);
    }
    let wide = chart.svg(subject, Form::Page)?;
    let narrow = chart.svg(subject, Form::Narrow)?;
    Ok(Some(html! {
        figure data-chart=(chart.name()) {
            div.wide { (PreEscaped(wide)) }
            div.narrow { (PreEscaped(narrow)) }
            figcaption { (super::text::sentence(&chart.description(subject))) }
        }
    }))
}

/// A table that scrolls sideways on its own where it does not fit.
pub(super) fn scroller(label: &str, table: Markup) -> Markup {
    html! {
        div.scroll role="group" aria-label=(label) tabindex="0" { (table) }
    }
}
