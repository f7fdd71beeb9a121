//! One incident as a foldable block.

use std::fmt::Write as _;

use super::escape::{code, html_code, prose};
use super::tables::{grid, shown};
use crate::render::sentence;
use crate::report::IncidentRow;
use crate::units::human::{counted, duration, instant, short, span_of_time};

/// Trace ids listed of one incident at most.
const TRACES: usize = 50;

pub(super) fn block(number: usize, row: &IncidentRow<'_>, top: usize) -> String {
    let meta = row.incident.cause.meta();
    let mut text = format!(
        "\n<details><summary>{number}. {}, {}: {} lost {}</summary>\n\n",
        html_code(row.cause()),
        html_code(&row.scope()),
        counted(row.count(), "request"),
        duration(row.excess())
    );
    let window = row.window();
    let _ = writeln!(
        text,
        "{}, {}; most likely begun at {}. {}\n",
        span_of_time(window.start, window.end),
        duration(window.len()),
        instant(row.incident.onset),
        prose(meta.what)
    );
    let mut requests: Vec<_> = row.requests().collect();
    requests.sort_by_key(|r| (std::cmp::Reverse(r.excess()), r.request.wall.start));
    let worst = requests.iter().take(top).map(|request| {
        let proof = request.evidence().next();
        vec![
            code(&request.request.trace.to_string()),
            short(request.request.duration()),
            short(request.excess()),
            format!("{:.2}", request.confidence()),
            proof.map_or(String::new(), |(_, fact)| {
                code(&sentence::fact(request, fact))
            }),
        ]
    });
    let columns = ["trace", ">took", ">lost", ">sure", "proof"];
    grid(&mut text, &columns, worst.collect());
    text.push_str(&shown(requests.len(), top));
    text.push_str("\nWhat to do:\n\n");
    for check in meta.next_checks {
        let _ = writeln!(text, "- {}", prose(check));
    }
    text.push_str("\nTraces, by start:\n\n```text\n");
    for request in row.requests().take(TRACES) {
        let _ = writeln!(text, "{}", request.request.trace);
    }
    if requests.len() > TRACES {
        let _ = writeln!(text, "and {} more", requests.len() - TRACES);
    }
    text.push_str("```\n\n</details>\n");
    text
}
