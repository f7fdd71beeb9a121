//! Attributes, resources, scopes.

use super::reader::Reader;
use crate::ingest::course::Key;
use crate::ingest::fields::Fields;
use crate::ingest::json::{Json, Step, Token};
use crate::ingest::lenient;
use crate::ingest::raw::{RawAttr, RawSpan, RawValue};
use crate::model::IssueKind;

impl<'a> Reader<'a, '_, '_> {
    /// A resource; one that repeats the last is not read again.
    pub(super) fn resource(&mut self) -> Step<u32> {
        let start = self.start();
        self.json.skip()?;
        let bytes = self.json.since(start);
        if bytes != self.resource.0 {
            let end = self.json.at();
            self.json.seek(start);
            let mut attributes = Vec::new();
            self.object("a resource", |r, key| match key {
                b"attributes" => r.attributes(&mut attributes, true),
                _ => r.json.skip(),
            })?;
            self.json.seek(end);
            self.resource = (bytes, self.out.resource(&attributes));
        }
        Ok(self.resource.1)
    }

    /// A scope; one that repeats the last is not read again.
    pub(super) fn scope(&mut self) -> Step<u32> {
        let start = self.start();
        self.json.skip()?;
        let bytes = self.json.since(start);
        if bytes != self.scope.0 {
            let end = self.json.at();
            self.json.seek(start);
            let (mut name, mut version) = Default::default();
            self.object("a scope", |r, key| {
                match key {
                    b"name" => name = r.name("a scope name")?,
                    b"version" => version = r.name("a scope version")?,
                    _ => r.json.skip()?,
                }
                Ok(())
            })?;
            self.json.seek(end);
            self.scope = (bytes, self.out.scope(&name, &version));
        }
        Ok(self.scope.1)
    }

    fn start(&mut self) -> usize {
        self.json.peek();
        self.json.at()
    }

    /// A list of attributes, appended to `into`: all of them, or those the sink wants.
    pub(super) fn attributes(&mut self, into: &mut Vec<RawAttr<'a>>, all: bool) -> Step<()> {
        self.keys.begin();
        let depth = usize::from(self.out.limits().nesting);
        self.list("a list of attributes", |r| {
            r.attribute(into, all, depth).map(drop)
        })
    }

    /// The attributes of a span, with what the sink says of their keys.
    #[inline]
    pub(super) fn span_attributes(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        self.keys.begin();
        let depth = usize::from(self.out.limits().nesting);
        self.list("a list of attributes", |r| {
            let hint = r.attribute(&mut span.attributes, false, depth)?;
            span.hints.resize(span.attributes.len(), hint);
            Ok(())
        })
    }

    /// The answer is the sink's number for the key, where it was asked for it.
    #[inline]
    fn attribute(&mut self, into: &mut Vec<RawAttr<'a>>, all: bool, depth: usize) -> Step<u16> {
        let (start, before) = (self.start(), into.len());
        if let Some(hint) = self.usual_attribute(into, all) {
            return Ok(hint);
        }
        into.truncate(before);
        self.json.seek(start);
        self.any_attribute(into, all, depth).map(|()| 0)
    }

    /// An attribute written without white space, key first, as nearly all exporters do; it is appended to
    /// `into` when the sink wants it. `None` when it is anything else, whatever that is.
    #[inline]
    fn usual_attribute(&mut self, into: &mut Vec<RawAttr<'a>>, all: bool) -> Option<u16> {
        if !self.json.eat_exactly(b"{\"key\":\"") {
            return None;
        }
        let Key { text, hint } = self.usual_key()?;
        let json = &mut self.json;
        if !all && hint.is_none() {
            json.skip().ok()?;
            return json.eat_exactly(b"}").then_some(0);
        }
        // Each kind is written to its place at once: moving it there cost more than reading it.
        let mut push = |value| {
            let key = text.into();
            into.push(RawAttr { key, value });
        };
        if json.eat_exactly(b"{\"stringValue\":\"") {
            push(RawValue::Str(json.rest_of_string().ok()?));
        } else if json.eat_exactly(b"{\"intValue\":\"") {
            let digits = json.rest_of_string().ok()?.raw();
            push(RawValue::Int(lenient::integer(digits).ok()??));
        } else if json.eat_exactly(b"{\"intValue\":") {
            push(RawValue::Int(lenient::integer(json.bare_number()).ok()??));
        } else if json.eat_exactly(b"{\"doubleValue\":") {
            push(RawValue::Double(lenient::double(json.bare_number()).ok()??));
        } else if json.eat_exactly(b"{\"boolValue\":true") {
            push(RawValue::Bool(true));
        } else if json.eat_exactly(b"{\"boolValue\":false") {
            push(RawValue::Bool(false));
        } else if json.eat_exactly(b"{\"arrayValue\":{\"values\":[{\"stringValue\":\"") {
            push(RawValue::List(usual_texts(json)?));
        } else {
            return None;
        }
        json.eat_exactly(b"}}").then_some(hint.unwrap_or(0))
    }

    /// The key whose opening quote was just consumed, and the name of what comes after it.
    #[inline]
    fn usual_key(&mut self) -> Option<Key<'a>> {
        let rest = self.json.rest();
        if let Some((text, key)) = self.keys.expected(rest) {
            self.json.pass(text.len());
            return key;
        }
        let start = self.json.at();
        let text = str::from_utf8(self.json.rest_of_string().ok()?.plain_bytes()?).ok()?;
        if !self.json.eat_exactly(b",\"value\":") {
            return None;
        }
        let hint = self.out.recognise(text.as_bytes());
        let key = Key { text, hint };
        self.keys.learn(self.json.since(start), Some(key));
        Some(key)
    }

    /// An attribute in any form.
    fn any_attribute(&mut self, into: &mut Vec<RawAttr<'a>>, all: bool, depth: usize) -> Step<()> {
        let (mut name, mut value, mut early) = (None, None, None);
        self.object("an attribute", |r, key| {
            match (key, &name) {
                (b"key", _) => name = r.text("an attribute key")?.map(|text| text.get()),
                (b"value", None) => {
                    early = Some(r.json.at());
                    r.json.skip()?;
                }
                (b"value", Some(name)) if all || r.out.wants(name.as_bytes()) => {
                    value = Some(r.any_value(depth)?);
                }
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        let Some(key) = name else {
            return Ok(());
        };
        if let (Some(at), None, true) = (early, &value, all || self.out.wants(key.as_bytes())) {
            let end = self.json.at();
            self.json.seek(at);
            value = Some(self.any_value(depth)?);
            self.json.seek(end);
        }
        if let Some(value) = value {
            into.push(RawAttr { key, value });
        }
        Ok(())
    }

    /// An `AnyValue`; plain JSON in its place is taken for what it is.
    #[inline]
    pub(super) fn any_value(&mut self, depth: usize) -> Step<RawValue<'a>> {
        let at = self.here();
        Ok(match self.json.token()? {
            Token::Object => {
                let mut value = RawValue::Null;
                self.object("a value", |r, key| r.alternative(key, &mut value, depth))?;
                value
            }
            Token::Array => RawValue::List(self.values(depth)?),
            Token::Str(text) => RawValue::Str(text),
            Token::Bool(truth) => RawValue::Bool(truth),
            Token::Null => RawValue::Null,
            Token::Number(digits) => self.plain_number(digits, at),
        })
    }

    fn alternative(&mut self, key: &[u8], value: &mut RawValue<'a>, depth: usize) -> Step<()> {
        match key {
            b"stringValue" | b"string_value" => {
                if let Some(text) = self.text("a text value")? {
                    *value = RawValue::Str(text);
                }
            }
            b"intValue" | b"int_value" => {
                if let Some(number) = self.number("a whole-number value", lenient::integer)? {
                    *value = RawValue::Int(number);
                }
            }
            b"boolValue" | b"bool_value" => {
                if let Some(truth) = self.truth("a truth value")? {
                    *value = RawValue::Bool(truth);
                }
            }
            b"doubleValue" | b"double_value" => {
                if let Some(number) = self.number("a number value", lenient::double)? {
                    *value = RawValue::Double(number);
                }
            }
            b"bytesValue" | b"bytes_value" => {
                if let Some(text) = self.text("a bytes value")? {
                    *value = RawValue::Bytes(text.raw());
                }
            }
            b"arrayValue" | b"array_value" => {
                *value = RawValue::List(Vec::new());
                self.object("an array value", |r, key| {
                    match key {
                        b"values" => *value = RawValue::List(r.values(depth)?),
                        _ => r.json.skip()?,
                    }
                    Ok(())
                })?;
            }
            b"kvlistValue" | b"kvlist_value" => {
                let mut map = Vec::new();
                self.object("a map value", |r, key| match key {
                    b"values" => r.entries(&mut map, depth),
                    _ => r.json.skip(),
                })?;
                *value = RawValue::Map(map);
            }
            _ => self.json.skip()?,
        }
        Ok(())
    }

    fn values(&mut self, depth: usize) -> Step<Vec<RawValue<'a>>> {
        let mut values = Vec::new();
        match depth.checked_sub(1) {
            None => self.too_deep()?,
            Some(depth) => self.list("a list of values", |r| {
                values.push(r.any_value(depth)?);
                Ok(())
            })?,
        }
        Ok(values)
    }

    fn entries(&mut self, map: &mut Vec<RawAttr<'a>>, depth: usize) -> Step<()> {
        match depth.checked_sub(1) {
            None => self.too_deep(),
            Some(depth) => self.list("a list of entries", |r| {
                r.attribute(map, true, depth).map(drop)
            }),
        }
    }

    fn too_deep(&mut self) -> Step<()> {
        let at = self.here();
        self.out.too_deep("a value", at);
        self.json.skip()
    }

    fn plain_number(&mut self, digits: &[u8], at: usize) -> RawValue<'a> {
        let fraction = digits.iter().any(|b| matches!(b, b'.' | b'e' | b'E'));
        let whole = lenient::integer(digits)
            .ok()
            .flatten()
            .filter(|_| !fraction);
        let number = || lenient::double(digits).ok().flatten();
        match whole
            .map(RawValue::Int)
            .or_else(|| number().map(RawValue::Double))
        {
            Some(value) => value,
            None => {
                let detail = || "a value is not a usable number".into();
                self.out.count(IssueKind::BadNumber, at, detail);
                RawValue::Null
            }
        }
    }
}

/// The rest of a list of texts, the opening quote of the first consumed.
fn usual_texts<'a>(json: &mut Json<'a>) -> Option<Vec<RawValue<'a>>> {
    let mut texts = Vec::new();
    loop {
        texts.push(RawValue::Str(json.rest_of_string().ok()?));
        if json.eat_exactly(b"}]}") {
            return Some(texts);
        }
        if !json.eat_exactly(b"},{\"stringValue\":\"") {
            return None;
        }
    }
}
