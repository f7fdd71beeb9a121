//! A lenient pull reader over a byte slice: borrows, never builds a tree, and skips what nobody
//! asked for at the speed of a scan. Recursion depth is the caller's; skipping does not recurse.

mod broken;
mod cut;
mod scan;
mod shape;
mod text;

pub(crate) use broken::{Broken, Expected, Step};
pub(crate) use cut::{Cut, Cutter, Kind, Piece};
pub(crate) use scan::{Extent, extent};
pub(crate) use shape::Shape;
pub(crate) use text::{escape, is_whole, plain_run, quote};

use super::raw::Text;

/// The next value, consumed when it is a scalar.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token<'a> {
    /// A string.
    Str(Text<'a>),
    /// A number, or `NaN` and the like.
    Number(&'a [u8]),
    /// A truth value.
    Bool(bool),
    /// `null`.
    Null,
    /// An object starts; nothing was consumed.
    Object,
    /// An array starts; nothing was consumed.
    Array,
}

/// The reader: a position in a slice.
#[derive(Clone, Debug)]
pub(crate) struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    /// A reader at the start of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where it stands.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Moves to `at`.
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at.min(self.bytes.len());
    }

    /// The bytes from `start` to where it stands.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// The next byte that is not white space, 0 at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte > b' ' {
                return byte;
            }
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                _ => return byte,
            }
        }
        0
    }

    /// True when only white space is left.
    pub(crate) fn is_done(&mut self) -> bool {
        self.peek();
        self.at >= self.bytes.len()
    }

    /// The failure to find `expected` here.
    #[cold]
    pub(crate) fn broken(&self, expected: Expected) -> Broken {
        Broken {
            at: self.at,
            expected,
            cut: self.at >= self.bytes.len(),
        }
    }

    /// Consumes `byte` if it comes next.
    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte && self.at < self.bytes.len();
        self.at += usize::from(found);
        found
    }

    /// Consumes `literal` if it stands exactly here: a shortcut for what exporters write word for
    /// word alike.
    #[inline]
    pub(crate) fn eat_exactly<const N: usize>(&mut self, literal: &[u8; N]) -> bool {
        let found = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) == Some(literal);
        self.at += if found { N } else { 0 };
        found
    }

    /// What was not read yet.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Passes over `count` bytes that were looked at.
    #[inline]
    pub(crate) fn pass(&mut self, count: usize) {
        self.at = (self.at + count).min(self.bytes.len());
    }

    /// The number that stands exactly here, empty when none does.
    #[inline]
    pub(crate) fn bare_number(&mut self) -> &'a [u8] {
        let word = scan::word(self.bytes, self.at);
        match word {
            [b'-' | b'0'..=b'9', ..] => {
                self.at += word.len();
                word
            }
            _ => &[],
        }
    }

    /// The inside of the string that comes next.
    #[inline]
    pub(crate) fn string(&mut self) -> Step<Text<'a>> {
        match self.eat(b'"') {
            true => self.rest_of_string(),
            false => Err(self.broken(Expected::Text)),
        }
    }

    /// The inside of the string whose opening quote was just consumed.
    #[inline]
    pub(crate) fn rest_of_string(&mut self) -> Step<Text<'a>> {
        let start = self.at;
        let Some((end, escaped)) = scan::string_end(self.bytes, start) else {
            self.at = self.bytes.len();
            return Err(self.broken(Expected::TextEnd));
        };
        self.at = end + 1;
        let inside = self.bytes.get(start..end).unwrap_or_default();
        Ok(match escaped {
            true => Text::escaped(inside),
            false => Text::plain(inside),
        })
    }

    /// Steps into an object; false when it is empty (and consumed).
    #[inline]
    pub(crate) fn enter_object(&mut self) -> Step<bool> {
        self.enter(b'{', b'}', Expected::Object)
    }

    /// Steps into an array; false when it is empty (and consumed).
    #[inline]
    pub(crate) fn enter_array(&mut self) -> Step<bool> {
        self.enter(b'[', b']', Expected::Array)
    }

    #[inline]
    fn enter(&mut self, open: u8, close: u8, expected: Expected) -> Step<bool> {
        match self.eat(open) {
            true => Ok(!self.eat(close)),
            false => Err(self.broken(expected)),
        }
    }

    /// The next key of the object that was entered, its colon consumed. Escapes stay unresolved:
    /// no key that is looked for has any.
    #[inline]
    pub(crate) fn key(&mut self) -> Step<&'a [u8]> {
        let key = match self.peek() {
            b'"' => self.string()?.raw(),
            _ => return Err(self.broken(Expected::Key)),
        };
        match self.eat(b':') {
            true => Ok(key),
            false => Err(self.broken(Expected::Colon)),
        }
    }

    /// After a value in an object: true when another key follows.
    #[inline]
    pub(crate) fn more_keys(&mut self) -> Step<bool> {
        self.more(b'}', Expected::ObjectEnd)
    }

    /// After an element of an array: true when another follows.
    #[inline]
    pub(crate) fn more_elements(&mut self) -> Step<bool> {
        self.more(b']', Expected::ArrayEnd)
    }

    /// A comma before the closing bracket is forgiven: hand-edited files have it.
    #[inline]
    fn more(&mut self, close: u8, expected: Expected) -> Step<bool> {
        if self.eat(b',') {
            return Ok(!self.eat(close));
        }
        match self.eat(close) {
            true => Ok(false),
            false => Err(self.broken(expected)),
        }
    }

    /// The next value; containers are announced, not entered.
    #[inline]
    pub(crate) fn token(&mut self) -> Step<Token<'a>> {
        match self.peek() {
            b'"' => Ok(Token::Str(self.string()?)),
            b'{' => Ok(Token::Object),
            b'[' => Ok(Token::Array),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Step<Token<'a>> {
        let start = self.at;
        let word = scan::word(self.bytes, start);
        self.at = start + word.len();
        if self.at >= self.bytes.len() {
            // A number at the very end may have lost digits.
            return Err(self.broken(Expected::ValueEnd));
        }
        match word {
            b"null" => Ok(Token::Null),
            b"true" => Ok(Token::Bool(true)),
            b"false" => Ok(Token::Bool(false)),
            b"NaN" | b"Infinity" | b"-Infinity" => Ok(Token::Number(word)),
            [b'-' | b'0'..=b'9', ..] => Ok(Token::Number(word)),
            _ => {
                self.at = start;
                Err(self.broken(Expected::Value))
            }
        }
    }

    /// Skips the next value, whatever it is.
    #[inline]
    pub(crate) fn skip(&mut self) -> Step<()> {
        match self.token()? {
            Token::Object | Token::Array => self.skip_container(),
            _ => Ok(()),
        }
    }

    fn skip_container(&mut self) -> Step<()> {
        match extent(self.bytes, self.at) {
            Extent::Ends(end) => {
                self.at = end;
                Ok(())
            }
            Extent::Unfinished => {
                self.at = self.bytes.len();
                Err(self.broken(Expected::ValueEnd))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Step<Vec<String>> {
        let mut json = Json::new(text.as_bytes());
        let mut keys = Vec::new();
        let mut more = json.enter_object()?;
        while more {
            keys.push(String::from_utf8_lossy(json.key()?).into_owned());
            json.skip()?;
            more = json.more_keys()?;
        }
        Ok(keys)
    }

    #[test]
    fn values_of_every_kind_are_skipped() {
        let text =
            r#" { "a" : [1,{"x":"]}\""}] , "b":null,"c":-1.5e3,"d":"\\","e":{}, "f":[] , } "#;
        assert_eq!(keys(text).unwrap(), ["a", "b", "c", "d", "e", "f"]);
    }

    #[test]
    fn a_cut_is_told_from_garbage() {
        for cut in [
            r#"{"a"#,
            r#"{"a":12"#,
            r#"{"a":"x"#,
            r#"{"a":[1,"#,
            r#"{"a":1"#,
            "{",
        ] {
            assert!(keys(cut).unwrap_err().cut, "{cut}");
        }
        for bad in [
            r#"{"a" 1}"#,
            r#"{"a":oops}"#,
            r#"{a:1}"#,
            r#"{"a":1 "b":2}"#,
            "x",
        ] {
            assert!(!keys(bad).unwrap_err().cut, "{bad}");
        }
    }

    #[test]
    fn deep_nesting_is_skipped_without_recursion() {
        let deep = format!(
            "{{\"a\":{}{}}}",
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        assert_eq!(keys(&deep).unwrap(), ["a"]);
    }
}
