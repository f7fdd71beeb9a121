//! A page of text: where lines go, and how wide they may be.

use std::io::{self, Write};

use super::table::Table;
use super::text;
use crate::render::style::{Paint, Style};

/// Writes lines that fit.
pub struct Page<W> {
    pub(super) style: Style,
    out: W,
}

impl<W: Write> Page<W> {
    /// An empty page.
    pub fn new(style: Style, out: W) -> Self {
        Self { style, out }
    }

    /// One line as it is.
    ///
    /// # Errors
    /// When it cannot be written, as for all methods here.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{}", line.trim_end())
    }

    /// A heading, with a remark beside it.
    ///
    /// # Errors
    /// See [`Page::line`].
    pub fn title(&mut self, title: &str, remark: &str) -> io::Result<()> {
        let room = self.style.width.saturating_sub(title.len() + 2);
        let remark = text::cut(&text::clean(remark), room, self.style.ellipsis());
        let title = self.style.paint(Paint::Bold, title);
        let remark = self.style.paint(Paint::Dim, &remark);
        self.line(&format!("{title}  {remark}"))
    }

    /// An empty line and a heading.
    ///
    /// # Errors
    /// See [`Page::line`].
    pub fn heading(&mut self, title: &str, remark: &str) -> io::Result<()> {
        self.line("")?;
        self.title(title, remark)
    }

    /// Text in as many lines as it needs: the first after `label`, the others below it.
    ///
    /// # Errors
    /// See [`Page::line`].
    pub fn hanging(&mut self, label: &str, indent: usize, body: &str) -> io::Result<()> {
        let lines = text::wrap(&text::clean(body), self.style.width.saturating_sub(indent));
        for (index, line) in lines.iter().enumerate() {
            let lead = if index == 0 { label } else { "" };
            let lead = self.style.paint(Paint::Dim, &text::pad(lead, indent));
            self.line(&format!("{lead}{line}"))?;
        }
        Ok(())
    }

    /// All lines of a table.
    pub(super) fn table(&mut self, table: Table<'_>) -> io::Result<()> {
        table.lines().iter().try_for_each(|line| self.line(line))
    }

    /// Hands everything to the reader.
    ///
    /// # Errors
    /// See [`Page::line`].
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}
