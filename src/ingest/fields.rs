//! Typed fields of JSON records, for every format that is written in JSON. A value of a type the
//! field cannot have is skipped and counted; the rest of the record stays. `null` always means
//! absent.

use std::borrow::Cow;

use super::json::{Broken, Json, Step, Token};
use super::lenient::{self, Id};
use super::outlet::Outlet;
use super::raw::Text;
use crate::model::{IssueKind, SpanId, TraceId};
use crate::units::Nanos;

/// A reader of JSON records: implemented by each format, which keeps its own state beside.
pub(crate) trait Fields<'a>: Sized {
    /// The JSON being read.
    fn json(&mut self) -> &mut Json<'a>;

    /// Where issues go.
    fn out(&mut self) -> Outlet<'_>;

    /// Where the JSON starts in the chunk.
    fn origin(&self) -> usize;

    /// Offset of the next value in the chunk.
    #[inline]
    fn here(&mut self) -> usize {
        self.json().peek();
        self.json().at() + self.origin()
    }

    /// Walks over an object; `each` consumes the value of the key it is given. False when there
    /// was no object.
    #[inline]
    fn object(
        &mut self,
        what: &'static str,
        mut each: impl FnMut(&mut Self, &'a [u8]) -> Step<()>,
    ) -> Step<bool> {
        if self.json().peek() != b'{' {
            return self.not_a(what).map(|()| false);
        }
        let mut more = self.json().enter_object()?;
        while more {
            let key = self.json().key()?;
            each(self, key)?;
            more = self.json().more_keys()?;
        }
        Ok(true)
    }

    /// Walks over an array; `each` consumes one element.
    #[inline]
    fn list(
        &mut self,
        what: &'static str,
        mut each: impl FnMut(&mut Self) -> Step<()>,
    ) -> Step<()> {
        if self.json().peek() != b'[' {
            return self.not_a(what);
        }
        let mut more = self.json().enter_array()?;
        while more {
            each(self)?;
            more = self.json().more_elements()?;
        }
        Ok(())
    }

    /// A string; absent when it is something else.
    #[inline]
    fn text(&mut self, what: &'static str) -> Step<Option<Text<'a>>> {
        let at = self.here();
        match self.json().token()? {
            Token::Str(text) => Ok(Some(text)),
            token => self.wrong(token, what, at).map(|()| None),
        }
    }

    /// A string as text, empty when absent.
    #[inline]
    fn name(&mut self, what: &'static str) -> Step<Cow<'a, str>> {
        Ok(self.text(what)?.map_or(Cow::Borrowed(""), |t| t.get()))
    }

    /// Unix nanoseconds.
    #[inline]
    fn time(&mut self, what: &'static str) -> Step<Option<Nanos>> {
        let read = lenient::nanos_since_epoch;
        Ok(self.number(what, read)?.map(Nanos))
    }

    /// A number, or a string that holds one, as `read` takes it.
    #[inline]
    fn number<T>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&[u8]) -> Result<Option<T>, lenient::BadNumber>,
    ) -> Step<Option<T>> {
        let at = self.here();
        let digits = match self.json().token()? {
            Token::Str(text) => text.raw(),
            Token::Number(digits) => digits,
            token => return self.wrong(token, what, at).map(|()| None),
        };
        Ok(read(digits).unwrap_or_else(|_| {
            self.out().count(IssueKind::BadNumber, at, || {
                format!("{what} is not a usable number")
            });
            None
        }))
    }

    /// A small count, zero when absent, at most `u32::MAX`.
    fn count(&mut self, what: &'static str) -> Step<u32> {
        let number = self.number(what, lenient::unsigned)?.unwrap_or(0);
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// An enumeration by number or name; `T::default()` when absent or not known.
    fn choice<T: Default>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Step<T> {
        let at = self.here();
        let word = match self.json().token()? {
            Token::Str(text) => text.raw(),
            Token::Number(digits) => digits,
            token => return self.wrong(token, what, at).map(|()| T::default()),
        };
        Ok(read(word).unwrap_or_else(|| {
            self.out().count(IssueKind::WrongType, at, || {
                format!("{what} has a value that is not known")
            });
            T::default()
        }))
    }

    /// A trace id, zero when absent.
    #[inline]
    fn trace_id(&mut self) -> Step<TraceId> {
        self.id("a trace id", lenient::trace_id)
    }

    /// A span id, zero when absent.
    #[inline]
    fn span_id(&mut self) -> Step<SpanId> {
        self.id("a span id", lenient::span_id)
    }

    #[inline]
    fn id<T: Copy + Default>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&[u8]) -> Id<T>,
    ) -> Step<T> {
        let at = self.here();
        let text = match self.json().token()? {
            Token::Str(text) => text.raw(),
            Token::Number(digits) => digits,
            token => return self.wrong(token, what, at).map(|()| T::default()),
        };
        let id = read(text);
        if let Id::Odd(_, how) = id {
            self.out()
                .count(IssueKind::OddId, at, || format!("{what}: {how}"));
        }
        Ok(id.get())
    }

    /// Passes over the next value, which is not the `what` it should be.
    #[cold]
    fn not_a(&mut self, what: &'static str) -> Step<()> {
        let at = self.here();
        let token = self.json().token()?;
        self.wrong(token, what, at)
    }

    /// Passes over `token`, which is not the `what` it should be.
    #[cold]
    fn wrong(&mut self, token: Token<'a>, what: &'static str, at: usize) -> Step<()> {
        let found = match token {
            Token::Null => return Ok(()),
            Token::Str(_) => "a string",
            Token::Number(_) => "a number",
            Token::Bool(_) => "a truth value",
            Token::Object => "an object",
            Token::Array => "an array",
        };
        self.out().count(IssueKind::WrongType, at, || {
            format!("{found} instead of {what}")
        });
        match token {
            Token::Object | Token::Array => self.json().skip(),
            _ => Ok(()),
        }
    }

    /// A truth value, also as a string.
    fn truth(&mut self, what: &'static str) -> Step<Option<bool>> {
        let at = self.here();
        match self.json().token()? {
            Token::Bool(truth) => Ok(Some(truth)),
            Token::Str(text) if text.raw() == b"true" => Ok(Some(true)),
            Token::Str(text) if text.raw() == b"false" => Ok(Some(false)),
            token => self.wrong(token, what, at).map(|()| None),
        }
    }

    /// An instant written as a date and time; without an offset it is taken for UTC.
    fn date(&mut self, what: &'static str) -> Step<Option<Nanos>> {
        let at = self.here();
        let Some(text) = self.text(what)? else {
            return Ok(None);
        };
        let time = lenient::date(&text.get());
        if time.is_none() && !text.is_empty() {
            self.out().count(IssueKind::BadNumber, at, || {
                format!("{what} is not a date and time")
            });
        }
        Ok(time)
    }

    /// Records that the bytes stop being JSON; `open_end` when the file ends there.
    fn report(&mut self, broken: Broken, open_end: bool) {
        let (kind, detail) = match (broken.cut, open_end) {
            (true, true) => (IssueKind::TruncatedRecord, "the input ends before "),
            (true, false) => (IssueKind::MalformedRecord, "the record ends before "),
            (false, _) => (IssueKind::MalformedRecord, "expected "),
        };
        let detail = format!("{detail}{}", broken.expected.words());
        let at = self.origin() + broken.at;
        self.out().issue(kind, at, detail);
    }
}

/// Bytes that are not UTF-8 are replaced wherever they are shown; this counts them.
pub(crate) fn check_text(bytes: &[u8], out: &mut Outlet<'_>) {
    // Most dumps hold nothing else, and seeing that takes half the time.
    if bytes.is_ascii() {
        return;
    }
    let Err(first) = std::str::from_utf8(bytes) else {
        return;
    };
    let count = bytes
        .utf8_chunks()
        .filter(|c| !c.invalid().is_empty())
        .count();
    let detail = "a byte that is not UTF-8".into();
    out.issues(
        IssueKind::InvalidUtf8,
        first.valid_up_to(),
        detail,
        count as u64,
    );
}
