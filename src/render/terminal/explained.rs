//! What was read, explained: what each input was taken for and why, what was found in it, what was
//! not understood, and what the gaps cost.

use std::io::{self, Write};

use super::{INDENT, Options, Page, input};
use crate::report::{Coverage, Report};
use crate::units::human::{count, percent};

/// Signals that more than this share of the calls show are no gap.
const ENOUGH: f64 = 0.95;

/// Writes how the inputs were taken, as text.
///
/// # Errors
/// When `out` cannot be written.
pub fn explain_input(report: &Report<'_>, options: Options, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(options.style, out);
    page.title("INPUT", "what each file was taken for, and why")?;
    for (input, taken) in report.inputs().iter().zip(report.taken()) {
        page.hanging("", INDENT, &format!("{}: {}", input.path, input.format))?;
        if !input.why.is_empty() {
            page.hanging("", 2 * INDENT, &input.why)?;
        }
        page.hanging("", 2 * INDENT, &input::records(input))?;
        for (what, list) in [("roles", &taken.roles), ("vocabularies", &taken.dialects)] {
            if !list.is_empty() {
                page.hanging("", 2 * INDENT, &format!("{what}: {}", counts(list)))?;
            }
        }
    }
    keys(report, &mut page)?;
    coverage(report, &mut page)?;
    gaps(report, &mut page)?;
    page.heading("INTEGRITY", "what was lost, mended or guessed")?;
    input::effects(report, &mut page)?;
    input::issues(report, options.top, &mut page)?;
    page.finish()
}

fn counts(list: &[(&str, u64)]) -> String {
    let each = list.iter().map(|(name, n)| format!("{name} {}", count(*n)));
    each.collect::<Vec<_>>().join(", ")
}

fn keys<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let strange = &report.integrity().strange_keys;
    if strange.is_empty() {
        return Ok(());
    }
    page.heading(
        "KEYS",
        "look relevant and were not understood; spans that have them",
    )?;
    for (key, spans) in strange {
        page.hanging("", INDENT, &format!("{key}: {}", count(*spans)))?;
    }
    Ok(())
}

fn coverage<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    page.heading("COVERAGE", "how often each signal is there")?;
    for found in asked(report) {
        let share = found.share().unwrap_or(0.0);
        let body = format!(
            "{} of {} {}: {}",
            percent(share),
            count(found.of),
            found.unit,
            found.signal
        );
        page.hanging("", INDENT, &body)?;
    }
    Ok(())
}

fn gaps<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let missing: Vec<Coverage> = asked(report)
        .filter(|found| found.share().is_some_and(|share| share < ENOUGH))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    page.heading("GAPS", "what they cost, and how to close them")?;
    for found in missing {
        page.hanging("", INDENT, &format!("{}: {}", found.signal, found.costs))?;
        page.hanging("", 2 * INDENT, found.remedy)?;
    }
    Ok(())
}

/// Signals that there was something to ask for.
fn asked(report: &Report<'_>) -> impl Iterator<Item = Coverage> {
    report.coverage().into_iter().filter(|found| found.of > 0)
}
