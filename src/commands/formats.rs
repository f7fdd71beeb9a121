//! `agentdiag formats`: what can be read, and which vocabularies are understood.

use std::io::Write;

use crate::dialect::dialect_names;
use crate::error::{Error, Outcome};
use crate::ingest::FORMATS;
use crate::render::Style;
use crate::render::terminal::Page;

/// Lists formats and vocabularies.
///
/// # Errors
/// When `out` cannot be written.
pub fn formats(style: Style, out: impl Write) -> Result<Outcome, Error> {
    let mut page = Page::new(style, out);
    page.title("FORMATS", "told apart by content; plain, gzip or zstd")?;
    let width = FORMATS.iter().map(|f| f.name.len()).max().unwrap_or(0) + 4;
    for format in FORMATS {
        page.hanging(&format!("  {}", format.name), width, format.about)?;
    }
    page.heading("VOCABULARIES", "understood side by side, even on one span")?;
    for name in dialect_names() {
        page.line(&format!("  {name}"))?;
    }
    page.finish()?;
    Ok(Outcome::Done)
}
