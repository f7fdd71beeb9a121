//! Two sets side by side as Markdown, for a pull request.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape::{code, prose};
use super::{LIMIT, TAIL, append};
use crate::report::compare::{CompareReport, SECTIONS, section};
use crate::report::drift::chance;
use crate::units::human::count;

/// Writes the comparison as Markdown; `top` is how many changes are told in sentences.
///
/// # Errors
/// When `out` cannot be written.
pub fn compare(report: &CompareReport<'_>, top: usize, mut out: impl Write) -> io::Result<()> {
    let (before, after) = report.found.requests;
    let mut page = format!(
        "## What changed\n\n{} requests of {} compared with {} of {}, each kind of task with itself.\n\n",
        count(after),
        code(&report.new),
        count(before),
        code(&report.base)
    );
    for line in report.headline(top) {
        append(&mut page, &format!("- {}\n", prose(&line)), LIMIT - TAIL);
    }
    for part in SECTIONS {
        let mut table = format!(
            "\n<details><summary>{}</summary>\n\n| of | what | before | after | change | p |\n|---|---|--:|--:|--:|--:|\n",
            section(part)
        );
        for row in report.rows(part) {
            let value = |value: f64| prose(&row.shown(value));
            let mark = if row.changed() { "**" } else { "" };
            let name = if row.name.is_empty() {
                String::new()
            } else {
                code(&row.name)
            };
            let p = row.p_value.map_or_else(|| "too few".to_owned(), chance);
            let _ = writeln!(
                table,
                "| {name} | {} | {} | {} | {mark}{}{mark} | {} |",
                prose(&row.title()),
                value(row.difference.base),
                value(row.difference.new),
                prose(&row.shown_change()),
                prose(&p)
            );
        }
        table.push_str("\n</details>\n");
        if report.rows(part).next().is_some() {
            append(&mut page, &table, LIMIT - TAIL);
        }
    }
    for note in report.found.notes.iter().take(8) {
        let _ = writeln!(page, "\n{}", prose(note));
    }
    let _ = writeln!(
        page,
        "\n<sub>agentdiag {}; {}.</sub>",
        env!("CARGO_PKG_VERSION"),
        prose(&report.correction())
    );
    out.write_all(page.as_bytes())
}
