//! The report as text. The first screen answers; the sections below it show why.

mod around;
mod cells;
mod check;
mod compare;
mod cost;
mod drift;
mod explained;
mod first;
mod gpu;
mod input;
mod page;
mod parts;
mod prices;
mod readings;
mod replay;
mod sections;
mod sums;
mod table;
mod text;
mod trace;
mod waterfall;
mod whatif;

use std::io::{self, Write};

pub use check::check;
pub use compare::compare;
pub use cost::cost;
pub use drift::drift;
pub use explained::explain_input;
pub use gpu::gpu;
pub use page::Page;
pub use prices::{imported, price_changes, prices};
pub use replay::replay;
pub use text::clean;
pub use trace::trace;

use super::style::Style;
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
    let mut page = Page::new(options.style, out);
    first::write(report, &mut page)?;
    sections::incidents(report, options.top, &mut page)?;
    whatif::write(report, options.top, &mut page)?;
    sections::causes(report, &mut page)?;
    sections::slowest(report, options.top, &mut page)?;
    parts::write(report, &mut page)?;
    sums::cost(report, options.top, &mut page)?;
    sums::latency(report, options.top, &mut page)?;
    sums::drift(report, options.top, &mut page)?;
    sums::signals(report, &mut page)?;
    readings::write(report, &mut page)?;
    sums::missing(report, &mut page)?;
    input::write(report, options.top, &mut page)?;
    sections::notes(report, &mut page)?;
    sections::next(report, &mut page)?;
    page.finish()
}
