//! `agentdiag formats`: what can be read, which vocabularies are understood, and what each gives and
//! loses.

use std::io::Write;

use crate::dialect;
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
    let formats: Vec<_> = FORMATS.iter().map(|f| (f.name, f.gives, f.loses)).collect();
    let about: Vec<&str> = FORMATS.iter().map(|f| f.about).collect();
    page.title(
        "FORMATS",
        "told apart by content; plain, gzip, zstd, zip or Parquet",
    )?;
    list(&mut page, &formats, &about)?;
    page.heading("VOCABULARIES", "understood side by side, even on one span")?;
    let spoken: Vec<_> = dialect::dialects()
        .map(|d| (d.name, d.gives, d.loses))
        .collect();
    list(&mut page, &spoken, &[])?;
    page.finish()?;
    Ok(Outcome::Done)
}

/// A name, what it is, what it gives and what it loses.
fn list<W: Write>(
    page: &mut Page<W>,
    entries: &[(&str, &str, &str)],
    about: &[&str],
) -> Result<(), Error> {
    let width = entries.iter().map(|e| e.0.len()).max().unwrap_or(0) + 4;
    for (index, (name, gives, loses)) in entries.iter().enumerate() {
        let mut label = format!("  {name}");
        let gives = format!("gives {gives}");
        let loses = format!("loses {loses}");
        let about = about.get(index).copied().unwrap_or_default();
        let lines = [about, &gives, &loses];
        let lines = lines
            .into_iter()
            .filter(|line| !line.is_empty() && *line != "loses ");
        for line in lines {
            page.hanging(&label, width, line)?;
            label.clear();
        }
    }
    Ok(())
}
