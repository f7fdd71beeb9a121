//! The report as Markdown, for a post-mortem or a pull request: the answer, tables, and one
//! foldable block per incident, within the size that a comment may have.

mod check;
mod compare;
mod escape;
mod incident;
mod tables;

use std::fmt::Write as _;
use std::io::{self, Write};

pub use check::check;
pub use compare::compare;

use crate::report::Report;
use escape::{code, prose};

/// Longest text written, in bytes: GitHub takes 65,536 characters in a comment or a description.
pub const LIMIT: usize = 65_000;

/// Room kept for the lines that follow the incidents.
const TAIL: usize = 1_500;

/// Writes the report as Markdown; `top` is how many rows of a long list are shown.
///
/// # Errors
/// When `out` cannot be written.
pub fn markdown(report: &Report<'_>, top: usize, mut out: impl Write) -> io::Result<()> {
    let mut page = head(report);
    for section in [
        tables::causes(report),
        tables::incidents(report, top),
        tables::slowest(report, top),
        tables::parts(report),
        tables::cost(report, top),
        tables::drift(report, top),
    ] {
        append(&mut page, &section, LIMIT - TAIL);
    }
    let mut left_out = 0;
    for (number, row) in (1..).zip(report.incidents()) {
        let block = incident::block(number, &row, top);
        if !append(&mut page, &block, LIMIT - TAIL) {
            left_out += 1;
        }
    }
    page.push_str(&tail(report, left_out));
    out.write_all(page.as_bytes())
}

/// Adds a whole section, or nothing of it where it does not fit.
fn append(page: &mut String, section: &str, limit: usize) -> bool {
    let fits = page.len() + section.len() <= limit;
    if fits {
        page.push_str(section);
    }
    fits
}

fn head(report: &Report<'_>) -> String {
    let headline = report.headline();
    let mut page = String::from("## LLM agent latency report\n\n");
    let _ = writeln!(page, "**{}**\n", prose(&headline.happened.join(" ")));
    let facts = [
        ("Looked at", Some(headline.scope.clone())),
        ("Period", headline.period.clone()),
        ("Slow means", Some(headline.rule.clone())),
        ("Failed", headline.failed.clone()),
        ("Cost", headline.cost.clone()),
        ("Tool choice", headline.drift.clone()),
        ("Sure", headline.sure.clone()),
        ("Missing", headline.missing.clone()),
        ("Input", Some(headline.input.clone())),
        ("Next", headline.next.clone()),
    ];
    for (label, fact) in facts {
        if let Some(fact) = fact {
            let _ = writeln!(page, "- {label}: {}", prose(&fact));
        }
    }
    for note in report.notes().iter().take(5) {
        let _ = writeln!(page, "- Note: {}", prose(note));
    }
    page
}

fn tail(report: &Report<'_>, left_out: usize) -> String {
    let mut tail = String::new();
    if left_out > 0 {
        let _ = writeln!(
            tail,
            "\n{left_out} further incidents are left out: this text keeps below the 65,536 \
             characters that a comment may have. `agentdiag analyze --json` has them all."
        );
    }
    let problems = &report.integrity().problems;
    if !problems.is_empty() {
        tail.push_str("\n<details><summary>What was lost, mended or guessed</summary>\n\n");
        for problem in problems {
            let line = format!(
                "- {} ({}) x {}: {}\n",
                code(problem.id),
                problem.severity,
                problem.count,
                prose(problem.hint)
            );
            if tail.len() + line.len() > TAIL - 300 {
                tail.push_str("- and more\n");
                break;
            }
            tail.push_str(&line);
        }
        tail.push_str("\n</details>\n");
    }
    let _ = writeln!(
        tail,
        "\n<sub>agentdiag {}; `agentdiag trace ID` shows one request in full.</sub>",
        report.tool_version()
    );
    tail
}
