//! The report as one page that needs nothing else: no request leaves it, and without scripts all of it
//! can be read. Scripts add sorting, filtering and links between charts and tables.
//!
//! Its size is bounded however large the dump is: charts hold a few thousand marks, lists the requests and
//! groups that matter most, and each says what it leaves out.

mod alerts;
mod causes;
mod charts;
mod cost;
mod head;
mod incidents;
mod input;
mod part;
mod request;
mod requests;
mod shows;
mod summary;
mod text;
mod waterfall;

use maud::{DOCTYPE, Markup, html};

use super::chart::{ChartError, Subject};

/// The page.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn page(subject: Subject<'_>) -> Result<String, ChartError> {
    let sections = sections(subject)?;
    let report = subject.report;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head::head(report))
            body {
                a.skip href="#main" { "Skip to the report" }
                header.top {
                    p.brand { "agentdiag " span.muted { (report.tool_version()) } }
                    nav aria-label="Sections" {
                        ul {
                            @for section in &sections {
                                li { a href={ "#" (section.id) } { (section.nav) } }
                            }
                        }
                    }
                }
                main id="main" {
                    (summary::lead(report))
                    @for section in &sections {
                        section id=(section.id) aria-labelledby={ (section.id) "-h" } {
                            h2 id={ (section.id) "-h" } { (section.title) }
                            (section.body)
                        }
                    }
                }
                footer {
                    p.muted { (text::safe(&report.headline().scope)) ". Slow is a request " (report.headline().rule) "." }
                }
                (charts::data(subject))
                (head::script())
            }
        }
    };
    Ok(page.into_string())
}

/// One part of the page.
struct Section {
    id: &'static str,
    nav: &'static str,
    title: &'static str,
    body: Markup,
}

/// What the dump has something to say about, in order.
fn sections(subject: Subject<'_>) -> Result<Vec<Section>, ChartError> {
    let report = subject.report;
    let all = [
        (
            "timeline",
            "Timeline",
            "When it was slow",
            charts::timeline(subject)?,
        ),
        (
            "incidents",
            "Incidents",
            "Incidents",
            incidents::list(report),
        ),
        (
            "alerts",
            "Alerts",
            "Which alerts would have fired",
            subject.alerts.and_then(alerts::lists),
        ),
        ("causes", "Causes", "Why it was slow", causes::list(report)),
        (
            "requests",
            "Requests",
            "Slow requests",
            requests::table(report),
        ),
        (
            "worst",
            "Waterfalls",
            "The worst requests, one by one",
            requests::worst(report),
        ),
        (
            "phases",
            "Phases",
            "Where the time went",
            charts::phases(subject)?,
        ),
        (
            "heat",
            "Heat map",
            "Which work was slow, and when",
            charts::heat(subject)?,
        ),
        (
            "latency",
            "Latency",
            "How long things take",
            shows::latency(subject)?,
        ),
        ("cost", "Cost", "What it cost", cost::tables(subject)?),
        (
            "tools",
            "Tools",
            "Which tools were chosen",
            shows::tools(subject)?,
        ),
        ("load", "Load", "Load and devices", charts::load(subject)?),
        (
            "signals",
            "Signals",
            "What the dump shows",
            shows::signals(report),
        ),
        ("input", "Input", "What was read", input::lists(report)),
    ];
    let said = all.into_iter().filter_map(|(id, nav, title, body)| {
        Some(Section {
            id,
            nav,
            title,
            body: body?,
        })
    });
    Ok(said.collect())
}
