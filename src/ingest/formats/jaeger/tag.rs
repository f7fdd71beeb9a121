//! Tags: typed keys and values, some of which are fields of a span.

use std::borrow::Cow;

use crate::ingest::fields::Fields;
use crate::ingest::formats::plain::key_text;
use crate::ingest::formats::record::Reader;
use crate::ingest::json::Step;
use crate::ingest::lenient;
use crate::ingest::raw::{RawAttr, RawValue, Text};
use crate::model::{SpanKind, Status};

/// Tags that stand for fields of OTLP.
#[derive(Default)]
pub(super) struct Special<'a> {
    /// `span.kind`
    pub(super) kind: SpanKind,
    /// `otel.status_code`
    pub(super) status: Status,
    /// `otel.status_description`
    pub(super) message: Text<'a>,
    /// `error` is true.
    pub(super) error: bool,
    /// `otel.scope.name`
    pub(super) scope: Cow<'a, str>,
    /// `otel.scope.version`
    pub(super) version: Cow<'a, str>,
}

/// Tags read so far.
#[derive(Default)]
pub(super) struct Tags<'a> {
    /// Those that are attributes.
    pub(super) attributes: Vec<RawAttr<'a>>,
    /// Those that are fields; empty with `all`.
    pub(super) special: Special<'a>,
    all: bool,
}

impl<'a> Tags<'a> {
    /// Of a process or a log: every tag is an attribute, and none is left out.
    pub(super) fn all() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    fn add(&mut self, key: Cow<'a, str>, value: RawValue<'a>, wanted: bool) {
        if !self.all && self.special.take(&key, &value) {
            return;
        }
        if (self.all || wanted) && !matches!(value, RawValue::Null) {
            self.attributes.push(RawAttr { key, value });
        }
    }
}

impl<'a> Special<'a> {
    /// True when the tag is a field of the span.
    fn take(&mut self, key: &str, value: &RawValue<'a>) -> bool {
        if key == "error" {
            // Some write the message of the error here: that it is there says enough.
            self.error |= match value {
                RawValue::Bool(truth) => *truth,
                RawValue::Str(text) => !matches!(text.raw(), b"false" | b"0" | b""),
                _ => false,
            };
            return matches!(value, RawValue::Bool(_));
        }
        let RawValue::Str(text) = value else {
            return false;
        };
        match key {
            "span.kind" => self.kind = lenient::span_kind(text.raw()).unwrap_or_default(),
            "otel.status_code" => {
                self.status = lenient::status_code(text.raw()).unwrap_or_default();
            }
            "otel.status_description" => self.message = *text,
            "otel.scope.name" => self.scope = text.get(),
            "otel.scope.version" => self.version = text.get(),
            "otel.library.name" if self.scope.is_empty() => self.scope = text.get(),
            "otel.library.version" if self.version.is_empty() => self.version = text.get(),
            _ => return false,
        }
        true
    }
}

const FIELDS: &[&str] = &["error", "span.kind"];

impl<'a> Reader<'a, '_, '_> {
    /// A list of `{key, type, value}`.
    pub(super) fn jaeger_tags(&mut self, into: &mut Tags<'a>) -> Step<()> {
        self.list("a list of tags", |r| {
            let (mut name, mut sort, mut place) = (None, Text::default(), None);
            r.object("a tag", |r, key| {
                match key {
                    b"key" => name = r.text("a tag key")?,
                    b"type" => sort = r.text("a tag type")?.unwrap_or_default(),
                    b"value" => place = Some(r.later()?),
                    _ => r.json.skip()?,
                }
                Ok(())
            })?;
            let (Some(name), Some(place)) = (name, place) else {
                return Ok(());
            };
            let name = name.get();
            let wanted = r.out.wants(name.as_bytes());
            if wanted || into.all || is_field(&name) {
                let value = r.back(place, |r| r.plain_value(r.levels()))?;
                into.add(name, typed(value, sort.raw()), wanted);
            }
            Ok(())
        })
    }

    /// Tags as the keys of one object, dots written `@`: how Elasticsearch is told to index them.
    pub(super) fn jaeger_tag_fields(&mut self, into: &mut Tags<'a>) -> Step<()> {
        self.object("tags", |r, key| {
            let name = match key.contains(&b'@') {
                true => Cow::Owned(key_text(key).replace('@', ".")),
                false => key_text(key),
            };
            let wanted = r.out.wants(name.as_bytes());
            let value = r.plain_value(r.levels())?;
            into.add(name, value, wanted);
            Ok(())
        })
        .map(drop)
    }
}

fn is_field(name: &str) -> bool {
    FIELDS.contains(&name) || name.starts_with("otel.")
}

/// Elasticsearch keeps every value as a text, with its type beside it.
fn typed<'a>(value: RawValue<'a>, sort: &[u8]) -> RawValue<'a> {
    let RawValue::Str(text) = value else {
        return value;
    };
    let read = match sort {
        b"int64" => lenient::integer(text.raw())
            .ok()
            .flatten()
            .map(RawValue::Int),
        b"float64" => lenient::double(text.raw())
            .ok()
            .flatten()
            .map(RawValue::Double),
        b"bool" => match text.raw() {
            b"true" => Some(RawValue::Bool(true)),
            b"false" => Some(RawValue::Bool(false)),
            _ => None,
        },
        b"binary" => Some(RawValue::Bytes(text.raw())),
        _ => None,
    };
    read.unwrap_or(RawValue::Str(text))
}
