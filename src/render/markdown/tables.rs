//! Sections of tables; one with nothing to show is empty.

use std::fmt::Write as _;

use super::escape::{code, prose};
use crate::report::{Cohort, Report};
use crate::units::human::{compact, count, instant, money, percent, short};
use crate::units::{Nanos, Ratio};

/// A table under a heading; `columns` that begin with `>` are numbers.
pub(super) fn table(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!("\n### {title}\n\n");
    grid(&mut text, columns, rows);
    text
}

/// A table without a heading.
pub(super) fn grid(text: &mut String, columns: &[&str], rows: Vec<Vec<String>>) {
    let titles = columns.iter().map(|column| column.trim_start_matches('>'));
    let _ = writeln!(text, "| {} |", titles.collect::<Vec<_>>().join(" | "));
    let rules = columns.iter().map(|column| match column.starts_with('>') {
        true => "---:",
        false => "---",
    });
    let _ = writeln!(text, "| {} |", rules.collect::<Vec<_>>().join(" | "));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

/// A remark under a table that does not show all.
pub(super) fn shown(all: usize, top: usize) -> String {
    match all > top {
        true => format!("\n{top} of {all} shown.\n"),
        false => String::new(),
    }
}

pub(super) fn causes(report: &Report<'_>) -> String {
    let rows = report.summary().causes.iter().map(|total| {
        vec![
            code(total.cause.label()),
            total.cause.meta().title.to_owned(),
            count(total.requests),
            short(total.excess),
            total.share.share().map_or(String::new(), percent),
            total
                .confidence
                .map_or(String::new(), |c| format!("{c:.2}")),
        ]
    });
    let columns = [
        "cause",
        "meaning",
        ">verdicts",
        ">time lost",
        ">share",
        ">sure",
    ];
    table("Causes", &columns, rows.collect())
}

pub(super) fn incidents(report: &Report<'_>, top: usize) -> String {
    let rows = report
        .incidents()
        .take(top)
        .enumerate()
        .map(|(index, row)| {
            vec![
                (index + 1).to_string(),
                code(row.cause()),
                code(&row.scope()),
                instant(row.window().start),
                short(row.window().len()),
                count(row.count()),
                short(row.excess()),
                row.cost().map_or("no price".to_owned(), money),
            ]
        });
    let columns = [
        ">#",
        "cause",
        "what",
        "from (UTC)",
        ">lasted",
        ">requests",
        ">time lost",
        ">cost",
    ];
    let mut text = table("Incidents", &columns, rows.collect());
    text.push_str(&shown(report.incidents().count(), top));
    text
}

pub(super) fn slowest(report: &Report<'_>, top: usize) -> String {
    let rows = report.slowest().take(top).map(|row| {
        vec![
            code(&row.request.trace.to_string()),
            code(row.kind()),
            short(row.request.duration()),
            short(row.excess()),
            row.cause()
                .map_or(String::new(), |cause| code(cause.label())),
            format!("{:.2}", row.confidence()),
        ]
    });
    let columns = ["trace", "task", ">took", ">lost", "cause", ">sure"];
    let mut text = table("Slowest requests", &columns, rows.collect());
    text.push_str(&shown(report.summary().slow as usize, top));
    text
}

pub(super) fn parts(report: &Report<'_>) -> String {
    let (normal, slow) = (&report.summary().normal_parts, &report.summary().slow_parts);
    let pairs = normal.means().into_iter().zip(slow.means());
    let pairs = pairs.map(|((name, n), (_, s))| (name, n, s));
    let mean = |cohort: &Cohort, time| match cohort.requests {
        0 => "none".to_owned(),
        _ => short(time),
    };
    let mut rows: Vec<Vec<String>> = pairs
        .filter(|(_, n, s)| *n + *s > Nanos::ZERO)
        .map(|(name, n, s)| vec![code(name), mean(normal, n), mean(slow, s)])
        .collect();
    if !rows.is_empty() {
        let whole = |cohort: &Cohort| mean(cohort, cohort.mean());
        rows.push(vec!["all".to_owned(), whole(normal), whole(slow)]);
    }
    let heads = [normal, slow].map(|cohort| count(cohort.requests));
    let heads = [
        format!(">normal ({} requests)", heads[0]),
        format!(">slow ({} requests)", heads[1]),
    ];
    let columns = ["part", &heads[0], &heads[1]];
    table("Where the time went, mean per request", &columns, rows)
}

pub(super) fn cost(report: &Report<'_>, top: usize) -> String {
    let models = &report.sums().cost.by_model;
    let rows = models.iter().take(top).map(|model| {
        vec![
            code(&model.key),
            count(model.calls),
            compact(model.input_tokens),
            compact(model.output_tokens),
            model.cost.map_or("no price".to_owned(), money),
        ]
    });
    let columns = [
        "model",
        ">calls",
        ">input tokens",
        ">output tokens",
        ">cost",
    ];
    let mut text = table("Cost by model", &columns, rows.collect());
    text.push_str(&shown(models.len(), top));
    text
}

pub(super) fn drift(report: &Report<'_>, top: usize) -> String {
    let drift = &report.sums().drift;
    if !drift.drifted {
        return String::new();
    }
    let share = |ratio: Ratio| ratio.share().map_or(String::new(), percent);
    let rows = drift.tools.iter().take(top).map(|tool| {
        vec![
            code(&tool.tool),
            share(tool.before),
            share(tool.after),
            count(tool.before.part + tool.after.part),
            if tool.drifted { "changed" } else { "" }.to_owned(),
        ]
    });
    let title = drift.split.map_or("Tool choice".to_owned(), |at| {
        format!("Tool choice before and after {} UTC", instant(at))
    });
    let columns = ["tool", ">before", ">after", ">calls", ""];
    let mut text = table(&prose(&title), &columns, rows.collect());
    text.push_str(&shown(drift.tools.len(), top));
    text
}
