//! The embedded font: Noto Sans, reduced to Latin, Greek and Cyrillic. Under the SIL Open Font License 1.1,
//! whose text lies beside the files. Widths come from it for SVG too, so that both forms lay out alike.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, OutlineCurve, Point};

static REGULAR: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| read(include_bytes!("font/NotoSans-Regular.ttf")));
static BOLD: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| read(include_bytes!("font/NotoSans-Bold.ttf")));

fn read(bytes: &'static [u8]) -> Option<FontRef<'static>> {
    FontRef::try_from_slice(bytes).ok()
}

/// One of the two weights.
fn font(bold: bool) -> Option<&'static FontRef<'static>> {
    if bold {
        BOLD.as_ref()
    } else {
        REGULAR.as_ref()
    }
}

/// Height of capitals above the base line, as a share of the size.
pub(super) const CAPITALS: f64 = 0.714;

/// Width of `text` at `size` pixels per em.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let Some(font) = font(bold) else {
        return text.chars().count() as f64 * size * 0.6;
    };
    let scale = scale(font, size);
    let advances = text
        .chars()
        .map(|c| font.h_advance_unscaled(font.glyph_id(c)));
    advances.map(|advance| f64::from(advance) * scale).sum()
}

/// Pixels per font unit.
fn scale(font: &FontRef<'_>, size: f64) -> f64 {
    size / f64::from(font.units_per_em().unwrap_or(1000.0))
}

/// One stroke of an outline.
pub(super) enum Stroke {
    /// Start of a contour.
    Move(f32, f32),
    /// Straight on.
    Line(f32, f32),
    /// Along a quadratic curve.
    Quad((f32, f32), (f32, f32)),
    /// Along a cubic curve.
    Cubic((f32, f32), (f32, f32), (f32, f32)),
}

/// The outline of `text`, its base line starting at `(x, y)`, y downwards.
pub(super) fn outline(text: &str, size: f64, bold: bool, (mut x, y): (f64, f64)) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    let Some(font) = font(bold) else {
        return strokes;
    };
    let scale = scale(font, size);
    for glyph in text.chars().map(|c| font.glyph_id(c)) {
        let curves = font.outline(glyph).map(|outline| outline.curves);
        let place = |p: Point| {
            let (px, py) = (x + f64::from(p.x) * scale, y - f64::from(p.y) * scale);
            (px as f32, py as f32)
        };
        let mut at = None;
        for curve in curves.unwrap_or_default() {
            let (from, stroke, to) = match curve {
                OutlineCurve::Line(a, b) => (a, Stroke::Line(place(b).0, place(b).1), b),
                OutlineCurve::Quad(a, c, b) => (a, Stroke::Quad(place(c), place(b)), b),
                OutlineCurve::Cubic(a, c, d, b) => {
                    (a, Stroke::Cubic(place(c), place(d), place(b)), b)
                }
            };
            if at != Some(from) {
                strokes.push(Stroke::Move(place(from).0, place(from).1));
            }
            strokes.push(stroke);
            at = Some(to);
        }
        x += f64::from(font.h_advance_unscaled(glyph)) * scale;
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_fonts_are_read() {
        assert!(REGULAR.is_some() && BOLD.is_some());
        assert!(width("0", 100.0, false) > 40.0);
        let digits = ('0'..='9').map(|c| width(&c.to_string(), 100.0, false));
        assert!(
            digits.clone().all(|w| Some(w) == digits.clone().next()),
            "numbers align"
        );
        assert!(!outline("a", 12.0, true, (0.0, 0.0)).is_empty());
    }
}
