//! The report as text. The first screen answers; the sections below it show why.

mod first;
mod parts;
mod sections;
mod table;
mod text;

use std::io::{self, Write};

use super::style::{Paint, Style};
use crate::report::Report;

/// Columns before everything below a heading.
const INDENT: usize = 2;

/// What may be asked of the text form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Colour, width and character set.
    pub style: Style,
    /// Rows shown of a long list.
    pub top: usize,
}

/// Writes the report as text.
///
/// # Errors
/// When `out` cannot be written.
pub fn text(report: &Report<'_>, options: Options, out: impl Write) -> io::Result<()> {
    let mut page = Page {
        style: options.style,
        out,
    };
    first::write(report, &mut page)?;
    sections::incidents(report, options.top, &mut page)?;
    sections::causes(report, &mut page)?;
    sections::slowest(report, options.top, &mut page)?;
    parts::write(report, &mut page)?;
    sections::cost(report, options.top, &mut page)?;
    sections::input(report, options.top, &mut page)?;
    sections::next(report, &mut page)?;
    page.out.flush()
}

/// Where lines go, and how wide they may be.
struct Page<W> {
    style: Style,
    out: W,
}

impl<W: Write> Page<W> {
    /// One line as it is.
    fn line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{}", line.trim_end())
    }

    /// An empty line and a heading, with a remark beside it.
    fn heading(&mut self, title: &str, remark: &str) -> io::Result<()> {
        let room = self.style.width.saturating_sub(title.len() + 2);
        let remark = text::cut(&text::clean(remark), room, self.style.ellipsis());
        let title = self.style.paint(Paint::Bold, title);
        let remark = self.style.paint(Paint::Dim, &remark);
        self.line("")?;
        self.line(&format!("{title}  {remark}"))
    }

    /// Text in as many lines as it needs: the first after `label`, the others below it.
    fn hanging(&mut self, label: &str, indent: usize, body: &str) -> io::Result<()> {
        let lines = text::wrap(&text::clean(body), self.style.width.saturating_sub(indent));
        for (index, line) in lines.iter().enumerate() {
            let lead = if index == 0 { label } else { "" };
            let lead = text::pad(lead, indent);
            let lead = self.style.paint(Paint::Dim, &lead);
            self.line(&format!("{lead}{line}"))?;
        }
        Ok(())
    }

    /// All lines of a table.
    fn table(&mut self, table: table::Table<'_>) -> io::Result<()> {
        table.lines().iter().try_for_each(|line| self.line(line))
    }
}
