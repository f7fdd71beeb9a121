//! What was read, and what was lost, mended or guessed.

use std::io::{self, Write};

use super::sections::some_of;
use super::{INDENT, Page};
use crate::report::{Problem, Report};
use crate::units::human::{bytes, count, counted};

/// What was read, and what was lost, mended or guessed.
pub(super) fn write<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let inputs = report.inputs();
    if inputs.is_empty() {
        return Ok(());
    }
    page.heading("INPUT", &some_of(inputs.len(), top, ""))?;
    for input in inputs.iter().take(top) {
        let mut held = vec![counted(input.spans, "span")];
        let others = [
            (input.points, "metric point"),
            (input.logs, "log record"),
            (input.events, "cluster event"),
        ];
        held.extend(others.iter().filter(|o| o.0 > 0).map(|o| counted(o.0, o.1)));
        let size = bytes(input.bytes);
        let body = format!(
            "{}: {}, {size}, {}",
            input.path,
            input.format,
            held.join(", ")
        );
        page.hanging("", INDENT, &body)?;
    }
    dialects(report, page)?;
    let mut problems = report.integrity().problems.iter();
    problems.try_for_each(|each| problem(each, page))
}

fn problem<W: Write>(problem: &Problem, page: &mut Page<W>) -> io::Result<()> {
    let Problem { id, severity, .. } = problem;
    let mut text = format!("[{severity}] {id} x {}", count(problem.count));
    if !problem.file.is_empty() {
        text = format!(
            "{text} in {} from byte {}",
            problem.file,
            count(problem.byte_offset)
        );
    }
    if !problem.detail.is_empty() {
        text = format!("{text} ({})", problem.detail);
    }
    page.hanging("", INDENT, &text)?;
    page.hanging("", 2 * INDENT, problem.hint)
}

fn dialects<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let integrity = report.integrity();
    let list = |pairs: Vec<(&str, u64)>| {
        let each = pairs
            .into_iter()
            .map(|(name, n)| format!("{name} ({})", count(n)));
        each.collect::<Vec<_>>().join(", ")
    };
    if !integrity.dialects.is_empty() {
        let spoken = list(integrity.dialects.clone());
        page.hanging("", INDENT, &format!("vocabularies: {spoken}"))?;
    }
    if !integrity.strange_keys.is_empty() {
        let keys = integrity.strange_keys.iter().take(5);
        let keys = list(keys.map(|(k, n)| (k.as_str(), *n)).collect());
        page.hanging("", INDENT, &format!("keys not understood: {keys}"))?;
    }
    Ok(())
}
