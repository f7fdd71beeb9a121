//! A bar of one letter per column.

use crate::render::palette;
use crate::render::style::Style;
use crate::report::{Part, Piece};
use crate::units::{Nanos, Window};

/// The nearest of the 216 colours of the cube that terminals know (16 to 231).
fn in_cube(rgb: [u8; 3]) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let [red, green, blue] = rgb.map(|value| {
        let far = |level: &u8| level.abs_diff(value);
        let nearest = (0..6).zip(LEVELS).min_by_key(|(_, level)| far(level));
        nearest.map_or(0, |(index, _)| index)
    });
    16 + 36 * red + 6 * green + blue
}

/// What one column shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Cell {
    /// Nothing.
    #[default]
    Blank,
    /// A span that is merely open.
    Open,
    /// A phase that nothing waited for.
    Beside(Part),
    /// A stretch of the critical path.
    Critical(Part),
}

impl Cell {
    fn of(piece: &Piece) -> Self {
        match (piece.part, piece.critical) {
            (None, _) => Self::Open,
            (Some(part), false) => Self::Beside(part),
            (Some(part), true) => Self::Critical(part),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Blank => 0,
            Self::Open => 1,
            Self::Beside(_) => 2,
            Self::Critical(_) => 3,
        }
    }

    fn letter(part: Part) -> char {
        palette::part(part as usize).letter
    }

    /// The letter of a part on the critical path.
    pub(super) fn shown_letter(part: Part) -> char {
        Self::letter(part).to_ascii_uppercase()
    }

    /// What a span that is merely open is drawn with.
    pub(super) fn rule(style: Style) -> char {
        if style.unicode { '─' } else { '-' }
    }

    fn shown(self, style: Style) -> char {
        match self {
            Self::Blank => ' ',
            Self::Open => Self::rule(style),
            Self::Beside(part) => Self::letter(part),
            Self::Critical(part) => Self::shown_letter(part),
        }
    }

    fn code(self) -> Option<String> {
        match self {
            Self::Blank => None,
            Self::Open | Self::Beside(_) => Some("2".to_owned()),
            Self::Critical(part) => {
                // Black on the tone for dark pages, which is the lighter one.
                let tone = palette::part(part as usize).tone;
                Some(format!("38;5;16;48;5;{}", in_cube(tone.dark)))
            }
        }
    }
}

/// A bar being filled.
pub(super) struct Cells(Vec<(Cell, Nanos)>);

impl Cells {
    /// Each column shows what matters most in it, and of that what lasted longest.
    pub(super) fn of(pieces: &[Piece], shown: Window, columns: usize) -> Self {
        let mut cells = vec![(Cell::Blank, Nanos::ZERO); columns];
        let whole = u128::from(shown.len().0.max(1));
        // Columns share the time without rest, so that a bar ends where its span did.
        let edge = |column: usize| {
            let offset = whole * column as u128 / columns.max(1) as u128;
            shown.start + Nanos(u64::try_from(offset).unwrap_or(u64::MAX))
        };
        let column = |time: Nanos| {
            let offset = u128::from(time.since(shown.start).0);
            usize::try_from(offset * columns as u128 / whole).unwrap_or(columns)
        };
        for piece in pieces {
            let cell = Cell::of(piece);
            let first = column(piece.window.start).min(columns.saturating_sub(1));
            let last =
                column(piece.window.end.max(piece.window.start)).min(columns.saturating_sub(1));
            for (index, slot) in cells.iter_mut().enumerate().take(last + 1).skip(first) {
                let within = Window {
                    start: edge(index),
                    end: edge(index + 1),
                };
                let time = within.overlap(piece.window);
                // What ends on an edge does not reach into the next column.
                if time == Nanos::ZERO && index > first {
                    continue;
                }
                if (cell.rank(), time) > (slot.0.rank(), slot.1) {
                    *slot = (cell, time);
                }
            }
        }
        Self(cells)
    }

    /// The bar, each run of one colour painted once.
    pub(super) fn text(&self, style: Style) -> String {
        let mut text = String::new();
        for run in self.0.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(cell, _)) = run.first() else {
                continue;
            };
            let letters: String = run.iter().map(|(cell, _)| cell.shown(style)).collect();
            match cell.code().filter(|_| style.color) {
                Some(code) => text.push_str(&format!("\x1b[{code}m{letters}\x1b[0m")),
                None => text.push_str(&letters),
            }
        }
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(part: Option<Part>, start: u64, end: u64, critical: bool) -> Piece {
        let window = Window {
            start: Nanos(start),
            end: Nanos(end),
        };
        Piece {
            part,
            window,
            critical,
        }
    }

    fn bar(pieces: &[Piece], end: u64, columns: usize) -> String {
        let shown = Window {
            start: Nanos(0),
            end: Nanos(end),
        };
        Cells::of(pieces, shown, columns).text(Style::PLAIN)
    }

    #[test]
    fn phases_fill_their_columns_and_the_critical_covers_the_rest() {
        let pieces = [
            piece(None, 0, 100, false),
            piece(Some(Part::Prefill), 10, 40, false),
            piece(Some(Part::Decode), 40, 80, false),
            piece(Some(Part::Decode), 60, 80, true),
        ];
        assert_eq!(bar(&pieces, 100, 10), "-pppddDD--");
    }

    #[test]
    fn what_is_shorter_than_a_column_is_still_seen() {
        let pieces = [
            piece(Some(Part::Tool), 55, 55, true),
            piece(Some(Part::Gap), 91, 92, true),
        ];
        assert_eq!(bar(&pieces, 100, 10), "     T   G");
        assert_eq!(bar(&[piece(Some(Part::Tool), 0, 0, false)], 0, 3), "t");
    }
}
