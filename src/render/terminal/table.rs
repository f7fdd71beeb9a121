//! Tables: one line per row, never wider than the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row};

use super::INDENT;
use super::text::clean;
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
    inner: comfy_table::Table,
}

impl<'c> Table<'c> {
    /// An empty table.
    pub(super) fn new(style: Style, columns: &'c [Column]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_truncation_indicator(style.ellipsis())
            .set_delimiter(NO_DELIMITER)
            .set_width(u16::try_from(style.width - INDENT).unwrap_or(u16::MAX))
            .set_header(row(columns.iter().map(|c| c.title().to_owned())));
        Self {
            style,
            columns,
            inner,
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.inner.add_row(row(cells));
    }

    /// The header, then one line per row.
    pub(super) fn lines(mut self) -> Vec<String> {
        let last = self.columns.len().saturating_sub(1);
        for (index, kind) in self.columns.iter().enumerate() {
            let Some(column) = self.inner.column_mut(index) else {
                continue;
            };
            column.set_padding((0, if index == last { 0 } else { 2 }));
            if let Column::Number(_) = kind {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if !matches!(kind, Column::Name(_)) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let indent = " ".repeat(INDENT);
        let lines = self.inner.lines().enumerate().map(|(index, line)| {
            let line = format!("{indent}{}", line.trim_end());
            match index {
                0 => self.style.paint(Paint::Dim, &line),
                _ => line,
            }
        });
        lines.collect()
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
    let mut row = Row::from(cells.into_iter().map(|cell| Cell::new(clean(&cell))));
    row.max_height(1);
    row
}
