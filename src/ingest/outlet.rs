//! What a format reader writes to: the sink, with the counts of the file and the places of records
//! kept beside it, so that readers only say offsets.

use super::raw::{RawAttr, RawClusterEvent, RawLog, RawMetric, RawSpan, RawValue};
use super::sink::Sink;
use crate::model::{Input, Issue, IssueKind, Place};

/// Attribute that the reader itself looks at.
const EVENT_NAME: &str = "event.name";

/// Records of one file on their way to one sink.
pub(crate) struct Outlet<'s> {
    sink: &'s mut dyn Sink,
    counts: &'s mut Input,
    file: u32,
    base: u64,
}

impl<'s> Outlet<'s> {
    /// An outlet for bytes that start at offset `base` of file `file`.
    pub(crate) fn new(sink: &'s mut dyn Sink, counts: &'s mut Input, file: u32, base: u64) -> Self {
        Self {
            sink,
            counts,
            file,
            base,
        }
    }

    /// The same outlet for bytes that start `by` further on.
    pub(crate) fn shifted(&mut self, by: usize) -> Outlet<'_> {
        Outlet {
            base: self.base.saturating_add(by as u64),
            sink: &mut *self.sink,
            counts: &mut *self.counts,
            file: self.file,
        }
    }

    /// The place of offset `at` of the bytes at hand.
    pub(crate) fn place(&self, at: usize) -> Place {
        Place::at(self.file, self.base.saturating_add(at as u64))
    }

    /// True when the value of the attribute `key` is to be delivered.
    #[inline]
    pub(crate) fn wants(&self, key: &[u8]) -> bool {
        self.sink.wants(key) || key == EVENT_NAME.as_bytes()
    }

    /// Counts an issue at offset `at`; the message is built for the first of its kind only.
    #[cold]
    pub(crate) fn count(&mut self, kind: IssueKind, at: usize, detail: impl FnOnce() -> String) {
        let place = self.place(at);
        self.sink.ledger().count(kind, place, detail);
    }

    /// Records an issue with its exact offset.
    #[cold]
    pub(crate) fn issue(&mut self, kind: IssueKind, at: usize, detail: String) {
        self.issues(kind, at, detail, 1);
    }

    /// Records `count` issues that share an example.
    #[cold]
    pub(crate) fn issues(&mut self, kind: IssueKind, at: usize, detail: String, count: u64) {
        let issue = Issue {
            kind,
            place: self.place(at),
            offset: Some(self.base.saturating_add(at as u64)),
            detail,
        };
        self.sink.ledger().add_many(issue, count);
    }

    /// Introduces a resource.
    pub(crate) fn resource(&mut self, attributes: &[RawAttr<'_>]) -> u32 {
        self.sink.resource(attributes)
    }

    /// Introduces a scope.
    pub(crate) fn scope(&mut self, name: &str, version: &str) -> u32 {
        self.sink.scope(name, version)
    }

    /// Hands over a span. One without both ids cannot be placed in any trace and goes no further.
    pub(crate) fn span(&mut self, span: &RawSpan<'_>, resource: u32, scope: u32, at: usize) {
        self.counts.spans += 1;
        if span.trace.0 == 0 || span.id.is_none() {
            let which = if span.trace.0 == 0 {
                "trace id"
            } else {
                "span id"
            };
            self.issue(IssueKind::BadId, at, format!("a span without a {which}"));
        } else {
            self.sink.span(span, resource, scope);
        }
    }

    /// Hands over a metric. Points that carry no time cannot be used and go no further.
    pub(crate) fn metric(&mut self, metric: &mut RawMetric<'_>, resource: u32, at: usize) {
        self.counts.points += metric.points.len() as u64;
        let untimed = metric.points.iter().filter(|p| p.time.is_none()).count();
        if untimed > 0 {
            metric.points.retain(|p| p.time.is_some());
            let detail = "a metric sample without a time".into();
            self.issues(IssueKind::UntimedMetrics, at, detail, untimed as u64);
        }
        self.sink.metric(metric, resource);
    }

    /// Counts a metric point that carries no value. Some say so by a flag; others are a fault of
    /// their exporter and reported.
    pub(crate) fn point_without_value(&mut self, flagged: bool, at: usize) {
        self.counts.points += 1;
        if !flagged {
            self.count(IssueKind::UnusedRecords, at, || {
                "a metric point without a value".into()
            });
        }
    }

    /// Hands over a log record. Before OTLP 1.5 the event name was an attribute.
    pub(crate) fn log(&mut self, log: &mut RawLog<'_>, resource: u32) {
        self.counts.logs += 1;
        if log.event.is_empty()
            && let Some(old) = log.attributes.iter().find(|a| a.key == EVENT_NAME)
            && let RawValue::Str(text) = old.value
        {
            log.event = text.get();
        }
        self.sink.log(log, resource);
    }

    /// Hands over a cluster event.
    pub(crate) fn cluster_event(&mut self, event: &RawClusterEvent<'_>) {
        self.counts.events += 1;
        self.sink.cluster_event(event);
    }
}
