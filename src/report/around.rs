//! What else was recorded while a request ran: logs, metrics, cluster events. Structure only.

use std::cmp::Reverse;

use super::Row;
use crate::model::{Point, Series, SeriesKind, SpanId};
use crate::stats::{MAD_TO_SIGMA, median_and_mad};
use crate::trace::tops;
use crate::units::{Nanos, Sym, Window};

/// Cluster events this long before and after a request are shown.
const EVENTS: Nanos = Nanos(120_000_000_000);
/// A metric without a sample in a request is read from one this close to it.
const SCRAPE: Nanos = Nanos(60_000_000_000);
/// A metric needs this many samples besides to have a usual value.
const SAMPLES: usize = 4;

/// What was recorded besides, the most telling first and cut to a number asked for.
#[derive(Clone, Debug, Default)]
pub struct Around<'a> {
    /// Log records, by time.
    pub logs: Vec<LogLine<'a>>,
    /// Log records there were.
    pub all_logs: usize,
    /// Metrics, the most unusual first.
    pub metrics: Vec<MetricLine<'a>>,
    /// Metrics that have a value for the time of the request.
    pub all_metrics: usize,
    /// Single observations of metrics that name the trace, by time.
    pub exemplars: Vec<ExemplarLine<'a>>,
    /// Such observations there were.
    pub all_exemplars: usize,
    /// Cluster events, by time.
    pub events: Vec<EventLine<'a>>,
    /// Cluster events there were.
    pub all_events: usize,
}

/// One log record, without its body.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a> {
    /// When.
    pub time: Nanos,
    /// One word: `error`, `warn`, …; empty when not said.
    pub severity: &'static str,
    /// Who wrote it.
    pub service: &'a str,
    /// Event name, empty without one.
    pub event: &'a str,
    /// HTTP status it carries.
    pub http_status: Option<u16>,
    /// Length of its body; bodies are not kept.
    pub body_bytes: u32,
    /// The span it belongs to, where it says so.
    pub span: SpanId,
    /// It names the trace; else it is only of the same service and time.
    pub of_trace: bool,
}

/// One metric during the request.
#[derive(Clone, Debug)]
pub struct MetricLine<'a> {
    /// Its name.
    pub name: &'a str,
    /// Labels, `key=value`.
    pub labels: Vec<(&'a str, &'a str)>,
    /// True when the values are increases per second.
    pub per_second: bool,
    /// Mean while the request ran.
    pub during: f64,
    /// Median at other times.
    pub usual: f64,
    /// How many times its usual spread it was off.
    pub off: f64,
}

/// One observation of a metric that names the trace (an exemplar, OpenMetrics 1.0 section 4.6.1).
#[derive(Clone, Copy, Debug)]
pub struct ExemplarLine<'a> {
    /// When, if said.
    pub time: Option<Nanos>,
    /// Name of the metric.
    pub metric: &'a str,
    /// What was observed, in the metric's unit.
    pub value: f64,
    /// The span it was observed in, where it says so.
    pub span: SpanId,
}

/// One cluster event.
#[derive(Clone, Copy, Debug)]
pub struct EventLine<'a> {
    /// When it last happened.
    pub time: Nanos,
    /// Its reason, such as `BackOff`.
    pub reason: &'a str,
    /// Kind of the object.
    pub kind: &'a str,
    /// Name of the object.
    pub object: &'a str,
    /// How often.
    pub count: u32,
}

impl<'a> Around<'a> {
    /// Looks around one request; at most `most` of each kind are kept.
    #[must_use]
    pub fn of(row: &Row<'a>, most: usize) -> Self {
        let mut around = Self::default();
        around.logs(row, most);
        around.metrics(row, most);
        around.exemplars(row, most);
        around.events(row, most);
        around
    }

    /// True when nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all_logs + self.all_metrics + self.all_exemplars + self.all_events == 0
    }

    fn logs(&mut self, row: &Row<'a>, most: usize) {
        let (dataset, wall) = (row.report.dataset(), row.request.wall);
        let services = services(row);
        let mut found: Vec<_> = dataset
            .logs
            .iter()
            .filter_map(|log| {
                let resource = dataset.resources.get(log.resource as usize);
                let service = resource.map_or(Sym::NONE, |r| r.service);
                let of_trace = log.trace == row.request.trace;
                let beside = log.trace.0 == 0
                    && services.contains(&service)
                    && (wall.start..wall.end).contains(&log.time);
                (of_trace || beside).then_some(LogLine {
                    time: log.time,
                    severity: severity(log.severity),
                    service: dataset.text(service),
                    event: dataset.text(log.event),
                    http_status: log.http_status,
                    body_bytes: log.body_bytes,
                    span: log.span,
                    of_trace,
                })
            })
            .collect();
        self.all_logs = found.len();
        let rank = |log: &LogLine<'_>| {
            (
                weight(log.severity),
                log.http_status.is_some_and(|s| s >= 400),
            )
        };
        found.sort_by_key(|log| (Reverse((log.of_trace, rank(log))), order(log)));
        found.truncate(most);
        found.sort_by_key(order);
        self.logs = found;
    }

    fn metrics(&mut self, row: &Row<'a>, most: usize) {
        let dataset = row.report.dataset();
        let mut found: Vec<MetricLine<'a>> = Vec::new();
        for series in &dataset.series {
            let samples = samples(series);
            let Some((during, usual, off)) = unusual(&samples, row.request.wall) else {
                continue;
            };
            found.push(MetricLine {
                name: dataset.text(series.name),
                labels: series
                    .labels
                    .iter()
                    .map(|&(key, value)| (dataset.text(key), dataset.text(value)))
                    .collect(),
                per_second: series.kind != SeriesKind::Gauge,
                during,
                usual,
                off,
            });
        }
        self.all_metrics = found.len();
        found.sort_by(|a, b| {
            let by_size = b.off.abs().total_cmp(&a.off.abs());
            by_size.then_with(|| (a.name, &a.labels).cmp(&(b.name, &b.labels)))
        });
        found.truncate(most);
        self.metrics = found;
    }

    fn exemplars(&mut self, row: &Row<'a>, most: usize) {
        let dataset = row.report.dataset();
        let of_trace = dataset.exemplars.iter();
        let of_trace = of_trace.filter(|exemplar| exemplar.trace == row.request.trace);
        let mut found: Vec<ExemplarLine<'a>> = of_trace
            .map(|exemplar| ExemplarLine {
                time: exemplar.time,
                metric: dataset.text(exemplar.metric),
                value: exemplar.value,
                span: exemplar.span,
            })
            .collect();
        found.sort_by(|a, b| {
            let key = |line: &ExemplarLine<'a>| (line.time, line.metric, line.span);
            key(a).cmp(&key(b)).then(a.value.total_cmp(&b.value))
        });
        // A snapshot that was scraped twice repeats what it last observed.
        found.dedup_by(|a, b| {
            (a.time, a.metric, a.span) == (b.time, b.metric, b.span) && a.value == b.value
        });
        self.all_exemplars = found.len();
        found.truncate(most);
        self.exemplars = found;
    }

    fn events(&mut self, row: &Row<'a>, most: usize) {
        let (dataset, wall) = (row.report.dataset(), row.request.wall);
        let near = wall.start.since(EVENTS)..wall.end + EVENTS;
        let near = dataset.events.iter().filter(|e| near.contains(&e.time));
        let mut found: Vec<EventLine<'a>> = near
            .map(|event| EventLine {
                time: event.time,
                reason: dataset.text(event.reason),
                kind: dataset.text(event.object_kind),
                object: dataset.text(event.object),
                count: event.count,
            })
            .collect();
        self.all_events = found.len();
        // Those nearest to the request, then by time.
        let away = |e: &EventLine<'_>| wall.start.since(e.time) + e.time.since(wall.end);
        found.sort_by_key(|e| (away(e), e.time, e.reason, e.kind, e.object, e.count));
        found.truncate(most);
        found.sort_by_key(|e| (e.time, e.reason, e.kind, e.object, e.count));
        self.events = found;
    }
}

/// Services that took part in a request.
fn services(row: &Row<'_>) -> hashbrown::HashSet<Sym, foldhash::fast::FixedState> {
    let (dataset, forest) = (row.report.dataset(), row.report.forest());
    tops(dataset, forest, row.request)
        .into_iter()
        .flat_map(|top| forest.tree.subtree(top))
        .filter_map(|span| row.report.span(span))
        .map(|span| dataset.resource_of(span).service)
        .filter(|service| !service.is_none())
        .collect()
}

type LogOrder<'a> = (Nanos, &'a str, &'a str, Option<u16>, u32, SpanId);

fn order<'a>(log: &LogLine<'a>) -> LogOrder<'a> {
    (
        log.time,
        log.service,
        log.event,
        log.http_status,
        log.body_bytes,
        log.span,
    )
}

/// OTLP severity numbers come in steps of four (OTLP logs data model, "SeverityNumber").
fn severity(number: u8) -> &'static str {
    match number {
        1..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warn",
        17..=20 => "error",
        21..=24 => "fatal",
        _ => "",
    }
}

fn weight(word: &str) -> usize {
    ["", "trace", "debug", "info", "warn", "error", "fatal"]
        .iter()
        .position(|known| *known == word)
        .unwrap_or(0)
}

/// Values with the stretch of time that each speaks for.
fn samples(series: &Series) -> Vec<(Window, f64)> {
    let instant = |point: &Point| Window {
        start: point.time,
        end: point.time + Nanos(1),
    };
    if series.kind == SeriesKind::Gauge {
        return series
            .points
            .iter()
            .map(|p| (instant(p), p.value))
            .collect();
    }
    let pairs = series.points.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        let window = Window {
            start: before.time,
            end: after.time,
        };
        let grown = match series.kind {
            SeriesKind::Delta => after.value,
            _ => after.value - before.value,
        };
        // A counter that fell was reset in between.
        let seconds = window.len().as_secs();
        (grown >= 0.0 && seconds > 0.0).then(|| (window, grown / seconds))
    });
    pairs.collect()
}

/// The mean during `wall`, the median at other times, and how far the one is from the other.
fn unusual(samples: &[(Window, f64)], wall: Window) -> Option<(f64, f64, f64)> {
    let inside = |w: &Window| w.start < wall.end && wall.start < w.end;
    let mut during: Vec<f64> = samples
        .iter()
        .filter(|s| inside(&s.0))
        .map(|s| s.1)
        .collect();
    let others = samples.iter().filter(|s| !inside(&s.0));
    let others: Vec<f64> = others.map(|s| s.1).collect();
    if during.is_empty() {
        let before = samples.iter().rfind(|s| s.0.end <= wall.start)?;
        during.extend((wall.start.since(before.0.end) <= SCRAPE).then_some(before.1));
    }
    if during.is_empty() || others.len() < SAMPLES {
        return None;
    }
    let during = during.iter().sum::<f64>() / during.len() as f64;
    let (usual, mad) = median_and_mad(&others)?;
    // Where nothing usually moves, a twentieth of the value counts as its spread.
    let spread = (mad * MAD_TO_SIGMA).max(usual.abs() / 20.0).max(1e-9);
    Some((during, usual, (during - usual) / spread))
}
