//! Sections that are charts, and the data that scripts link them with.

use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

use super::part::{self, figure};
use super::text::safe;
use crate::render::chart::{Chart, ChartError, Subject, extent};
use crate::render::palette;
use crate::report::figures::Mark;
use crate::units::human::{count, duration, instant, percent, short};

/// A section that may have nothing to say.
pub(super) type Said = Result<Option<Markup>, ChartError>;

/// Latency over time, with buttons that filter everything by cause.
pub(super) fn timeline(subject: Subject<'_>) -> Said {
    let Some(chart) = figure(Chart::Timeline, subject)? else {
        return Ok(None);
    };
    let causes = subject
        .report
        .summary()
        .causes
        .iter()
        .filter(|total| total.requests > 0);
    let causes: Vec<_> = causes.collect();
    Ok(Some(html! {
        @if !causes.is_empty() {
            div.legend role="group" aria-label="Causes" {
                @for total in causes {
                    span.chip data-cause=(total.cause.label()) {
                        (part::cause(total.cause)) " " span.n { (count(total.requests)) }
                    }
                }
                span.chip { span.sign aria-hidden="true" { svg viewBox="-1.5 -1.5 3 3" { circle.f-normal r="0.7" {} } } "not slow" }
            }
        }
        (chart)
        p.hint.scripted { "Drag over the chart to look at a stretch of time; click a mark to find its request." }
        p id="tip" .tip aria-hidden="true" hidden {}
    }))
}

/// Observed against expected.
pub(super) fn phases(subject: Subject<'_>) -> Said {
    let Some(chart) = figure(Chart::Phases, subject)? else {
        return Ok(None);
    };
    let phases = subject.figures.phases;
    let groups: Vec<_> = [("Slow", phases.slow), ("Not slow", phases.normal)]
        .into_iter()
        .filter_map(|(name, pair)| Some((name, pair?)))
        .collect();
    let names = groups.first().map(|(_, pair)| pair.observed);
    let names = names
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(index, _)| {
            groups
                .iter()
                .any(|(_, pair)| pair.observed[*index].1.0 + pair.expected[*index].1.0 > 0)
        });
    let names: Vec<(usize, &str)> = names.map(|(index, (name, _))| (index, name)).collect();
    Ok(Some(html! {
        (chart)
        p.method { "Expected is what the request should have taken: what each cause took is taken out of the parts it acts on." }
        (part::scroller("Mean time per part", html! {
            table.data {
                caption.hidden { "Mean time per request and part" }
                thead {
                    tr {
                        th scope="col" { "Part" }
                        @for (name, _) in &groups {
                            th.n scope="col" { (name) ", took" }
                            th.n scope="col" { (name) ", expected" }
                        }
                    }
                }
                tbody {
                    @for (index, name) in names {
                        tr {
                            th scope="row" { (part::sign(palette::part(index))) (name.replace('_', " ")) }
                            @for (_, pair) in &groups {
                                td.n { (short(pair.observed[index].1)) }
                                td.n { (short(pair.expected[index].1)) }
                            }
                        }
                    }
                }
            }
        }))
    }))
}

/// Kinds of task by time.
pub(super) fn heat(subject: Subject<'_>) -> Said {
    let chart = figure(Chart::Heat, subject)?;
    Ok(chart.map(|chart| {
        html! {
            (chart)
            p.hint.scripted { "Click a cell to see its slow requests." }
        }
    }))
}

/// Company and devices.
pub(super) fn load(subject: Subject<'_>) -> Said {
    let (load, gpu) = (figure(Chart::Load, subject)?, figure(Chart::Gpu, subject)?);
    let any = load.is_some() || gpu.is_some();
    Ok(any.then(|| {
        html! {
            @if let Some(load) = load { (load) }
            @if let Some(gpu) = gpu { h3 { "Devices" } (gpu) }
        }
    }))
}

/// What scripts need to link marks, cells and rows: a block of data, never run.
pub(super) fn data(subject: Subject<'_>) -> Markup {
    let figures = subject.figures;
    let line = &figures.timeline;
    let marks: Vec<Value> = line
        .normal
        .iter()
        .chain(&line.slow)
        .filter_map(|m| mark(subject, m))
        .collect();
    let kinds = figures
        .heat
        .rows
        .iter()
        .map(|row| row.kind.as_deref().map(safe));
    let kinds: Vec<Option<String>> = kinds.collect();
    let cells: Vec<Value> = figures
        .heat
        .rows
        .iter()
        .flat_map(|row| &row.cells)
        .map(|cell| {
            let share = cell.slow.share().map_or("nothing ran".to_owned(), |share| {
                format!(
                    "{} of {} slow ({}), {} lost",
                    count(cell.slow.part),
                    count(cell.slow.whole),
                    percent(share),
                    duration(cell.lost)
                )
            });
            json!(share)
        })
        .collect();
    let bins = figures.heat.bins;
    let starts: Vec<String> = (0..bins.count).map(|bin| instant(bins.at(bin))).collect();
    let all = json!({
        "from": line.window.start.as_secs(),
        "to": line.window.end.as_secs(),
        "wide": extent(false),
        "narrow": extent(true),
        "marks": marks,
        "heat": {"kinds": kinds, "from": bins.start.as_secs(), "step": bins.step.as_secs(), "bins": bins.count, "starts": starts, "cells": cells},
    });
    // Inside a script element only "</script" and "<!--" have a meaning.
    let text = all.to_string().replace('<', "\\u003c");
    html! { script type="application/json" id="data" { (PreEscaped(text)) } }
}

/// Trace, start in seconds, what to say, cause.
fn mark(subject: Subject<'_>, mark: &Mark) -> Option<Value> {
    let row = subject.report.row(mark.request)?;
    let mut said = format!("{}: took {}", safe(row.kind()), short(mark.duration));
    if let Some(cause) = mark.cause {
        said.push_str(&format!(
            ", lost {}, {}",
            short(row.excess()),
            cause.label()
        ));
    }
    Some(json!([
        row.request.trace.to_string(),
        mark.start.as_secs(),
        said,
        mark.cause.map(|c| c.label())
    ]))
}
