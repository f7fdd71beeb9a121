//! A check as Markdown, for a job's summary or a comment.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape::{code, prose};
use super::{LIMIT, TAIL, append};
use crate::report::check::{CheckReport, Line, Verdict};
use crate::units::human::count;

/// Writes the check as Markdown: short enough for a comment, and so for a job's summary.
///
/// # Errors
/// When `out` cannot be written.
pub fn check(report: &CheckReport<'_>, mut out: impl Write) -> io::Result<()> {
    let mut page = format!("## Budgets: {}\n\n", report.verdict().to_lowercase());
    let against = report
        .baseline
        .as_deref()
        .map(|name| format!(", compared with {}", code(name)));
    let _ = writeln!(
        page,
        "{} requests held to {}{}.\n",
        count(report.requests),
        code(report.file()),
        against.unwrap_or_default()
    );
    page.push_str(
        "| verdict | budget | value | at best | limit | n |\n|---|---|--:|--:|--:|--:|\n",
    );
    let lines = report.by_weight();
    let fitting = lines
        .iter()
        .take_while(|line| append(&mut page, &row(line), LIMIT / 2))
        .count();
    if fitting < lines.len() {
        let _ = writeln!(
            page,
            "\n{} more budgets are left out here.",
            lines.len() - fitting
        );
    }
    page.push('\n');
    let telling = lines
        .iter()
        .filter(|line| !matches!(line.finding.verdict, Verdict::Kept | Verdict::Off));
    let mut left_out = 0;
    for line in telling {
        let item = format!(
            "- **{}** {}: {}\n",
            said(line.finding.verdict),
            code(&line.budget.name),
            prose(&line.message())
        );
        left_out += usize::from(!append(&mut page, &item, LIMIT - TAIL));
    }
    if left_out > 0 {
        let _ = writeln!(
            page,
            "- and {left_out} more; `agentdiag check --json` has them all"
        );
    }
    if report.integrity.weakens() {
        let _ = writeln!(
            page,
            "\n{} records were lost while reading.",
            count(report.integrity.lost)
        );
    }
    let _ = writeln!(
        page,
        "\n<sub>agentdiag {}; `agentdiag trace ID` shows one request in full.</sub>",
        env!("CARGO_PKG_VERSION")
    );
    out.write_all(page.as_bytes())
}

fn row(line: &Line<'_>) -> String {
    let finding = line.finding;
    let shown = |value: Option<f64>| value.map_or_else(String::new, |v| prose(&line.shown(v)));
    let sign = finding
        .limit
        .map_or("", |_| line.budget.expect.comparison.sign());
    format!(
        "| {} | {} | {} | {} | {} {} | {} |\n",
        said(finding.verdict),
        code(&line.budget.name),
        shown(finding.value),
        shown(finding.at_best.filter(|_| finding.risk > 0.0)),
        prose(sign),
        shown(finding.limit),
        count(finding.n)
    )
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Broken => "broken",
        Verdict::Warned => "warning",
        Verdict::CannotTell => "cannot tell",
        Verdict::WithinNoise => "within noise",
        Verdict::Kept => "kept",
        Verdict::Off => "off",
    }
}
