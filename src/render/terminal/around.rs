//! What else was recorded while a request ran.

use std::io::{self, Write};

use super::Page;
use super::sections::some_of;
use super::table::{Column, Table};
use crate::render::sentence;
use crate::report::{Around, EventLine, ExemplarLine, LogLine, MetricLine};
use crate::units::Window;
use crate::units::human::{bytes, count, plain};

pub(super) fn write<W: Write>(
    around: &Around<'_>,
    wall: Window,
    page: &mut Page<W>,
) -> io::Result<()> {
    logs(around, wall, page)?;
    metrics(around, page)?;
    exemplars(around, wall, page)?;
    events(around, wall, page)
}

fn logs<W: Write>(around: &Around<'_>, wall: Window, page: &mut Page<W>) -> io::Result<()> {
    if around.logs.is_empty() {
        return Ok(());
    }
    let remark = "of the trace, or (~) of its services meanwhile; texts are not kept";
    page.heading("LOGS", &some_of(around.all_logs, around.logs.len(), remark))?;
    let columns = [
        Column::Number("at"),
        Column::Word(""),
        Column::Word("severity"),
        Column::Name("service"),
        Column::Name("event"),
        Column::Number("status"),
        Column::Number("text"),
        Column::Word("span"),
    ];
    let mut table = Table::new(page.style, &columns);
    for log in &around.logs {
        table.row(log_row(log, wall));
    }
    page.table(table)
}

fn log_row(log: &LogLine<'_>, wall: Window) -> [String; 8] {
    [
        sentence::offset(log.time, wall.start),
        if log.of_trace { "" } else { "~" }.to_owned(),
        log.severity.to_owned(),
        log.service.to_owned(),
        log.event.to_owned(),
        log.http_status.map_or(String::new(), |s| s.to_string()),
        match log.body_bytes {
            0 => String::new(),
            size => bytes(u64::from(size)),
        },
        if log.span.is_none() {
            String::new()
        } else {
            log.span.to_string()
        },
    ]
}

fn metrics<W: Write>(around: &Around<'_>, page: &mut Page<W>) -> io::Result<()> {
    if around.metrics.is_empty() {
        return Ok(());
    }
    let remark = "most unusual first; usual is the median at other times";
    page.heading(
        "METRICS",
        &some_of(around.all_metrics, around.metrics.len(), remark),
    )?;
    let columns = [
        Column::Name("metric"),
        Column::Number("meanwhile"),
        Column::Number("usual"),
        Column::Word(""),
        Column::Name("labels"),
    ];
    let mut table = Table::new(page.style, &columns);
    for metric in &around.metrics {
        table.row(metric_row(metric));
    }
    page.table(table)
}

fn metric_row(metric: &MetricLine<'_>) -> [String; 5] {
    let labels: Vec<String> = metric
        .labels
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    [
        metric.name.to_owned(),
        plain(metric.during),
        plain(metric.usual),
        if metric.per_second { "per s" } else { "" }.to_owned(),
        labels.join(" "),
    ]
}

fn exemplars<W: Write>(around: &Around<'_>, wall: Window, page: &mut Page<W>) -> io::Result<()> {
    if around.exemplars.is_empty() {
        return Ok(());
    }
    let remark = "single observations that name this trace";
    page.heading(
        "EXEMPLARS",
        &some_of(around.all_exemplars, around.exemplars.len(), remark),
    )?;
    let columns = [
        Column::Number("at"),
        Column::Name("metric"),
        Column::Number("observed"),
        Column::Word("span"),
    ];
    let mut table = Table::new(page.style, &columns);
    for exemplar in &around.exemplars {
        table.row(exemplar_row(exemplar, wall));
    }
    page.table(table)
}

fn exemplar_row(exemplar: &ExemplarLine<'_>, wall: Window) -> [String; 4] {
    [
        exemplar
            .time
            .map_or("?".to_owned(), |time| sentence::offset(time, wall.start)),
        exemplar.metric.to_owned(),
        plain(exemplar.value),
        if exemplar.span.is_none() {
            String::new()
        } else {
            exemplar.span.to_string()
        },
    ]
}

fn events<W: Write>(around: &Around<'_>, wall: Window, page: &mut Page<W>) -> io::Result<()> {
    if around.events.is_empty() {
        return Ok(());
    }
    let remark = "within two minutes of the request";
    page.heading(
        "CLUSTER EVENTS",
        &some_of(around.all_events, around.events.len(), remark),
    )?;
    let columns = [
        Column::Number("at"),
        Column::Name("reason"),
        Column::Name("object"),
        Column::Name(""),
        Column::Number("times"),
    ];
    let mut table = Table::new(page.style, &columns);
    for event in &around.events {
        table.row(event_row(event, wall));
    }
    page.table(table)
}

fn event_row(event: &EventLine<'_>, wall: Window) -> [String; 5] {
    [
        sentence::offset(event.time, wall.start),
        event.reason.to_owned(),
        event.kind.to_owned(),
        event.object.to_owned(),
        count(u64::from(event.count)),
    ]
}
