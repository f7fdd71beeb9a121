//! Attributes, values, and what else fields hold.

use super::reader::Reader;
use super::wire::{Value, fields, varint};
use crate::ingest::course::Key;
use crate::ingest::fields::check_text;
use crate::ingest::lenient::{Id, id_from_bytes};
use crate::ingest::raw::{RawAttr, RawValue, Text};
use crate::model::{IssueKind, SpanId, TraceId};
use crate::units::Nanos;

/// How the key and the value of a `KeyValue` begin: fields 1 and 2, length-delimited.
const KEY: u8 = 0x0a;
const VALUE: u8 = 0x12;
/// How an `AnyValue` begins that is a text: field 1, length-delimited.
const TEXT: u8 = 0x0a;

impl<'a> Reader<'a, '_, '_> {
    /// A `KeyValue`, appended to `into` when the sink wants it, or in any case for `all`. The answer is
    /// the sink's number for the key, where it was asked for it.
    #[inline]
    pub(super) fn attribute(
        &mut self,
        into: &mut Vec<RawAttr<'a>>,
        pair: &'a [u8],
        at: usize,
        all: bool,
    ) -> u16 {
        let depth = usize::from(self.out.limits().nesting);
        self.pair(into, pair, at, all, depth)
    }

    #[inline]
    fn pair(
        &mut self,
        into: &mut Vec<RawAttr<'a>>,
        pair: &'a [u8],
        at: usize,
        all: bool,
        depth: usize,
    ) -> u16 {
        let Some((Key { text, hint }, value)) = self.usual_pair(pair) else {
            self.any_pair(into, pair, at, all, depth);
            return 0;
        };
        if all || hint.is_some() {
            let key = text.into();
            let value = self.value(value, at, depth);
            into.push(RawAttr { key, value });
        }
        hint.unwrap_or(0)
    }

    /// Key and value, in this order and nothing else, as all encoders write them.
    #[inline]
    fn usual_pair(&mut self, pair: &'a [u8]) -> Option<(Key<'a>, &'a [u8])> {
        let rest = pair.strip_prefix(&[KEY])?;
        let (key, after) = match self.keys.expected(rest) {
            Some((text, key)) => (key?, rest.get(text.len()..)?),
            None => self.unusual_key(rest)?,
        };
        let (length, used) = varint(after)?;
        let value = after.get(used..)?;
        (value.len() as u64 == length).then_some((key, value))
    }

    /// A key that was not expected, from its length to the tag of the value; and the rest.
    fn unusual_key(&mut self, rest: &'a [u8]) -> Option<(Key<'a>, &'a [u8])> {
        let (length, used) = varint(rest)?;
        let end = used.checked_add(usize::try_from(length).ok()?)?;
        let text = str::from_utf8(rest.get(used..end)?).ok()?;
        let (begin, after) = rest.split_at_checked(end + 1)?;
        if begin.last() != Some(&VALUE) {
            return None;
        }
        let hint = self.out.recognise(text.as_bytes());
        let key = Key { text, hint };
        self.keys.learn(begin, Some(key));
        Some((key, after))
    }

    /// A `KeyValue` in any form.
    fn any_pair(
        &mut self,
        into: &mut Vec<RawAttr<'a>>,
        pair: &'a [u8],
        at: usize,
        all: bool,
        depth: usize,
    ) {
        // An encoder leaves out a key that is empty.
        let (mut key, mut value) = (&[][..], None);
        for field in fields(pair) {
            match (field.number, field.value) {
                (1, Value::Bytes(text)) => key = text,
                (2, Value::Bytes(bytes)) => value = Some((bytes, at + field.at)),
                _ if field.is_damage() => return self.damaged(at + field.at),
                (1 | 2, _) => self.mistyped("an attribute", at + field.at),
                _ => {}
            }
        }
        if !all && !self.out.wants(key) {
            return;
        }
        let key = self.text(key, at).get();
        let value = match value {
            Some((bytes, at)) => self.value(bytes, at, depth),
            None => RawValue::Null,
        };
        into.push(RawAttr { key, value });
    }

    /// An `AnyValue`: mostly one text and nothing else.
    #[inline]
    pub(super) fn value(&mut self, bytes: &'a [u8], at: usize, depth: usize) -> RawValue<'a> {
        match only_text(bytes) {
            Some(text) => RawValue::Str(self.text(text, at)),
            None => self.any_value(bytes, at, depth),
        }
    }

    fn any_value(&mut self, bytes: &'a [u8], at: usize, depth: usize) -> RawValue<'a> {
        let mut value = RawValue::Null;
        for field in fields(bytes) {
            let at = at + field.at;
            value = match (field.number, field.value) {
                (1, Value::Bytes(text)) => RawValue::Str(self.text(text, at)),
                (2, Value::Varint(number)) => RawValue::Bool(number != 0),
                (3, Value::Varint(number)) => RawValue::Int(number.cast_signed()),
                (4, Value::Fixed64(bits)) => RawValue::Double(f64::from_bits(bits)),
                (5, Value::Bytes(list)) => RawValue::List(self.values(list, at, depth)),
                (6, Value::Bytes(map)) => RawValue::Map(self.entries(map, at, depth)),
                (7, Value::Bytes(bytes)) => RawValue::Bytes(bytes),
                (1..=7, _) if !field.is_damage() => {
                    self.mistyped("a value", at);
                    continue;
                }
                _ if field.is_damage() => {
                    self.damaged(at);
                    break;
                }
                // Field 8 is an index into a table that only profiles have.
                _ => continue,
            };
        }
        value
    }

    fn values(&mut self, list: &'a [u8], at: usize, depth: usize) -> Vec<RawValue<'a>> {
        let mut values = Vec::new();
        self.elements(list, at, depth, |r, value, at, depth| {
            values.push(r.value(value, at, depth));
        });
        values
    }

    fn entries(&mut self, map: &'a [u8], at: usize, depth: usize) -> Vec<RawAttr<'a>> {
        let mut entries = Vec::new();
        self.elements(map, at, depth, |r, pair, at, depth| {
            r.pair(&mut entries, pair, at, true, depth);
        });
        entries
    }

    /// The elements of an `ArrayValue` or a `KeyValueList`.
    fn elements(
        &mut self,
        list: &'a [u8],
        at: usize,
        depth: usize,
        mut each: impl FnMut(&mut Self, &'a [u8], usize, usize),
    ) {
        let Some(depth) = depth.checked_sub(1) else {
            return self.out.too_deep("a value", at);
        };
        for field in fields(list) {
            match (field.number, field.value) {
                (1, Value::Bytes(element)) => each(self, element, at + field.at, depth),
                _ if field.is_damage() => return self.damaged(at + field.at),
                _ => {}
            }
        }
    }

    /// A text. Bytes that are not UTF-8 are replaced wherever they are shown; here they are counted.
    #[inline]
    pub(super) fn text(&mut self, bytes: &'a [u8], at: usize) -> Text<'a> {
        if !bytes.is_ascii() && str::from_utf8(bytes).is_err() {
            check_text(bytes, &mut self.out.shifted(at));
        }
        Text::plain(bytes)
    }

    #[inline]
    pub(super) fn trace_id(&mut self, bytes: &[u8], at: usize) -> TraceId {
        TraceId(self.id(id_from_bytes::<16>(bytes), "a trace id", at))
    }

    #[inline]
    pub(super) fn span_id(&mut self, bytes: &[u8], at: usize) -> SpanId {
        let id = self.id(id_from_bytes::<8>(bytes), "a span id", at);
        SpanId((id ^ (id >> 64)) as u64)
    }

    #[inline]
    fn id(&mut self, id: Id<u128>, what: &str, at: usize) -> u128 {
        if let Id::Odd(_, how) = id {
            let detail = || format!("{what}: {how}");
            self.out.count(IssueKind::OddId, at, detail);
        }
        id.get()
    }

    /// An enumeration by its number, read as in JSON.
    #[inline]
    pub(super) fn choice<T: Default>(
        &mut self,
        number: u64,
        read: impl FnOnce(&[u8]) -> Option<T>,
        at: usize,
    ) -> T {
        let digit = u8::try_from(number).ok().filter(|n| *n < 10);
        let known = digit.and_then(|n| read(&[b'0' + n]));
        known.unwrap_or_else(|| {
            let detail = || "an enumeration has a value that is not known".into();
            self.out.count(IssueKind::WrongType, at, detail);
            T::default()
        })
    }
}

/// The text of an `AnyValue` that is one.
#[inline]
fn only_text(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(&[TEXT])?;
    let (length, used) = varint(rest)?;
    let text = rest.get(used..)?;
    (text.len() as u64 == length).then_some(text)
}

/// An instant; zero means not set.
pub(super) fn time(nanos: u64) -> Option<Nanos> {
    (nanos > 0).then_some(Nanos(nanos))
}

/// A count, at most `u32::MAX`.
pub(super) fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
