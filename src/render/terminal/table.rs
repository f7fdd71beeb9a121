//! Tables: one line per row, never wider than the terminal. Where not even the shortest names leave room for all
//! columns, a row is a paragraph instead.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row};

use super::INDENT;
use super::text::{self, clean};
use crate::render::style::{Paint, Style};

/// Occurs in no cell, so that a cell is cut at a character and not at a word.
const NO_DELIMITER: char = '\u{0}';

/// How a column is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Words, never cut.
    Word(&'static str),
    /// Numbers, never cut.
    Number(&'static str),
    /// Names from the dump, cut where space is short.
    Name(&'static str),
}

/// A table being filled.
pub(super) struct Table<'c> {
    style: Style,
    columns: &'c [Column],
    rows: Vec<Vec<String>>,
}

/// Columns between two columns.
const BETWEEN: usize = 2;
/// Least columns of a name that is cut.
const SHORTEST: usize = 8;

impl<'c> Table<'c> {
    /// An empty table.
    pub(super) fn new(style: Style, columns: &'c [Column]) -> Self {
        Self {
            style,
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().map(|cell| clean(&cell));
        self.rows.push(cells.collect());
    }

    /// The header, then one line per row.
    pub(super) fn lines(self) -> Vec<String> {
        match self.least_width() <= self.style.width - INDENT {
            true => self.table(),
            false => self.paragraphs(),
        }
    }

    /// Columns it takes with all names cut as short as can be.
    fn least_width(&self) -> usize {
        let columns = self.columns.iter().enumerate().map(|(index, column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            let cells = cells.map(|cell| text::width(cell));
            let widest = cells.fold(text::width(column.title()), usize::max);
            match column {
                Column::Name(_) => widest.min(SHORTEST),
                Column::Word(_) | Column::Number(_) => widest,
            }
        });
        let between = BETWEEN * self.columns.len().saturating_sub(1);
        columns.sum::<usize>() + between
    }

    fn table(self) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_truncation_indicator(self.style.ellipsis())
            .set_delimiter(NO_DELIMITER)
            .set_width(u16::try_from(self.style.width - INDENT).unwrap_or(u16::MAX))
            .set_header(row(self.columns.iter().map(|c| c.title().to_owned())));
        table.add_rows(self.rows.into_iter().map(row));
        let last = self.columns.len().saturating_sub(1);
        for (index, kind) in self.columns.iter().enumerate() {
            let Some(column) = table.column_mut(index) else {
                continue;
            };
            column.set_padding((0, if index == last { 0 } else { BETWEEN as u16 }));
            if let Column::Number(_) = kind {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if !matches!(kind, Column::Name(_)) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let indent = " ".repeat(INDENT);
        let lines = table.lines().enumerate().map(|(index, line)| {
            let line = format!("{indent}{}", line.trim_end());
            match index {
                0 => self.style.paint(Paint::Dim, &line),
                _ => line,
            }
        });
        lines.collect()
    }

    /// Each row by its first cell, then each other cell after the title of its column.
    fn paragraphs(self) -> Vec<String> {
        let (indent, deeper) = (" ".repeat(INDENT), " ".repeat(2 * INDENT));
        let mut lines = Vec::new();
        for row in self.rows {
            let mut cells = row.into_iter().zip(self.columns);
            let first = cells.next().map_or(String::new(), |(cell, _)| cell);
            let room = self.style.width - INDENT;
            let first = text::cut(&first, room, self.style.ellipsis());
            lines.push(format!("{indent}{first}"));
            let mut line = deeper.clone();
            for (cell, column) in cells.filter(|(cell, _)| !cell.is_empty()) {
                let pair = format!("{} {cell}", column.title());
                let pair = text::cut(
                    pair.trim_start(),
                    self.style.width - deeper.len(),
                    self.style.ellipsis(),
                );
                let begun = line.len() > deeper.len();
                if begun && text::width(&line) + BETWEEN + text::width(&pair) > self.style.width {
                    lines.push(std::mem::replace(&mut line, deeper.clone()));
                } else if begun {
                    line.push_str(&" ".repeat(BETWEEN));
                }
                line.push_str(&pair);
            }
            if line.len() > deeper.len() {
                lines.push(line);
            }
        }
        lines
    }
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Word(title) | Self::Number(title) | Self::Name(title) => title,
        }
    }
}

fn row(cells: impl IntoIterator<Item = String>) -> Row {
    let mut row = Row::from(cells.into_iter().map(Cell::new));
    row.max_height(1);
    row
}
