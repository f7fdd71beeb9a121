//! Charts as SVG. Every colour is a class, so that a page or a reader's theme can change it; a picture that
//! stands alone brings a style sheet for light and dark and, for programs without style sheets, plain
//! attributes.

use std::fmt::Write as _;

use plotters_backend::BackendCoord;
use plotters_backend::text_anchor::HPos;

use super::backend::{Ink, Line, Paint, Pen};
use crate::render::palette::{self, Tone};

/// A drawing in the making.
pub(super) struct Svg {
    size: (u32, u32),
    /// Alone in a file, or part of a page that has the style sheet.
    alone: bool,
    body: String,
}

/// What a reader that does not see the drawing is told.
pub(super) struct Words<'a> {
    /// Unique in the page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
}

impl Svg {
    pub(super) fn new(size: (u32, u32), alone: bool) -> Self {
        Self {
            size,
            alone,
            body: String::new(),
        }
    }

    /// The whole element, or the whole file.
    pub(super) fn finish(self, words: &Words<'_>) -> String {
        let (width, height) = self.size;
        let Words { id, .. } = words;
        let (title, description) = (escape(words.title), escape(words.description));
        let (size, style) = match self.alone {
            true => (format!(r#" width="{width}" height="{height}""#), style()),
            false => (String::new(), String::new()),
        };
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-labelledby="{id}-t {id}-d" viewBox="0 0 {width} {height}"{size} font-family="'Noto Sans',system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"><title id="{id}-t">{title}</title><desc id="{id}-d">{description}</desc>{style}{}</svg>"#,
            self.body
        )
    }

    /// Attributes of a painted element.
    fn paint(&self, paint: Paint) -> String {
        match paint {
            Paint::Fill(ink) => self.ink("fill", "f", ink),
            Paint::Stroke(ink, width) => {
                let width = match width {
                    1 => String::new(),
                    width => format!(r#" stroke-width="{width}""#),
                };
                format!(r#"{}{width} fill="none""#, self.ink("stroke", "s", ink))
            }
        }
    }

    fn ink(&self, attribute: &str, prefix: &str, ink: Ink) -> String {
        let (r, g, b) = ink.rgb;
        let mut text = String::new();
        let tone = palette::tones().find(|tone| tone.light == [r, g, b]);
        if let Some(tone) = tone {
            let _ = write!(text, r#"class="{prefix}-{}""#, tone.name);
        }
        if self.alone || tone.is_none() {
            let _ = write!(text, r#" {attribute}="{}""#, Tone::hex([r, g, b]));
        }
        if ink.alpha < 1.0 {
            let _ = write!(text, r#" {attribute}-opacity="{:.2}""#, ink.alpha);
        }
        text
    }

    fn put(&mut self, element: &str) {
        self.body.push_str(element);
    }
}

impl Pen for Svg {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn rect(&mut self, from: BackendCoord, to: BackendCoord, paint: Paint) {
        let ((left, right), (top, bottom)) = (order(from.0, to.0), order(from.1, to.1));
        let (width, height) = (right - left, bottom - top);
        let paint = self.paint(paint);
        self.put(&format!(
            r#"<rect {paint} x="{left}" y="{top}" width="{width}" height="{height}"/>"#
        ));
    }

    fn path(&mut self, points: &[BackendCoord], closed: bool, paint: Paint) {
        let mut line = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let _ = write!(line, "{}{x} {y}", if index == 0 { "M" } else { "L" });
        }
        line.push_str(if closed { "Z" } else { "" });
        let paint = self.paint(paint);
        self.put(&format!(r#"<path {paint} d="{line}"/>"#));
    }

    fn circle(&mut self, (x, y): BackendCoord, radius: u32, paint: Paint) {
        let paint = self.paint(paint);
        self.put(&format!(
            r#"<circle {paint} cx="{x}" cy="{y}" r="{radius}"/>"#
        ));
    }

    fn text(&mut self, line: Line<'_>) {
        let anchor = match line.anchor {
            HPos::Left => "",
            HPos::Center => r#" text-anchor="middle""#,
            HPos::Right => r#" text-anchor="end""#,
        };
        let weight = if line.bold {
            r#" font-weight="700""#
        } else {
            ""
        };
        let (ink, text) = (self.ink("fill", "f", line.ink), escape(line.text));
        let ((x, y), size) = (line.at, line.size);
        self.put(&format!(
            r#"<text {ink} x="{x:.0}" y="{y:.1}" font-size="{size}"{anchor}{weight}>{text}</text>"#
        ));
    }
}

fn order(a: i32, b: i32) -> (i32, i32) {
    (a.min(b), a.max(b))
}

/// Style sheet of a picture that stands alone.
fn style() -> String {
    let light = palette::variables(|tone| tone.light);
    let dark = palette::variables(|tone| tone.dark);
    let classes = palette::classes();
    format!(
        "<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}{classes}</style>"
    )
}

/// Text as XML may hold it: what has a meaning is escaped, what may not be there is replaced.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if crate::units::human::is_inert(c) => safe.push(c),
            _ => safe.push('\u{fffd}'),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_the_dump_are_inert() {
        assert_eq!(
            escape("<script>&\"\u{0}\u{202e}x"),
            "&lt;script&gt;&amp;&quot;\u{fffd}\u{fffd}x"
        );
    }
}
