//! What was read, and what was lost, mended or guessed.

use std::io::{self, Write};

use super::sections::some_of;
use super::{INDENT, Page};
use crate::report::{Input, Problem, Report};
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
        let facts = [input.format.clone(), bytes(input.bytes)];
        let facts: Vec<String> = facts.into_iter().chain(held(input)).collect();
        page.hanging("", INDENT, &format!("{}: {}", input.path, facts.join(", ")))?;
    }
    dialects(report, page)?;
    effects(report, page)?;
    issues(report, top, page)
}

/// What is known to be missing, and what that does to the figures.
pub(super) fn effects<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let mut effects = report.integrity().effects.iter();
    effects.try_for_each(|effect| page.hanging("", INDENT, &format!("incomplete: {effect}")))
}

/// How many records of each kind an input holds.
fn held(input: &Input) -> impl Iterator<Item = String> {
    let records = [
        (input.spans, "span"),
        (input.points, "metric point"),
        (input.logs, "log record"),
        (input.events, "cluster event"),
        (input.exemplars, "exemplar"),
    ];
    let held = records.into_iter().filter(|(number, _)| *number > 0);
    held.map(|(number, noun)| counted(number, noun))
}

/// The same as a line of text.
pub(super) fn records(input: &Input) -> String {
    let held: Vec<String> = held(input).collect();
    match held.is_empty() {
        true => "nothing that can be used".into(),
        false => held.join(", "),
    }
}

/// Everything in the ledger, kind by kind.
pub(super) fn issues<W: Write>(
    report: &Report<'_>,
    top: usize,
    page: &mut Page<W>,
) -> io::Result<()> {
    let mut kinds = report.integrity().problems.chunk_by(|a, b| a.id == b.id);
    kinds.try_for_each(|kind| problems(kind, top, page))
}

/// One kind of problem, in every input that has it.
fn problems<W: Write>(kind: &[Problem], top: usize, page: &mut Page<W>) -> io::Result<()> {
    let Some(first) = kind.first() else {
        return Ok(());
    };
    let times = count(kind.iter().map(|problem| problem.count).sum());
    let (id, severity, hint) = (first.id, first.severity, first.hint);
    page.hanging("", INDENT, &format!("[{severity}] {id} x {times}: {hint}"))?;
    for problem in kind.iter().take(top) {
        let place = match problem.byte_offset {
            0 => problem.file.clone(),
            offset => format!("{} from byte {}", problem.file, count(offset)),
        };
        page.hanging("", 2 * INDENT, &format!("{place}: {}", problem.detail))?;
    }
    match kind.len().saturating_sub(top) {
        0 => Ok(()),
        more => page.hanging("", 2 * INDENT, &format!("and in {more} more")),
    }
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
