//! One JSON record at a time, for the formats that are made of them: the walk over the pieces of a
//! chunk, and the fields that many formats share.

use super::{Chunk, Head, Layout, Parts, lines};
use crate::ingest::fields::{Fields, check_text};
use crate::ingest::json::{Json, Step, Token};
use crate::ingest::lenient::{self, Id};
use crate::ingest::outlet::Outlet;
use crate::model::{IssueKind, TraceId};
use crate::units::Nanos;

/// Arrays may hold arrays, but not for ever.
const ARRAYS: usize = 8;

/// A reader of one record.
pub(super) struct Reader<'a, 'o, 's> {
    pub(super) json: Json<'a>,
    origin: usize,
    pub(super) out: &'o mut Outlet<'s>,
}

impl<'a> Fields<'a> for Reader<'a, '_, '_> {
    #[inline]
    fn json(&mut self) -> &mut Json<'a> {
        &mut self.json
    }

    fn out(&mut self) -> Outlet<'_> {
        self.out.shifted(0)
    }

    #[inline]
    fn origin(&self) -> usize {
        self.origin
    }
}

/// How records that need nothing of each other are cut: at line ends when they stand in lines, so
/// that a broken one costs only itself.
pub(super) fn layout(head: &Head<'_>) -> Layout {
    match head.lines {
        true => Layout::Lines,
        false => Layout::Objects,
    }
}

/// Hands every record of `chunk` to `each`, with the kind of its piece.
pub(super) fn each<'a>(
    chunk: &'a Chunk,
    out: &mut Outlet<'_>,
    mut each: impl FnMut(&mut Reader<'a, '_, '_>, u8) -> Step<()>,
) {
    let open = |start: usize, end: usize| {
        let bytes = chunk.bytes.get(start..end).unwrap_or_default();
        (Json::new(bytes), start)
    };
    match &chunk.parts {
        Parts::Pieces(pieces) => {
            for piece in pieces {
                let (json, origin) = open(piece.start, piece.end);
                let mut reader = Reader { json, origin, out };
                if let Err(broken) = each(&mut reader, piece.kind) {
                    reader.report(broken, chunk.last && piece.end == chunk.bytes.len());
                }
            }
        }
        Parts::Lines => {
            for (line, ended) in lines(&chunk.bytes) {
                let (json, origin) = open(line.start, line.end);
                let mut reader = Reader { json, origin, out };
                if let Err(broken) = reader.line(&mut each) {
                    reader.report(broken, !ended);
                }
            }
        }
        Parts::Frames(_) | Parts::Text(_) => {}
    }
    check_text(&chunk.bytes, out);
}

impl<'a, 'o, 's> Reader<'a, 'o, 's> {
    /// A reader of `json`, which starts at `origin` of its chunk.
    pub(super) fn new(json: Json<'a>, origin: usize, out: &'o mut Outlet<'s>) -> Self {
        Self { json, origin, out }
    }
}

impl<'a> Reader<'a, '_, '_> {
    /// The records of one line.
    fn line(&mut self, each: &mut impl FnMut(&mut Self, u8) -> Step<()>) -> Step<()> {
        while !self.json.is_done() {
            self.element(each, ARRAYS)?;
            self.json.eat(b',');
        }
        Ok(())
    }

    fn element(
        &mut self,
        each: &mut impl FnMut(&mut Self, u8) -> Step<()>,
        depth: usize,
    ) -> Step<()> {
        if depth == 0 || self.json.peek() != b'[' {
            return each(self, 0);
        }
        let mut more = self.json.enter_array()?;
        while more {
            self.element(each, depth - 1)?;
            more = self.json.more_elements()?;
        }
        Ok(())
    }

    /// Reads `text`, JSON that was packed into a string of the record at hand, with `read`.
    pub(super) fn packed<'t, T>(
        &mut self,
        text: &'t [u8],
        read: impl FnOnce(&mut Reader<'t, '_, '_>) -> Step<T>,
    ) -> Option<T> {
        let origin = self.here();
        let mut out = self.out.shifted(0);
        let mut reader = Reader {
            json: Json::new(text),
            origin,
            out: &mut out,
        };
        let found = read(&mut reader);
        found.ok()
    }

    /// Records that the packed text at hand is no JSON.
    #[cold]
    pub(super) fn not_packed(&mut self, what: &'static str) {
        let at = self.here();
        self.out
            .count(IssueKind::WrongType, at, || format!("{what} is not JSON"));
    }

    /// Notes where the next value stands and passes over it, to come back when more is known.
    pub(super) fn later(&mut self) -> Step<usize> {
        self.json.peek();
        let at = self.json.at();
        self.json.skip()?;
        Ok(at)
    }

    /// Reads the value at `place`, noted before, and returns to where it stands now.
    pub(super) fn back<T>(
        &mut self,
        place: usize,
        read: impl FnOnce(&mut Self) -> Step<T>,
    ) -> Step<T> {
        let end = self.json.at();
        self.json.seek(place);
        let found = read(self);
        self.json.seek(end);
        found
    }

    /// An instant in any spelling: a date, a number of seconds, milliseconds, microseconds or
    /// nanoseconds (told by its size), or a pair of seconds and nanoseconds.
    pub(super) fn moment(&mut self, what: &'static str) -> Step<Option<Nanos>> {
        let at = self.here();
        let found = match self.json.token()? {
            Token::Number(digits) => instant(digits),
            Token::Str(text) if text.is_empty() => return Ok(None),
            Token::Str(text) => instant(text.raw()).or_else(|| lenient::date(&text.get())),
            Token::Array => return self.pair(what),
            token => return self.wrong(token, what, at).map(|()| None),
        };
        if found.is_none() {
            self.out.count(IssueKind::BadNumber, at, || {
                format!("{what} is no date and no number of seconds")
            });
        }
        Ok(found.filter(|time| time.0 > 0))
    }

    /// `[seconds, nanoseconds]`, as JavaScript's tracing library keeps times.
    pub(super) fn pair(&mut self, what: &'static str) -> Step<Option<Nanos>> {
        let (mut parts, mut count) = ([None, None], 0);
        self.list(what, |r| {
            let part = r.number(what, lenient::unsigned)?;
            if let Some(slot) = parts.get_mut(count) {
                *slot = part;
            }
            count += 1;
            Ok(())
        })?;
        let [Some(seconds), Some(nanos)] = parts else {
            return Ok(None);
        };
        let whole = seconds.checked_mul(1_000_000_000);
        Ok(whole.and_then(|w| w.checked_add(nanos)).map(Nanos))
    }

    /// A trace id of either length: where 64 bits were the rule once, they deserve no remark.
    pub(super) fn either_trace_id(&mut self) -> Step<TraceId> {
        self.id("a trace id", |text| match lenient::span_id(text) {
            Id::Plain(short) if text.len() == 16 => Id::Plain(TraceId(u128::from(short.0))),
            _ => lenient::trace_id(text),
        })
    }

    /// A number of `10^-places` seconds; `None` and an issue when it is none.
    pub(super) fn scaled(&mut self, what: &'static str, places: u32) -> Step<Option<Nanos>> {
        let read = |text: &[u8]| match text.is_empty() {
            true => Ok(None),
            false => lenient::decimal(text, places)
                .map(Some)
                .ok_or(lenient::BadNumber),
        };
        Ok(self.number(what, read)?.map(Nanos))
    }
}

/// The instant that a number means: years 1973 to 5138 in each of the four units.
fn instant(digits: &[u8]) -> Option<Nanos> {
    let size = lenient::double(digits).ok().flatten()?;
    let places = match size {
        s if s < 1e11 => 9,
        ms if ms < 1e14 => 6,
        us if us < 1e17 => 3,
        _ => 0,
    };
    lenient::decimal(digits, places).map(Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_an_instant_is_told_by_its_size() {
        for text in [
            "1760000000.25",
            "1760000000250",
            "1760000000250000",
            "1760000000250000000",
        ] {
            let found = instant(text.as_bytes());
            assert_eq!(found, Some(Nanos(1_760_000_000_250_000_000)), "{text}");
        }
        for bad in ["", "x", "-5", "NaN", "1e300"] {
            assert_eq!(instant(bad.as_bytes()), None, "{bad}");
        }
    }
}
