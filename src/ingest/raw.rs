//! What a reader hands over: records that borrow from the input buffer and are never kept.

use std::borrow::Cow;

use crate::model::{Place, SpanId, SpanKind, Status, TraceId};
use crate::units::Nanos;

/// A text as it lies in the buffer: JSON escapes are resolved only when somebody asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text<'a> {
    bytes: &'a [u8],
    escaped: bool,
}

impl<'a> Text<'a> {
    /// Bytes that mean themselves.
    #[must_use]
    pub fn plain(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            escaped: false,
        }
    }

    /// The inside of a JSON string that holds backslash escapes.
    #[must_use]
    pub fn escaped(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            escaped: true,
        }
    }

    /// The text; invalid UTF-8 and broken escapes become U+FFFD.
    #[must_use]
    pub fn get(&self) -> Cow<'a, str> {
        if self.escaped {
            return Cow::Owned(super::lenient::unescape(self.bytes));
        }
        // Checking first is several times faster than the lossy conversion, which looks for
        // something to replace.
        match std::str::from_utf8(self.bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(self.bytes),
        }
    }

    /// The bytes as they stand in the input, escapes unresolved: for lengths and digests.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes, where they hold no escapes.
    #[must_use]
    pub(crate) fn plain_bytes(&self) -> Option<&'a [u8]> {
        (!self.escaped).then_some(self.bytes)
    }

    /// True when nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// An attribute value (OTLP `AnyValue`).
#[derive(Clone, Debug, Default)]
pub enum RawValue<'a> {
    /// No value.
    #[default]
    Null,
    /// A text.
    Str(Text<'a>),
    /// An integer.
    Int(i64),
    /// A number with a fraction; may be NaN or infinite.
    Double(f64),
    /// A truth value.
    Bool(bool),
    /// Bytes (base64 in JSON), as they stand.
    Bytes(&'a [u8]),
    /// A list.
    List(Vec<RawValue<'a>>),
    /// Keys and values.
    Map(Vec<RawAttr<'a>>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct RawAttr<'a> {
    /// Attribute name.
    pub key: Cow<'a, str>,
    /// Its value.
    pub value: RawValue<'a>,
}

/// A timed event on a span.
#[derive(Clone, Debug, Default)]
pub struct RawEvent<'a> {
    /// Event name; empty where the exporter lost it.
    pub name: Cow<'a, str>,
    /// When, if said.
    pub time: Option<Nanos>,
    /// What is said about it.
    pub attributes: Vec<RawAttr<'a>>,
}

impl RawEvent<'_> {
    /// Gives an event its name back where the exporter lost it and its attributes tell.
    pub(crate) fn restore_name(&mut self) {
        if self.name.is_empty() && self.attributes.iter().any(|a| a.key == "exception.type") {
            self.name = "exception".into();
        }
    }
}

/// A span link.
#[derive(Clone, Copy, Debug)]
pub struct RawLink {
    /// Trace it points to.
    pub trace: TraceId,
    /// Span it points to.
    pub span: SpanId,
}

/// A span as exported, ids and numbers already converted.
#[derive(Clone, Debug, Default)]
pub struct RawSpan<'a> {
    /// Trace id.
    pub trace: TraceId,
    /// Span id.
    pub id: SpanId,
    /// Parent; none for a root.
    pub parent: SpanId,
    /// Span name.
    pub name: Cow<'a, str>,
    /// OTLP kind.
    pub kind: SpanKind,
    /// Start, if said.
    pub start: Option<Nanos>,
    /// End, if said and not zero.
    pub end: Option<Nanos>,
    /// OTLP status code.
    pub status: Status,
    /// Status message: content, for classification only.
    pub status_message: Text<'a>,
    /// OTLP flags (0x100: remote bit known, 0x200: parent is remote).
    pub flags: u32,
    /// Attributes in input order; keys may repeat.
    pub attributes: Vec<RawAttr<'a>>,
    /// What [`Sink::recognise`](super::Sink::recognise) said of the key of each attribute; zero, or
    /// missing, where it was not asked.
    pub hints: Vec<u16>,
    /// Events.
    pub events: Vec<RawEvent<'a>>,
    /// Links.
    pub links: Vec<RawLink>,
    /// Attributes, events and links the exporter says it dropped.
    pub dropped: u32,
    /// True for a half of a remote call that shares the id of the other half.
    pub shares_id: bool,
    /// True when another record of the same id may say what this one does not.
    pub partial: bool,
    /// Where it stands.
    pub place: Place,
}

impl RawSpan<'_> {
    /// Takes out all that is in it; the memory of its lists is kept for the next one.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.trace = TraceId::default();
        self.id = SpanId::NONE;
        self.parent = SpanId::NONE;
        self.name = Cow::Borrowed("");
        self.kind = SpanKind::default();
        self.start = None;
        self.end = None;
        self.status = Status::default();
        self.status_message = Text::default();
        self.flags = 0;
        self.attributes.clear();
        self.hints.clear();
        self.events.clear();
        self.links.clear();
        self.dropped = 0;
        self.shares_id = false;
        self.partial = false;
        self.place = Place::default();
    }
}

/// What a metric's points mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RawMetricKind {
    /// A value at an instant.
    Gauge,
    /// A running total.
    Cumulative,
    /// A total since the last point.
    Delta,
}

/// One metric point. A histogram point carries its sum and count.
#[derive(Clone, Debug)]
pub struct RawPoint<'a> {
    /// When it was taken, if said.
    pub time: Option<Nanos>,
    /// Labels.
    pub attributes: Vec<RawAttr<'a>>,
    /// What it says.
    pub value: RawPointValue,
}

/// The value of a metric point.
#[derive(Clone, Copy, Debug)]
pub enum RawPointValue {
    /// A number; may be NaN or infinite.
    Number(f64),
    /// Sum (if given) and count of a histogram or summary.
    Distribution {
        /// Sum of the observations.
        sum: Option<f64>,
        /// Number of observations.
        count: u64,
    },
    /// Sum of the observations, where the count stands apart: no point by itself.
    Sum(f64),
}

/// One observation of a metric that names its trace.
#[derive(Clone, Copy, Debug)]
pub struct RawExemplar {
    /// When, if said.
    pub time: Option<Nanos>,
    /// What was observed.
    pub value: f64,
    /// Its trace; zero where its labels name none.
    pub trace: TraceId,
    /// Its span, if named.
    pub span: SpanId,
}

impl RawExemplar {
    /// One without a value, of the trace that its labels name.
    pub(crate) fn of_labels(labels: &[RawAttr<'_>]) -> Self {
        let named = |names: [&str; 3]| {
            let label = labels.iter().find(|l| names.contains(&l.key.as_ref()))?;
            match &label.value {
                RawValue::Str(text) => Some(text.get()),
                _ => None,
            }
        };
        let trace = named(["trace_id", "traceID", "traceId"]);
        let span = named(["span_id", "spanID", "spanId"]);
        Self {
            time: None,
            value: 0.0,
            trace: trace.map_or(TraceId::default(), |id| {
                super::lenient::trace_id(id.as_bytes()).get()
            }),
            span: span.map_or(SpanId::NONE, |id| {
                super::lenient::span_id(id.as_bytes()).get()
            }),
        }
    }
}

/// One metric with its points.
#[derive(Clone, Debug)]
pub struct RawMetric<'a> {
    /// Metric name.
    pub name: Cow<'a, str>,
    /// What its points mean.
    pub kind: RawMetricKind,
    /// The points.
    pub points: Vec<RawPoint<'a>>,
    /// Where it stands.
    pub place: Place,
}

/// One log record.
#[derive(Clone, Debug, Default)]
pub struct RawLog<'a> {
    /// Time, else observed time.
    pub time: Option<Nanos>,
    /// Trace id, zero when absent.
    pub trace: TraceId,
    /// Span id, none when absent.
    pub span: SpanId,
    /// OTLP severity number, 0 when absent.
    pub severity: u8,
    /// `eventName`.
    pub event: Cow<'a, str>,
    /// The body: content, measured only.
    pub body: RawValue<'a>,
    /// Attributes.
    pub attributes: Vec<RawAttr<'a>>,
    /// Where it stands.
    pub place: Place,
}

/// One cluster event.
#[derive(Clone, Debug, Default)]
pub struct RawClusterEvent<'a> {
    /// When it last happened.
    pub time: Option<Nanos>,
    /// `reason`.
    pub reason: Cow<'a, str>,
    /// Kind of the object.
    pub object_kind: Cow<'a, str>,
    /// Name of the object.
    pub object: Cow<'a, str>,
    /// How often.
    pub count: u32,
    /// Where it stands.
    pub place: Place,
}
