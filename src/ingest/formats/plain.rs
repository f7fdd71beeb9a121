//! Attributes, events, links and statuses as plain JSON, the way exporters other than OTLP's write
//! them: nested or with dotted keys, a status in any of six places.

use std::borrow::Cow;

use super::record::Reader;
use crate::ingest::fields::Fields;
use crate::ingest::json::{Step, Token};
use crate::ingest::lenient;
use crate::ingest::raw::{RawAttr, RawEvent, RawLink, RawSpan, RawValue, Text};
use crate::model::{IssueKind, SpanId, Status, TraceId};

/// A key as text.
pub(super) fn key_text(key: &[u8]) -> Cow<'_, str> {
    match key.contains(&b'\\') {
        true => Text::escaped(key).get(),
        false => Text::plain(key).get(),
    }
}

/// An attribute made of a text.
pub(super) fn attr<'a>(key: &'static str, value: RawValue<'a>) -> RawAttr<'a> {
    RawAttr {
        key: Cow::Borrowed(key),
        value,
    }
}

impl<'a> Reader<'a, '_, '_> {
    /// The entries of the object that comes next, as attributes with `prefix` and a dot before
    /// their names. An object inside is delivered under the names of what is in it, and, where it
    /// stands at the top, also whole as JSON text: some vocabularies expect the one, some the other.
    pub(super) fn attributes(&mut self, into: &mut Vec<RawAttr<'a>>, prefix: &str) -> Step<()> {
        match self.json.peek() {
            b'[' => self.list("attributes", |r| r.pair_of_list(into)),
            _ => self.entries(into, prefix, self.levels()),
        }
    }

    /// `{"key": …, "value": {"stringValue": …}}`: an attribute as OTLP has it.
    fn pair_of_list(&mut self, into: &mut Vec<RawAttr<'a>>) -> Step<()> {
        let (mut name, mut value) = (None, None);
        self.object("an attribute", |r, key| {
            match key {
                b"key" => name = r.text("an attribute's name")?,
                b"value" => value = Some(r.later()?),
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        let (Some(name), Some(value)) = (name, value) else {
            return Ok(());
        };
        self.back(value, |r| match r.json.peek() {
            b'{' => r
                .object("a value", |r, _| r.entry(into, name.get(), r.levels()))
                .map(drop),
            _ => r.entry(into, name.get(), r.levels()),
        })
    }

    /// The entries of the object that comes next, all of them: those of a resource.
    pub(super) fn resource_attributes(&mut self, into: &mut Vec<RawAttr<'a>>) -> Step<()> {
        self.object("resource attributes", |r, key| {
            let value = r.plain_value(r.levels())?;
            if !matches!(value, RawValue::Null) {
                into.push(RawAttr {
                    key: key_text(key),
                    value,
                });
            }
            Ok(())
        })
        .map(drop)
    }

    /// One attribute that stands by itself, as a column of a data frame does.
    pub(super) fn attribute(&mut self, into: &mut Vec<RawAttr<'a>>, name: &'a [u8]) -> Step<()> {
        self.entry(into, key_text(name), self.levels())
    }

    fn entries(&mut self, into: &mut Vec<RawAttr<'a>>, prefix: &str, depth: usize) -> Step<()> {
        self.object("attributes", |r, key| {
            let name = match prefix {
                "" => key_text(key),
                _ => Cow::Owned(format!("{prefix}.{}", key_text(key))),
            };
            r.entry(into, name, depth)
        })
        .map(drop)
    }

    fn entry(&mut self, into: &mut Vec<RawAttr<'a>>, name: Cow<'a, str>, depth: usize) -> Step<()> {
        if depth == 0 {
            return self.too_deep();
        }
        let place = self.json.at();
        match self.json.peek() {
            b'{' => {
                if depth == self.levels() && self.out.wants(name.as_bytes()) {
                    let value = self.whole()?;
                    if value.raw() != b"{}" {
                        into.push(RawAttr {
                            key: name.clone(),
                            value: RawValue::Str(value),
                        });
                    }
                    self.json.seek(place);
                }
                self.entries(into, &name, depth - 1)
            }
            b'[' if self.holds_objects()? => {
                let mut index = 0usize;
                self.list("a list", |r| {
                    let name = format!("{name}.{index}");
                    index += 1;
                    r.entry(into, Cow::Owned(name), depth - 1)
                })
            }
            _ if !self.out.wants(name.as_bytes()) => self.json.skip(),
            _ => {
                let value = self.plain_value(depth)?;
                if !matches!(value, RawValue::Null) {
                    into.push(RawAttr { key: name, value });
                }
                Ok(())
            }
        }
    }

    /// True when the first element of the list that comes next is an object.
    fn holds_objects(&mut self) -> Step<bool> {
        let place = self.json.at();
        let found = self.json.enter_array()? && self.json.peek() == b'{';
        self.json.seek(place);
        Ok(found)
    }

    /// The next value as it stands, whatever it is.
    pub(super) fn whole(&mut self) -> Step<Text<'a>> {
        self.json.peek();
        let start = self.json.at();
        self.json.skip()?;
        Ok(Text::plain(self.json.since(start)))
    }

    /// How deep values may be nested.
    pub(super) fn levels(&self) -> usize {
        usize::from(self.out.limits().nesting)
    }

    /// The next value: texts, numbers, lists of them; objects become maps.
    pub(super) fn plain_value(&mut self, depth: usize) -> Step<RawValue<'a>> {
        let at = self.here();
        Ok(match self.json.token()? {
            Token::Str(text) => RawValue::Str(text),
            Token::Bool(truth) => RawValue::Bool(truth),
            Token::Null => RawValue::Null,
            Token::Number(digits) => self.plain_number(digits, at),
            Token::Object | Token::Array if depth == 0 => {
                self.too_deep()?;
                RawValue::Null
            }
            Token::Object => {
                let mut map = Vec::new();
                self.object("a map", |r, key| {
                    let value = r.plain_value(depth - 1)?;
                    map.push(RawAttr {
                        key: key_text(key),
                        value,
                    });
                    Ok(())
                })?;
                RawValue::Map(map)
            }
            Token::Array => {
                let mut list = Vec::new();
                self.list("a list", |r| {
                    list.push(r.plain_value(depth - 1)?);
                    Ok(())
                })?;
                RawValue::List(list)
            }
        })
    }

    fn plain_number(&mut self, digits: &[u8], at: usize) -> RawValue<'a> {
        let fraction = digits.iter().any(|b| matches!(b, b'.' | b'e' | b'E'));
        let whole = lenient::integer(digits).ok().flatten();
        match (whole, lenient::double(digits)) {
            (Some(whole), _) if !fraction => RawValue::Int(whole),
            (_, Ok(Some(number))) => RawValue::Double(number),
            _ => {
                let detail = || "a value is not a usable number".into();
                self.out.count(IssueKind::BadNumber, at, detail);
                RawValue::Null
            }
        }
    }

    fn too_deep(&mut self) -> Step<()> {
        let at = self.here();
        self.out.too_deep("a value", at);
        self.json.skip()
    }

    /// A status: a word, a number, or an object with either and a message.
    pub(super) fn status(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        if self.json.peek() != b'{' {
            return self.status_code(span);
        }
        self.object("a status", |r, key| {
            match key {
                b"code" | b"status_code" | b"statusCode" => r.status_code(span)?,
                b"message" | b"description" | b"status_message" => {
                    span.status_message = r.text("a status message")?.unwrap_or_default();
                }
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    /// A status code; a worse one that is already known stays.
    pub(super) fn status_code(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        let code = self.choice("a status code", lenient::status_code)?;
        if code != Status::Unset {
            span.status = code;
        }
        Ok(())
    }

    /// A list of events.
    pub(super) fn events(&mut self, into: &mut Vec<RawEvent<'a>>) -> Step<()> {
        self.list("a list of events", |r| {
            let mut event = RawEvent::default();
            let found = r.object("an event", |r, key| {
                match key {
                    b"name" | b"event_name" => event.name = r.name("an event name")?,
                    b"time" | b"timestamp" | b"timeUnixNano" | b"time_unix_nano" | b"timeUnix" => {
                        event.time = r.moment("an event time")?;
                    }
                    b"attributes" | b"event_attributes" => {
                        r.attributes(&mut event.attributes, "")?;
                    }
                    _ => r.json.skip()?,
                }
                Ok(())
            })?;
            if found {
                event.restore_name();
                into.push(event);
            }
            Ok(())
        })
    }

    /// A list of links, their ids flat or in a context.
    pub(super) fn links(&mut self, into: &mut Vec<RawLink>) -> Step<()> {
        self.list("a list of links", |r| {
            let mut ids = (TraceId::default(), SpanId::NONE);
            r.ids_of_link(&mut ids)?;
            if ids.0.0 != 0 {
                into.push(RawLink {
                    trace: ids.0,
                    span: ids.1,
                });
            }
            Ok(())
        })
    }

    fn ids_of_link(&mut self, ids: &mut (TraceId, SpanId)) -> Step<()> {
        self.object("a link", |r, key| {
            match key {
                b"context" | b"span_context" | b"spanContext" => r.context(ids)?,
                b"trace_id" | b"traceId" => ids.0 = r.trace_id()?,
                b"span_id" | b"spanId" => ids.1 = r.span_id()?,
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    /// A span context: the ids of a trace and of a span.
    pub(super) fn context(&mut self, ids: &mut (TraceId, SpanId)) -> Step<()> {
        self.object("a span context", |r, key| {
            match key {
                b"trace_id" | b"traceId" => ids.0 = r.trace_id()?,
                b"span_id" | b"spanId" => ids.1 = r.span_id()?,
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }
}
