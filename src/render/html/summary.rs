//! The first screen: what happened, to how many, why, at what cost, how sure that is, and what to do.

use maud::{Markup, html};

use super::part;
use super::text::sentence;
use crate::render::palette;
use crate::report::Report;
use crate::units::human::{count, counted, duration, money, percent};

/// Headline, figures, causes, facts.
pub(super) fn lead(report: &Report<'_>) -> Markup {
    let headline = report.headline();
    let mut happened = headline.happened.iter();
    let first = happened.next().map_or("Nothing was found.", String::as_str);
    let (first, because) = split(first);
    html! {
        section.lead aria-labelledby="headline" {
            @if let Some(period) = &headline.period { p.period { (period) } }
            h1 id="headline" .good[headline.healthy] { (sentence(first)) }
            @if let Some(because) = because { p.because { (sentence(because)) } }
            @for text in happened { p { (sentence(text)) } }
            (figures(report))
            (why(report))
            (facts(report))
        }
    }
}

/// The clause that says why stands on its own.
fn split(sentence: &str) -> (&str, Option<&str>) {
    let clauses = [", mostly because ", ", most often because ", ", because "];
    match clauses.iter().find_map(|clause| sentence.find(clause)) {
        Some(at) => (&sentence[..at], sentence.get(at + 2..)),
        None => (sentence.trim_end_matches('.'), None),
    }
}

fn figures(report: &Report<'_>) -> Markup {
    let sum = report.summary();
    let slow = match sum.slow_share() {
        Some(share) => format!("{} of judged", percent(share)),
        None => "none judged".to_owned(),
    };
    let calls = format!(
        "{} model calls, {} tool calls",
        count(sum.llm_calls),
        count(sum.tool_calls)
    );
    let mut list = vec![
        ("Requests", count(sum.requests), calls),
        ("Slow", count(sum.slow), slow),
        (
            "Time lost",
            duration(sum.excess),
            format!("{} each at the median", duration(sum.median_excess)),
        ),
    ];
    if let Some(cost) = sum.cost {
        let slow = sum.slow_cost.map_or(String::new(), |cost| {
            format!("{} in slow requests", money(cost))
        });
        list.push(("Cost", money(cost), slow));
    }
    if let Some(sure) = sum.confidence {
        list.push((
            "Confidence",
            format!("{sure:.2}"),
            "median of the verdicts".to_owned(),
        ));
    }
    html! {
        dl.figures {
            @for (name, value, note) in list {
                div { dt { (name) } dd { span.value { (value) } span.note { (note) } } }
            }
        }
    }
}

fn why(report: &Report<'_>) -> Markup {
    let causes = report
        .summary()
        .causes
        .iter()
        .filter(|total| total.requests > 0);
    let causes: Vec<_> = causes.collect();
    html! {
        @if !causes.is_empty() {
            table.why {
                caption.hidden { "Causes by time lost" }
                thead.hidden { tr { th scope="col" { "Cause" } th scope="col" { "Share" } th scope="col" { "Share of the time lost" } th scope="col" { "Requests" } th scope="col" { "What happened" } } }
                tbody {
                    @for total in causes {
                        @let share = total.share.share().unwrap_or(0.0);
                        @let requests = counted(total.requests, "request");
                        @let (number, noun) = requests.split_once(' ').unwrap_or((&requests, ""));
                        tr {
                            th scope="row" { a href={ "#cause-" (total.cause.label()) } { (part::cause(total.cause)) } }
                            td.barcell { (part::bar(share, palette::cause(total.cause.index()).tone.name)) }
                            td.n { (percent(share)) }
                            td.n { (number) " " span.noun { (noun) } }
                            td.title { (total.cause.meta().title) }
                        }
                    }
                }
            }
        }
    }
}

fn facts(report: &Report<'_>) -> Markup {
    let headline = report.headline();
    let input = Some(headline.input.replace("; see INPUT", ""));
    let facts = [
        ("Failed", &headline.failed),
        ("Cost", &headline.cost),
        ("Drift", &headline.drift),
        ("Sure", &headline.sure),
        ("Missing", &headline.missing),
        ("Input", &input),
        ("Next", &headline.next),
    ];
    html! {
        dl.facts {
            @for (name, fact) in facts {
                @if let Some(fact) = fact { div { dt { (name) } dd { (sentence(fact)) } } }
            }
            @for note in report.notes().iter().take(10) { div { dt { "Note" } dd { (sentence(note)) } } }
        }
    }
}
