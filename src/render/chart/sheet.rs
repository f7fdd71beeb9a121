//! A sheet to draw on: shapes, words and axes in pixels, in the colours of the palette.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::Pos;
pub(super) use plotters::style::text_anchor::{HPos, VPos};

use super::backend::{Backend, Pen};
use super::scale::Scale;
use super::{ChartError, Form, font};
use crate::render::palette::{GRID, INK, MUTED, SURFACE, Sign, Tone};

/// Pixels that title and subtitle of a file take.
pub(super) const HEAD: i32 = 74;

pub(super) type Drawn = Result<(), ChartError>;

/// Size of all text but titles.
const TEXT: i32 = 13;

/// A sheet being drawn on.
pub(super) struct Sheet<'p, P: Pen> {
    area: DrawingArea<Backend<&'p mut P>, Shift>,
    pub(super) form: Form,
    pub(super) width: i32,
    pub(super) height: i32,
    /// Where the drawing may start.
    pub(super) top: i32,
}

/// Where a line of text stands.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// Starts here, centred on the height.
    Start(i32, i32),
    /// Centred here.
    Middle(i32, i32),
    /// Ends here, centred on the height.
    End(i32, i32),
}

/// The part of a sheet between the axes.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl<'p, P: Pen> Sheet<'p, P> {
    pub(super) fn new(pen: &'p mut P, form: Form) -> Result<Self, ChartError> {
        let area = Backend(pen).into_drawing_area();
        let (width, height) = area.dim_in_pixel();
        let sheet = Self {
            area,
            form,
            width: width as i32,
            height: height as i32,
            top: if form == Form::File { HEAD } else { 0 },
        };
        if form == Form::File {
            sheet.rect((0, 0), (sheet.width, sheet.height), SURFACE, 1.0)?;
        }
        Ok(sheet)
    }

    pub(super) fn small(&self) -> bool {
        self.form == Form::Narrow
    }

    /// Title and subtitle of a file.
    pub(super) fn head(&self, title: &str, subtitle: &str) -> Drawn {
        self.words(title, At::Start(24, 28), INK, (19, true))?;
        let subtitle = fit(subtitle, self.width - 48, false);
        self.words(&subtitle, At::Start(24, 52), MUTED, (TEXT, false))
    }

    pub(super) fn text(&self, text: &str, at: At, tone: Tone) -> Drawn {
        self.words(text, at, tone, (TEXT, false))
    }

    pub(super) fn bold(&self, text: &str, at: At, tone: Tone) -> Drawn {
        self.words(text, at, tone, (TEXT, true))
    }

    fn words(&self, text: &str, at: At, tone: Tone, (size, bold): (i32, bool)) -> Drawn {
        let (place, anchor) = match at {
            At::Start(x, y) => ((x, y), HPos::Left),
            At::Middle(x, y) => ((x, y), HPos::Center),
            At::End(x, y) => ((x, y), HPos::Right),
        };
        let weight = if bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let font = FontDesc::new(FontFamily::SansSerif, f64::from(size), weight);
        let color = color(tone, 1.0);
        let style = TextStyle::from(font)
            .color(&color)
            .pos(Pos::new(anchor, VPos::Center));
        self.put(&Text::new(text.to_owned(), place, style))
    }

    pub(super) fn rect(&self, from: (i32, i32), to: (i32, i32), tone: Tone, alpha: f64) -> Drawn {
        self.put(&Rectangle::new([from, to], color(tone, alpha).filled()))
    }

    pub(super) fn line(&self, points: Vec<(i32, i32)>, tone: Tone, width: u32) -> Drawn {
        self.put(&PathElement::new(
            points,
            color(tone, 1.0).stroke_width(width),
        ))
    }

    pub(super) fn disc(&self, at: (i32, i32), radius: i32, tone: Tone, alpha: f64) -> Drawn {
        self.put(&Circle::new(at, radius, color(tone, alpha).filled()))
    }

    /// The shape of a cause.
    pub(super) fn mark(&self, sign: Sign, at: (i32, i32), radius: f32) -> Drawn {
        if sign.corners.is_empty() {
            return self.disc(at, radius.round() as i32, sign.tone, 1.0);
        }
        let corner = |(x, y): &(f32, f32)| {
            let moved = |from: i32, by: f32| from + (by * radius).round() as i32;
            (moved(at.0, *x), moved(at.1, *y))
        };
        let corners: Vec<(i32, i32)> = sign.corners.iter().map(corner).collect();
        self.put(&Polygon::new(corners, color(sign.tone, 1.0).filled()))
    }

    /// Names beside their signs, in as many lines as they need; returns the height taken.
    pub(super) fn legend(
        &self,
        top: i32,
        left: i32,
        items: &[(Sign, String)],
    ) -> Result<i32, ChartError> {
        let places = legend_places(items, left, self.width);
        for ((sign, name), (x, y)) in items.iter().zip(&places) {
            let middle = top + y + 10;
            self.mark(*sign, (x + 6, middle), 5.0)?;
            self.text(name, At::Start(x + 18, middle), INK)?;
        }
        Ok(places.last().map_or(0, |(_, y)| y + 24))
    }

    /// Grid lines and labels of both axes.
    pub(super) fn axes(&self, plot: &Plot) -> Drawn {
        for (value, label) in &plot.y.ticks {
            let y = plot.y(*value);
            self.line(vec![(plot.left, y), (plot.right, y)], GRID, 1)?;
            self.text(label, At::End(plot.left - 8, y), MUTED)?;
        }
        let mut free = i32::MIN;
        for (value, label) in &plot.x.ticks {
            let (x, half) = (plot.x(*value), width(label, false) / 2);
            self.line(vec![(x, plot.bottom), (x, plot.bottom + 5)], MUTED, 1)?;
            let middle = x.clamp(half, (self.width - half - 3).max(half));
            if middle - half > free {
                self.text(label, At::Middle(middle, plot.bottom + 17), MUTED)?;
                free = middle + half + 12;
            }
        }
        self.line(
            vec![(plot.left, plot.bottom), (plot.right, plot.bottom)],
            MUTED,
            1,
        )
    }

    fn put<'e, E>(&self, element: &'e E) -> Drawn
    where
        E: plotters::element::Drawable<Backend<&'p mut P>>,
        &'e E: plotters::element::PointCollection<'e, (i32, i32)>,
    {
        let drawn = self.area.draw(element);
        drawn.map_err(|error| ChartError(error.to_string()))
    }
}

impl Plot {
    pub(super) fn x(&self, value: f64) -> i32 {
        self.x.place(value, self.left, self.right)
    }

    pub(super) fn y(&self, value: f64) -> i32 {
        self.y.place(value, self.bottom, self.top)
    }
}

/// Width of a line of ordinary text.
pub(super) fn width(text: &str, bold: bool) -> i32 {
    font::width(text, f64::from(TEXT), bold).ceil() as i32
}

/// `text`, cut where it is wider than `room`.
pub(super) fn fit(text: &str, room: i32, bold: bool) -> String {
    if width(text, bold) <= room {
        return text.to_owned();
    }
    let mut cut: Vec<char> = text.chars().collect();
    while cut.pop().is_some() {
        let shorter = format!("{}…", cut.iter().collect::<String>().trim_end());
        if width(&shorter, bold) <= room {
            return shorter;
        }
    }
    String::new()
}

/// Height of a legend.
pub(super) fn legend_height(items: &[(Sign, String)], left: i32, form: Form) -> i32 {
    let places = legend_places(items, left, form.width());
    places.last().map_or(0, |(_, y)| y + 24)
}

fn legend_places(items: &[(Sign, String)], left: i32, room: i32) -> Vec<(i32, i32)> {
    let (mut x, mut y) = (left, 0);
    let mut places = Vec::with_capacity(items.len());
    for (_, name) in items {
        let needs = 18 + width(name, false) + 20;
        if x > left && x + needs > room {
            (x, y) = (left, y + 22);
        }
        places.push((x, y));
        x += needs;
    }
    places
}

fn color(tone: Tone, alpha: f64) -> RGBAColor {
    let [r, g, b] = tone.light;
    RGBColor(r, g, b).mix(alpha)
}
