//! One log record that is a JSON object.

use crate::ingest::fields::Fields;
use crate::ingest::formats::plain::{attr, key_text};
use crate::ingest::formats::record::Reader;
use crate::ingest::json::{Step, Token};
use crate::ingest::lenient::{self, Id};
use crate::ingest::raw::{RawAttr, RawLog, RawValue, Text};
use crate::model::{SpanId, TraceId};
use crate::units::Nanos;

/// Names of the time.
pub(super) const TIMES: &[&str] = &[
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "datetime",
    "asctime",
    "eventTime",
];

/// Names of the text.
pub(super) const BODIES: &[&str] = &["message", "msg", "event", "body", "log", "@message"];

const LEVELS: &[&str] = &[
    "level",
    "severity",
    "severity_text",
    "severityText",
    "levelname",
    "log.level",
    "loglevel",
    "lvl",
    "severity_number",
];

const TRACES: &[&str] = &[
    "trace_id",
    "traceId",
    "traceID",
    "traceid",
    "otelTraceID",
    "trace.id",
    "otel.trace_id",
    "logging.googleapis.com/trace",
];

const SPANS: &[&str] = &[
    "span_id",
    "spanId",
    "spanID",
    "spanid",
    "otelSpanID",
    "span.id",
    "otel.span_id",
    "logging.googleapis.com/spanId",
];

const SERVICES: &[&str] = &[
    "service",
    "service.name",
    "service_name",
    "serviceName",
    "dd.service",
    "otelServiceName",
    "app",
];

/// A record being read: its fields may stand in an object inside (`dd`, `trace`, `span`, `extra`).
#[derive(Default)]
pub(super) struct Line<'a> {
    pub(super) log: RawLog<'a>,
    pub(super) service: Text<'a>,
}

impl<'a> Reader<'a, '_, '_> {
    /// One record.
    pub(super) fn log_line(&mut self) -> Step<()> {
        let at = self.here();
        let mut line = Line::default();
        let found = self.object("a log record", |r, key| {
            let name = key_text(key);
            r.log_field(&mut line, &name)
        })?;
        if found {
            self.deliver_log(line, at);
        }
        Ok(())
    }

    /// Hands a record over.
    pub(super) fn deliver_log(&mut self, line: Line<'_>, at: usize) {
        let said = match line.service.is_empty() {
            true => vec![],
            false => vec![attr("service.name", RawValue::Str(line.service))],
        };
        let resource = self.out.resource(&said);
        let mut log = line.log;
        log.place = self.out.place(at);
        self.out.log(&mut log, resource, at);
    }

    /// One field, named with the objects around it.
    pub(super) fn log_field(&mut self, line: &mut Line<'a>, name: &str) -> Step<()> {
        let log = &mut line.log;
        if self.json.peek() == b'{' {
            // What is known by a plain name may stand one level down.
            return match name {
                "dd" | "trace" | "span" | "otel" | "service" | "log" | "extra" | "fields"
                | "context" | "attributes" => self
                    .object("an object", |r, key| {
                        let inner = key_text(key);
                        let name = match name {
                            "extra" | "fields" | "context" | "attributes" => inner.into_owned(),
                            _ => format!("{name}.{inner}"),
                        };
                        match r.json.peek() {
                            b'{' | b'[' => r.json.skip(),
                            _ => r.log_field(line, &name),
                        }
                    })
                    .map(drop),
                _ => self.json.skip(),
            };
        }
        match name {
            _ if TIMES.contains(&name) => {
                let time = self.log_time()?;
                log.time = log.time.or(time);
            }
            _ if BODIES.contains(&name) && matches!(log.body, RawValue::Null) => {
                log.body = self.plain_value(self.levels())?;
            }
            "event.name" | "event_name" => log.event = self.name("an event name")?,
            _ if LEVELS.contains(&name) => {
                let level = self.log_level()?;
                log.severity = log.severity.max(level);
            }
            _ if TRACES.contains(&name) => {
                let id = self.id("a trace id", |text| lenient::trace_id(last_part(text)))?;
                log.trace = or_else(log.trace, id);
            }
            "dd.trace_id" => {
                let id = self.id("a trace id", datadog_trace)?;
                log.trace = or_else(log.trace, id);
            }
            _ if SPANS.contains(&name) => log.span = self.span_id()?,
            "dd.span_id" => {
                let id = self.id("a span id", datadog_span)?;
                log.span = or_else(log.span, id);
            }
            _ if SERVICES.contains(&name) => {
                if let Some(text) = self.text("a service name")? {
                    line.service = text;
                }
            }
            _ if self.out.wants(name.as_bytes()) => {
                let value = self.plain_value(self.levels())?;
                if !matches!(value, RawValue::Null) {
                    log.attributes.push(RawAttr {
                        key: name.to_owned().into(),
                        value,
                    });
                }
            }
            _ => self.json.skip()?,
        }
        Ok(())
    }

    /// A time; Python's logging writes a comma before the milliseconds.
    fn log_time(&mut self) -> Step<Option<Nanos>> {
        let place = self.json.at();
        if self.json.peek() == b'"' {
            let text = self.json.string()?.get();
            if text.contains(',') {
                return Ok(lenient::date(&text.replacen(',', ".", 1)));
            }
            self.json.seek(place);
        }
        self.moment("a log time")
    }

    /// A level by name or number; those of Bunyan and Pino are ten times a step.
    fn log_level(&mut self) -> Step<u8> {
        let at = self.here();
        let word = match self.json.token()? {
            Token::Str(text) => text.raw(),
            Token::Number(digits) => digits,
            token => return self.wrong(token, "a level", at).map(|()| 0),
        };
        Ok(match word {
            b"10" => 1,
            b"20" => 5,
            b"30" => 9,
            b"40" => 13,
            b"50" => 17,
            b"60" => 21,
            _ => lenient::severity(word).unwrap_or(0),
        })
    }
}

fn or_else<T: Default + PartialEq>(known: T, new: T) -> T {
    match new == T::default() {
        true => known,
        false => new,
    }
}

/// `projects/p/traces/<id>`: Google's logging names the trace by its path.
fn last_part(text: &[u8]) -> &[u8] {
    text.rsplit(|&b| b == b'/').next().unwrap_or(text)
}

fn datadog_trace(text: &[u8]) -> Id<TraceId> {
    match decimal(text) {
        Some(0) => Id::Absent,
        Some(id) if text.len() < 32 => Id::Plain(TraceId(u128::from(id))),
        _ => lenient::trace_id(text),
    }
}

fn datadog_span(text: &[u8]) -> Id<SpanId> {
    match decimal(text) {
        Some(0) => Id::Absent,
        Some(id) => Id::Plain(SpanId(id)),
        None => lenient::span_id(text),
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
