//! Charts as PNG, in the light theme, at twice the size, with smooth edges.

use plotters_backend::BackendCoord;
use plotters_backend::text_anchor::HPos;
use tiny_skia::{FillRule, LineCap, LineJoin, PathBuilder, Pixmap, Rect, Transform};

use super::ChartError;
use super::backend::{Ink, Line, Paint, Pen};
use super::font::{self, Stroke};

/// Pixels of the picture per pixel of the drawing.
pub(super) const SCALE: u32 = 2;

/// A picture in the making.
pub(super) struct Png {
    size: (u32, u32),
    map: Pixmap,
}

impl Png {
    pub(super) fn new((width, height): (u32, u32)) -> Result<Self, ChartError> {
        let map = Pixmap::new(width * SCALE, height * SCALE);
        Ok(Self {
            size: (width, height),
            map: map.ok_or_else(|| ChartError("a picture without pixels".to_owned()))?,
        })
    }

    /// The whole file.
    pub(super) fn finish(self) -> Result<Vec<u8>, ChartError> {
        self.map
            .encode_png()
            .map_err(|error| ChartError(error.to_string()))
    }

    fn transform() -> Transform {
        Transform::from_scale(SCALE as f32, SCALE as f32)
    }

    fn draw(&mut self, path: PathBuilder, paint: Paint) {
        let Some(path) = path.finish() else { return };
        match paint {
            Paint::Fill(ink) => self.map.fill_path(
                &path,
                &color(ink),
                FillRule::Winding,
                Self::transform(),
                None,
            ),
            Paint::Stroke(ink, width) => {
                let stroke = tiny_skia::Stroke {
                    width: width as f32,
                    line_cap: LineCap::Butt,
                    line_join: LineJoin::Round,
                    ..tiny_skia::Stroke::default()
                };
                self.map
                    .stroke_path(&path, &color(ink), &stroke, Self::transform(), None);
            }
        }
    }
}

impl Pen for Png {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn rect(&mut self, from: BackendCoord, to: BackendCoord, paint: Paint) {
        let (left, right) = (from.0.min(to.0) as f32, from.0.max(to.0) as f32);
        let (top, bottom) = (from.1.min(to.1) as f32, from.1.max(to.1) as f32);
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_ltrb(left, top, right, bottom) {
            path.push_rect(rect);
        }
        self.draw(path, paint);
    }

    fn path(&mut self, points: &[BackendCoord], closed: bool, paint: Paint) {
        let mut path = PathBuilder::new();
        for (index, (x, y)) in points.iter().enumerate() {
            match index {
                0 => path.move_to(*x as f32, *y as f32),
                _ => path.line_to(*x as f32, *y as f32),
            }
        }
        if closed {
            path.close();
        }
        self.draw(path, paint);
    }

    fn circle(&mut self, (x, y): BackendCoord, radius: u32, paint: Paint) {
        let mut path = PathBuilder::new();
        path.push_circle(x as f32, y as f32, radius as f32);
        self.draw(path, paint);
    }

    fn text(&mut self, line: Line<'_>) {
        let width = font::width(line.text, line.size, line.bold);
        let (x, y) = line.at;
        let start = match line.anchor {
            HPos::Left => x,
            HPos::Center => x - width / 2.0,
            HPos::Right => x - width,
        };
        let mut path = PathBuilder::new();
        for stroke in font::outline(line.text, line.size, line.bold, (start, y)) {
            match stroke {
                Stroke::Move(x, y) => path.move_to(x, y),
                Stroke::Line(x, y) => path.line_to(x, y),
                Stroke::Quad(c, p) => path.quad_to(c.0, c.1, p.0, p.1),
                Stroke::Cubic(c, d, p) => path.cubic_to(c.0, c.1, d.0, d.1, p.0, p.1),
            }
        }
        self.draw(path, Paint::Fill(line.ink));
    }
}

fn color(ink: Ink) -> tiny_skia::Paint<'static> {
    let (r, g, b) = ink.rgb;
    let mut paint = tiny_skia::Paint::default();
    paint.set_color_rgba8(r, g, b, (ink.alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint.anti_alias = true;
    paint
}
