//! Streams of lines with common labels, as Loki keeps logs. A line may itself be JSON.
//!
//! Source: grafana/loki, docs/sources/reference/loki-http-api.md.

use std::borrow::Cow;

use super::line::Line;
use crate::ingest::fields::Fields;
use crate::ingest::formats::plain::key_text;
use crate::ingest::formats::record::Reader;
use crate::ingest::json::Step;
use crate::ingest::raw::{RawValue, Text};
use crate::units::Nanos;

/// Lines in an answer unless the query asks for more.
pub(super) const LIMIT: u64 = 100;

/// A label and its value.
type Label<'a> = (Cow<'a, str>, Text<'a>);

impl<'a> Reader<'a, '_, '_> {
    /// A stream with its lines, or one line as `logcli` prints it.
    pub(super) fn loki_stream(&mut self, count: &mut u64) -> Step<()> {
        let at = self.here();
        let (mut labels, mut values) = (Vec::new(), None);
        let (mut time, mut text) = (None, None);
        let outcome = self.object("a stream", |r, key| {
            match key {
                b"stream" | b"labels" => r.labels(&mut labels)?,
                b"values" => {
                    values = Some(r.json.at());
                    r.json.skip()?;
                }
                b"timestamp" => time = r.moment("a time")?,
                b"line" => text = r.text("a line")?,
                _ => r.json.skip()?,
            }
            Ok(())
        });
        let Some(values) = values else {
            if let Some(text) = text {
                self.loki_line(time, text, &labels, at);
            }
            return outcome.map(drop);
        };
        let read = self.back(values, |r| {
            r.list("a list of lines", |r| {
                *count += 1;
                r.loki_value(&labels)
            })
        });
        outcome.and(read)
    }

    fn labels(&mut self, into: &mut Vec<Label<'a>>) -> Step<()> {
        self.object("labels", |r, key| {
            if let Some(text) = r.text("a label")? {
                into.push((key_text(key), text));
            }
            Ok(())
        })
        .map(drop)
    }

    /// `["<nanoseconds>", "line"]`, with structured metadata behind it in newer answers.
    fn loki_value(&mut self, labels: &[Label<'a>]) -> Step<()> {
        let at = self.here();
        let (mut time, mut text, mut index) = (None, None, 0);
        let mut labels = Cow::Borrowed(labels);
        self.list("a line", |r| {
            match index {
                0 => time = r.moment("a time")?,
                1 => text = r.text("a line")?,
                2 if r.json.peek() == b'{' => {
                    let place = r.json.at();
                    let mut own = Vec::new();
                    r.object("metadata", |r, key| match (key, r.json.peek()) {
                        (b"structuredMetadata" | b"parsed", b'{') => r.labels(&mut own),
                        _ => r.json.skip(),
                    })?;
                    if own.is_empty() {
                        r.back(place, |r| r.labels(&mut own))?;
                    }
                    labels.to_mut().extend(own);
                }
                _ => r.json.skip()?,
            }
            index += 1;
            Ok(())
        })?;
        if let Some(text) = text {
            self.loki_line(time, text, &labels, at);
        }
        Ok(())
    }

    /// One line: what it says as JSON or `key=value`, then what its labels say.
    fn loki_line(&mut self, time: Option<Nanos>, text: Text<'a>, labels: &[Label<'a>], at: usize) {
        let whole = text.get();
        let mut line = Line::default();
        let packed = match whole.trim_start().starts_with('{') {
            true => self.packed(whole.as_bytes(), |r| {
                let mut line = Line::default();
                r.object("a line", |r, key| {
                    let name = key_text(key);
                    r.log_field(&mut line, &name)
                })?;
                Ok(line)
            }),
            false => None,
        };
        let quoted = packed.is_none().then(|| pairs(&whole));
        if let Some(packed) = packed {
            line = packed;
        }
        let fields = labels.iter().map(|(name, value)| (name.as_ref(), *value));
        for (name, value) in quoted.into_iter().flatten().chain(fields) {
            self.label_field(&mut line, name, value);
        }
        line.log.time = time.or(line.log.time);
        line.log.body = RawValue::Str(text);
        self.deliver_log(line, at);
    }

    /// A field that is known to be a text.
    fn label_field<'t>(&mut self, line: &mut Line<'t>, name: &str, value: Text<'t>) {
        let quoted = [b"\"", value.raw(), b"\""].concat();
        let mut found = Line::default();
        self.packed(&quoted, |r| {
            let mut inner = Line::default();
            r.log_field(&mut inner, name)?;
            found.log.trace = inner.log.trace;
            found.log.span = inner.log.span;
            found.log.severity = inner.log.severity;
            Ok(())
        });
        if line.log.trace.0 == 0 {
            line.log.trace = found.log.trace;
        }
        if line.log.span.is_none() {
            line.log.span = found.log.span;
        }
        line.log.severity = line.log.severity.max(found.log.severity);
        if matches!(name, "service" | "service_name" | "app") && line.service.is_empty() {
            line.service = value;
        }
    }
}

/// The `key=value` pairs of a line in logfmt.
fn pairs(line: &str) -> Vec<(&str, Text<'_>)> {
    line.split_ascii_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(key, value)| (key, Text::plain(value.trim_matches('"').as_bytes())))
        .collect()
}
