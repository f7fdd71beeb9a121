//! Each cause that was a verdict: what it means, how it was recognised, on what evidence, and what to do.

use maud::{Markup, html};

use super::text::sentence;
use super::{part, request};
use crate::report::{CauseTotal, Report, Row};
use crate::units::human::{counted, duration, percent};

/// Requests whose evidence stands for a cause.
const EXAMPLES: usize = 3;

pub(super) fn list(report: &Report<'_>) -> Option<Markup> {
    let causes = report
        .summary()
        .causes
        .iter()
        .filter(|total| total.requests > 0);
    let causes: Vec<&CauseTotal> = causes.collect();
    (!causes.is_empty()).then(|| html! {
        @for (index, total) in causes.into_iter().enumerate() { (one(report, total, index == 0)) }
    })
}

fn one(report: &Report<'_>, total: &CauseTotal, open: bool) -> Markup {
    let (cause, meta) = (total.cause, total.cause.meta());
    let worst = report
        .slowest()
        .filter(|row| row.cause() == Some(cause))
        .take(EXAMPLES);
    let worst: Vec<Row<'_>> = worst.collect();
    let share = total.share.share().map_or(String::new(), |share| {
        format!("{} of the time lost, ", percent(share))
    });
    html! {
        details.card id={ "cause-" (cause.label()) } data-cause=(cause.label()) open[open] {
            summary {
                (part::cause(cause)) " " span.about { (meta.title) }
                span.sum { (duration(total.excess)) ", " (share) (counted(total.requests, "request")) }
            }
            div.inside {
                p { (meta.what) }
                dl.facts {
                    div { dt { "Recognised by" } dd { (meta.seen_by) } }
                    @if let Some(sure) = total.confidence {
                        div { dt { "Sure" } dd { (format!("median confidence {sure:.2}")) } }
                    }
                    div { dt { "Not to be taken for" } dd { ul { @for other in meta.look_alikes { li { (other) } } } } }
                }
                h3 { "Evidence, from the requests that lost most" }
                (request::evidence(&worst))
                h3 { "What to do" }
                ol { @for check in meta.next_checks { li { (sentence(check)) } } }
            }
        }
    }
}
