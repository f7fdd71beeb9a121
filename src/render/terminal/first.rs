//! The first screen: what happened, to how many, why, at what cost, how sure that is, what is
//! missing, and what to do.

use std::io::{self, Write};

use super::{Page, text};
use crate::render::style::Paint;
use crate::report::{Report, Why};

/// Columns of the labels on the left, indent included.
const LABELS: usize = 11;

pub(super) fn write<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let headline = report.headline();
    let scope = format!("agentdiag {}: {}", report.tool_version(), headline.scope);
    for line in std::iter::once(&scope).chain(&headline.period) {
        let line = text::cut(line, page.style.width, page.style.ellipsis());
        page.line(&page.style.paint(Paint::Dim, &line))?;
    }
    page.line("")?;
    happened(report, page)?;
    page.line("")?;
    for (index, why) in headline.why.iter().enumerate() {
        let label = if index == 0 { "  Why" } else { "" };
        page.cause(label, why)?;
    }
    let facts = [
        ("  Failed", &headline.failed),
        ("  Cost", &headline.cost),
        ("  Drift", &headline.drift),
        ("  Sure", &headline.sure),
        ("  Missing", &headline.missing),
    ];
    for (label, fact) in facts {
        if let Some(fact) = fact {
            page.hanging(label, LABELS, fact)?;
        }
    }
    page.hanging("  Input", LABELS, &headline.input)?;
    if let Some(note) = report.notes().first() {
        let note = text::cut(note, page.style.width - LABELS, page.style.ellipsis());
        page.hanging("  Note", LABELS, &note)?;
    }
    if let Some(step) = &headline.next {
        page.hanging("  Next", LABELS, step)?;
    }
    Ok(())
}

impl<W: Write> Page<W> {
    fn cause(&mut self, label: &str, why: &Why) -> io::Result<()> {
        let label = self.style.paint(Paint::Dim, &text::pad(label, LABELS));
        let numbers = format!("{:>5}  {:<16}", why.share, why.requests);
        let name = self.style.paint(Paint::Bold, &format!("{:<17}", why.cause));
        let room = self.style.width.saturating_sub(LABELS + 44);
        let title = text::cut(why.title, room, self.style.ellipsis());
        self.line(&format!("{label}{name}  {numbers}  {title}"))
    }
}

fn happened<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let headline = report.headline();
    let paint = match (headline.healthy, report.summary().slow) {
        (true, _) => Paint::Good,
        (false, 0) => Paint::Warn,
        (false, _) => Paint::Bad,
    };
    let lines = text::wrap(&text::clean(&headline.happened.join(" ")), page.style.width);
    for line in lines {
        page.line(&page.style.paint(paint, &line))?;
    }
    Ok(())
}
