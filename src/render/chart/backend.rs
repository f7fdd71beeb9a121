//! What plotters draws on: its calls reduced to five kinds of stroke, so that a file format is one small
//! [`Pen`].

use std::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle,
};

use super::font;

/// A colour with its opacity.
pub(super) type Ink = BackendColor;

/// Outline or area.
#[derive(Clone, Copy)]
pub(super) enum Paint {
    Fill(Ink),
    Stroke(Ink, u32),
}

/// A line of text: where its base line starts, ends or is centred.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) at: (f64, f64),
    pub(super) anchor: HPos,
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) ink: Ink,
}

/// A file format that can be drawn on. Coordinates are pixels, y downwards.
pub(super) trait Pen {
    fn size(&self) -> (u32, u32);
    fn rect(&mut self, from: BackendCoord, to: BackendCoord, paint: Paint);
    fn path(&mut self, points: &[BackendCoord], closed: bool, paint: Paint);
    fn circle(&mut self, center: BackendCoord, radius: u32, paint: Paint);
    fn text(&mut self, line: Line<'_>);
}

/// A pen as plotters wants it.
pub(super) struct Backend<P>(pub(super) P);

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl<P: Pen> DrawingBackend for Backend<&mut P> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.0.size()
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        if let Some(paint) = paint(style, fill) {
            self.0.rect(from, to, paint);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        if let Some(paint) = paint(style, false) {
            let points: Vec<BackendCoord> = path.into_iter().collect();
            self.0.path(&points, false, paint);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        if let Some(paint) = paint(style, fill) {
            self.0.circle(center, radius, paint);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        if let Some(paint) = paint(style, true) {
            let points: Vec<BackendCoord> = corners.into_iter().collect();
            self.0.path(&points, true, paint);
        }
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &T,
        (x, y): BackendCoord,
    ) -> Drawn {
        let (anchor, size) = (style.anchor(), style.size());
        let down = match anchor.v_pos {
            VPos::Top => font::CAPITALS,
            VPos::Center => font::CAPITALS / 2.0,
            VPos::Bottom => 0.0,
        };
        self.0.text(Line {
            text,
            at: (f64::from(x), f64::from(y) + down * size),
            anchor: anchor.h_pos,
            size,
            bold: matches!(style.style(), FontStyle::Bold),
            ink: style.color(),
        });
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let bold = matches!(style.style(), FontStyle::Bold);
        let width = font::width(text, style.size(), bold);
        Ok((width.ceil() as u32, style.size().ceil() as u32))
    }
}

fn paint<S: BackendStyle>(style: &S, fill: bool) -> Option<Paint> {
    let ink = style.color();
    let seen = ink.alpha > 0.0;
    seen.then(|| match fill {
        true => Paint::Fill(ink),
        false => Paint::Stroke(ink, style.stroke_width()),
    })
}
