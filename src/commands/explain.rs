//! `agentdiag explain`: what each cause means, what looks like it, and what to do about it.

use std::io::{self, Write};

use crate::diagnose::{Cause, CauseMeta};
use crate::error::{Error, Outcome};
use crate::render::Style;
use crate::render::terminal::Page;

/// Explains one cause, or lists all of them.
///
/// # Errors
/// When there is no such cause, or `out` cannot be written.
pub fn explain(label: Option<&str>, style: Style, out: impl Write) -> Result<Outcome, Error> {
    let mut page = Page::new(style, out);
    match label {
        None => list(&mut page)?,
        Some(label) => match Cause::from_label(label) {
            Some(cause) => describe(cause.meta(), &mut page)?,
            None => return Err(unknown(label)),
        },
    }
    page.finish()?;
    Ok(Outcome::Done)
}

fn list<W: Write>(page: &mut Page<W>) -> io::Result<()> {
    page.title("CAUSES", "why a request was slow")?;
    for cause in Cause::ALL {
        let meta = cause.meta();
        page.hanging(&format!("  {}", cause.label()), 21, meta.title)?;
    }
    page.line("")?;
    let more = "`agentdiag explain CAUSE` says how it is recognised and what to do.";
    page.hanging("", 0, more)
}

fn describe<W: Write>(meta: &CauseMeta, page: &mut Page<W>) -> io::Result<()> {
    page.title(meta.cause.label(), meta.title)?;
    page.hanging("", 2, meta.what)?;
    page.heading("RECOGNISED BY", "")?;
    page.hanging("", 2, meta.seen_by)?;
    section("LOOKS LIKE IT, BUT IS NOT", meta.look_alikes, page)?;
    section("NEEDS", meta.needs, page)?;
    section("WHAT TO DO", meta.next_checks, page)
}

fn section<W: Write>(title: &str, items: &[&str], page: &mut Page<W>) -> io::Result<()> {
    page.heading(title, "")?;
    let mut items = items.iter();
    items.try_for_each(|item| page.hanging("  -", 4, item))
}

fn unknown(label: &str) -> Error {
    let known: Vec<&str> = Cause::ALL.into_iter().map(Cause::label).collect();
    let known = known.join(", ");
    Error::Usage(format!("no cause is called `{label}`; known are: {known}"))
}
