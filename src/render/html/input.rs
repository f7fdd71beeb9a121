//! What was read, and what was lost, mended or guessed on the way.

use maud::{Markup, html};

use super::part;
use super::text::{safe, sentence, some_of};
use crate::report::Report;
use crate::units::human::{bytes, count};

/// Rows of one table at most.
const ROWS: usize = 100;

pub(super) fn lists(report: &Report<'_>) -> Option<Markup> {
    let (inputs, integrity) = (report.inputs(), report.integrity());
    let problems = &integrity.problems;
    Some(html! {
        p { "The input is " (sentence(&report.headline().input.replace("; see INPUT", ""))) "." }
        (part::scroller("Inputs", html! {
            table.data {
                caption.hidden { "Inputs" }
                thead { tr { th scope="col" { "Input" } th scope="col" { "Taken for" } th.n scope="col" { "Size" } th.n scope="col" { "Spans" } th.n scope="col" { "Metric points" } th.n scope="col" { "Logs" } th.n scope="col" { "Events" } } }
                tbody {
                    @for input in inputs.iter().take(ROWS) {
                        tr {
                            th scope="row" { (safe(&input.path)) }
                            td { (safe(&input.format)) }
                            td.n { (bytes(input.bytes)) }
                            td.n { (count(input.spans)) }
                            td.n { (count(input.points)) }
                            td.n { (count(input.logs)) }
                            td.n { (count(input.events)) }
                        }
                    }
                }
            }
        }))
        @if let Some(note) = some_of(ROWS.min(inputs.len()), inputs.len(), "input") { p.method { (note) } }
        @if !problems.is_empty() {
            h3 { "Lost, mended or guessed" }
            (part::scroller("Lost, mended or guessed", html! {
                table.data {
                    caption.hidden { "What was lost, mended or guessed" }
                    thead { tr { th scope="col" { "What" } th scope="col" { "Severity" } th.n scope="col" { "Times" } th scope="col" { "Example" } th scope="col" { "Where" } th scope="col" { "What to do" } } }
                    tbody {
                        @for problem in problems.iter().take(ROWS) {
                            tr {
                                th scope="row" { (problem.id.replace('_', " ")) }
                                td { (problem.severity.replace('_', " ")) }
                                td.n { (count(problem.count)) }
                                td.text { (safe(&problem.detail)) }
                                td { @if !problem.file.is_empty() { (safe(&problem.file)) ", byte " (count(problem.byte_offset)) } }
                                td.text { (sentence(problem.hint)) }
                            }
                        }
                    }
                }
            }))
            @if let Some(note) = some_of(ROWS.min(problems.len()), problems.len(), "kind of problem") { p.method { (note) } }
        }
        @if !integrity.dialects.is_empty() {
            p.method {
                "Vocabularies: "
                @for (index, (name, spans)) in integrity.dialects.iter().enumerate() {
                    @if index > 0 { ", " } (name) " (" (count(*spans)) " spans)"
                }
                "."
            }
        }
        @if !integrity.strange_keys.is_empty() {
            p.method {
                "Attributes that look relevant and were not understood: "
                @for (index, (key, spans)) in integrity.strange_keys.iter().enumerate() {
                    @if index > 0 { ", " } code { (safe(key)) } " (" (count(*spans)) ")"
                }
                "."
            }
        }
    })
}
