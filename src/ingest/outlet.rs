//! What a format reader writes to: the sink, with the counts of the file and the places of records
//! kept beside it, so that readers only say offsets.

use super::limits::Limits;
use super::raw::{
    RawAttr, RawClusterEvent, RawExemplar, RawLog, RawMetric, RawPoint, RawPointValue, RawSpan,
    RawValue,
};
use super::sink::Sink;
use super::trim::{self, Excess};
use crate::model::{Input, Issue, IssueKind, Place};
use crate::units::Nanos;

/// Attribute that the reader itself looks at.
const EVENT_NAME: &str = "event.name";

/// Records of one file on their way to one sink.
pub(crate) struct Outlet<'s> {
    sink: &'s mut dyn Sink,
    counts: &'s mut Input,
    file: u32,
    base: u64,
    taken: Option<Nanos>,
    limits: Limits,
}

impl<'s> Outlet<'s> {
    /// An outlet for bytes that start at offset `base` of file `file`.
    pub(crate) fn new(sink: &'s mut dyn Sink, counts: &'s mut Input, file: u32, base: u64) -> Self {
        Self {
            sink,
            counts,
            file,
            base,
            taken: None,
            limits: Limits::default(),
        }
    }

    /// The same outlet with limits.
    pub(crate) fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What records may not exceed.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Counts a value, or spans in a span, nested beyond the limit.
    #[cold]
    pub(crate) fn too_deep(&mut self, what: &'static str, at: usize) {
        let levels = self.limits.nesting;
        let detail = format!(
            "{what} nested deeper than {levels} levels, left out; --max-nesting raises the limit"
        );
        self.issue(IssueKind::OversizedRecord, at, detail);
    }

    /// The same outlet for a file that was taken at that time.
    pub(crate) fn taken_at(mut self, taken: Option<Nanos>) -> Self {
        self.taken = taken;
        self
    }

    /// When the file was taken, as far as the user said so.
    pub(crate) fn taken(&self) -> Option<Nanos> {
        self.taken
    }

    /// Notes that a record was placed at the time the user gave.
    pub(crate) fn assumed_time(&mut self, at: usize) {
        self.count(IssueKind::AssumedTime, at, || {
            "a record without a time of its own".into()
        });
    }

    /// The same outlet for bytes that start `by` further on.
    pub(crate) fn shifted(&mut self, by: usize) -> Outlet<'_> {
        Outlet {
            base: self.base.saturating_add(by as u64),
            sink: &mut *self.sink,
            counts: &mut *self.counts,
            file: self.file,
            taken: self.taken,
            limits: self.limits,
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

    /// As [`Outlet::wants`], with the sink's number for the key.
    #[inline]
    pub(crate) fn recognise(&self, key: &[u8]) -> Option<u16> {
        let known = self.sink.recognise(key);
        known.or_else(|| (key == EVENT_NAME.as_bytes()).then_some(0))
    }

    /// True when the buckets of histograms are to be delivered.
    pub(crate) fn wants_buckets(&self) -> bool {
        self.sink.wants_buckets()
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
        let mut excess = Excess::default();
        excess.list(attributes, self.limits);
        if excess.is_any() {
            self.exceeded(excess, 0);
            return self.sink.resource(&trim::list(attributes, self.limits));
        }
        self.sink.resource(attributes)
    }

    /// Introduces a scope.
    pub(crate) fn scope(&mut self, name: &str, version: &str) -> u32 {
        if name.len().max(version.len()) as u64 > self.limits.text {
            let texts = 1;
            self.exceeded(
                Excess {
                    texts,
                    ..Excess::default()
                },
                0,
            );
            return self.sink.scope("", "");
        }
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
            let excess = Excess::of_span(span, self.limits);
            match excess.is_any() {
                true => self.trimmed_span(span.clone(), resource, scope, at, excess),
                false => self.sink.span(span, resource, scope),
            }
        }
    }

    #[cold]
    fn trimmed_span(
        &mut self,
        mut span: RawSpan<'_>,
        resource: u32,
        scope: u32,
        at: usize,
        excess: Excess,
    ) {
        self.exceeded(excess, at);
        trim::span(&mut span, self.limits);
        self.sink.span(&span, resource, scope);
    }

    /// Counts what was left out of a record.
    #[cold]
    fn exceeded(&mut self, excess: Excess, at: usize) {
        let Limits {
            text, attributes, ..
        } = self.limits;
        if excess.texts > 0 {
            let detail =
                format!("a text of more than {text} bytes, left out; --max-text raises the limit");
            self.issues(IssueKind::OversizedRecord, at, detail, excess.texts);
        }
        if excess.attributes > 0 {
            let detail = format!(
                "more than {attributes} attributes, the rest left out; --max-attributes raises the limit"
            );
            self.issues(IssueKind::OversizedRecord, at, detail, excess.attributes);
        }
    }

    /// Hands over a metric. Points that carry no time are placed where the user said that the file
    /// was taken; without that they cannot be used and go no further.
    pub(crate) fn metric(&mut self, metric: &mut RawMetric<'_>, resource: u32, at: usize) {
        let whole = |p: &&RawPoint<'_>| !matches!(p.value, RawPointValue::Sum(_));
        self.counts.points += metric.points.iter().filter(whole).count() as u64;
        if self.taken.is_some() {
            for point in metric.points.iter_mut().filter(|p| p.time.is_none()) {
                point.time = self.taken;
                self.assumed_time(at);
            }
        }
        let excess = trim::metric(metric, self.limits);
        if excess.is_any() {
            self.exceeded(excess, at);
        }
        let untimed = metric.points.iter().filter(|p| p.time.is_none()).count();
        if untimed > 0 {
            metric.points.retain(|p| p.time.is_some());
            let detail = "a metric sample without a time".into();
            self.issues(IssueKind::UntimedMetrics, at, detail, untimed as u64);
        }
        if untimed == 0 || !metric.points.is_empty() {
            self.sink.metric(metric, resource);
        }
    }

    /// Counts a sample that was read from a line of text.
    pub(crate) fn sample(&mut self) {
        self.counts.samples += 1;
    }

    /// Hands over an exemplar of the metric `name`. One that names no trace serves nothing.
    pub(crate) fn exemplar(&mut self, name: &str, exemplar: &RawExemplar, at: usize) {
        self.counts.exemplars += 1;
        match exemplar.trace.0 {
            0 => self.count(IssueKind::UnusedRecords, at, || {
                "an exemplar whose labels name no trace".into()
            }),
            _ => self.sink.exemplar(name, exemplar),
        }
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
    pub(crate) fn log(&mut self, log: &mut RawLog<'_>, resource: u32, at: usize) {
        self.counts.logs += 1;
        if log.event.is_empty()
            && let Some(old) = log.attributes.iter().find(|a| a.key == EVENT_NAME)
            && let RawValue::Str(text) = old.value
        {
            log.event = text.get();
        }
        let excess = trim::log(log, self.limits);
        if excess.is_any() {
            self.exceeded(excess, at);
        }
        self.sink.log(log, resource);
    }

    /// Hands over a cluster event.
    pub(crate) fn cluster_event(&mut self, event: &RawClusterEvent<'_>) {
        self.counts.events += 1;
        self.sink.cluster_event(event);
    }
}
