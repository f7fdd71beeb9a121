//! Where the time went: mean parts of slow and of normal requests, as stacked bars on one scale and
//! as a table. Each part has its own letter, so that bars read without colour.

use std::cmp::Ordering;
use std::io::{self, Write};

use super::cells::{Cell, Cells};
use super::table::{Column, Table};
use super::{INDENT, Page};
use crate::report::{Cohort, Part, Piece, Report};
use crate::units::human::{count, short};
use crate::units::{Nanos, Window};

/// Columns left of the bars: indent, name, count, mean.
const LEFT: usize = INDENT + 30;

pub(super) fn write<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let summary = report.summary();
    let cohorts = [
        ("normal", summary.normal_parts),
        ("slow", summary.slow_parts),
    ];
    if cohorts.iter().all(|(_, c)| c.mean() == Nanos::ZERO) {
        return Ok(());
    }
    page.heading("WHERE THE TIME WENT", "mean per request")?;
    bars(&cohorts, page)?;
    legend(&cohorts, page)?;
    if summary.slow > 0 && summary.normal_parts.requests > 0 {
        page.line("")?;
        differences(&summary.normal_parts, &summary.slow_parts, page)?;
    }
    Ok(())
}

fn bars<W: Write>(cohorts: &[(&str, Cohort); 2], page: &mut Page<W>) -> io::Result<()> {
    let longest = cohorts.iter().map(|(_, c)| c.mean()).max();
    let width = page.style.width - LEFT;
    for (name, cohort) in cohorts.iter().filter(|(_, c)| c.requests > 0) {
        let bar = stacked(cohort, longest.unwrap_or_default(), width);
        let (requests, mean) = (count(cohort.requests), short(cohort.mean()));
        let bar = bar.text(page.style);
        page.line(&format!("  {name:<6} {requests:>9} {mean:>11}  {bar}"))?;
    }
    Ok(())
}

/// The parts one after another, on the scale of the longest.
fn stacked(cohort: &Cohort, longest: Nanos, width: usize) -> Cells {
    let mut end = Nanos::ZERO;
    let pieces: Vec<Piece> = Part::ALL
        .into_iter()
        .zip(cohort.means())
        .map(|(part, (_, time))| {
            let start = end;
            end += time;
            Piece {
                part: Some(part),
                window: Window { start, end },
                critical: true,
            }
        })
        .filter(|piece| !piece.window.is_empty())
        .collect();
    let shown = Window {
        start: Nanos::ZERO,
        end: longest,
    };
    Cells::of(&pieces, shown, width)
}

fn legend<W: Write>(cohorts: &[(&str, Cohort); 2], page: &mut Page<W>) -> io::Result<()> {
    let [normal, slow] = cohorts.map(|(_, c)| c.means());
    let named = normal.into_iter().zip(slow).zip(Part::ALL);
    let words: Vec<String> = named
        .filter(|((n, s), _)| n.1 + s.1 > Nanos::ZERO)
        .map(|((n, _), part)| format!("{}={}", Cell::shown_letter(part), n.0))
        .collect();
    page.hanging("", INDENT, &words.join(" "))
}

fn differences<W: Write>(normal: &Cohort, slow: &Cohort, page: &mut Page<W>) -> io::Result<()> {
    let rows = normal.means().into_iter().zip(slow.means());
    let rows = rows.map(|((name, n), (_, s))| (name, n, s));
    let rows: Vec<_> = rows.filter(|(_, n, s)| *n + *s > Nanos::ZERO).collect();
    let most = rows.iter().map(|(_, n, s)| s.since(*n)).max();
    let most = most.unwrap_or_default().as_secs().max(1e-9);
    let columns = [
        Column::Word("part"),
        Column::Number("normal"),
        Column::Number("slow"),
        Column::Number("more"),
        Column::Name(""),
    ];
    let mut table = Table::new(page.style, &columns);
    for (part, normal, slow) in rows {
        let more = slow.since(normal);
        let change = match slow.cmp(&normal) {
            Ordering::Equal => "same".to_owned(),
            Ordering::Greater => format!("+{}", short(more)),
            Ordering::Less => format!("-{}", short(normal.since(slow))),
        };
        let length = (more.as_secs() / most * 24.0).round() as usize;
        table.row([
            part.to_owned(),
            short(normal),
            short(slow),
            change,
            page.style.bar().repeat(length),
        ]);
    }
    page.table(table)
}
