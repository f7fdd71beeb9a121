//! Reads the scalars out of JSON that an emitter packed into a string (or a Python `repr`),
//! without copying: the text may still carry the escapes of the document around it.

use crate::ingest::Text;

/// A scalar inside the packed text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    /// A text, its escapes unresolved.
    Text(&'a [u8]),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
}

impl<'a> Scalar<'a> {
    /// The number, also when it is written as a text.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            Self::Bool(_) => None,
        }
    }

    /// The text.
    pub(super) fn text(self) -> Option<Text<'a>> {
        match self {
            Self::Text(text) if text.contains(&b'\\') => Some(Text::escaped(text)),
            Self::Text(text) => Some(Text::plain(text)),
            _ => None,
        }
    }
}

/// Deepest nesting followed; what lies deeper is passed over.
const DEPTH: usize = 12;
/// Longest text looked into.
const LONGEST: usize = 1 << 20;

/// Calls `visit(parent, key, scalar)` for every scalar that stands under a key of an object.
/// `parent` is the key of the object around it, empty at the top.
pub(super) fn walk<'a>(packed: Text<'a>, mut visit: impl FnMut(&'a [u8], &'a [u8], Scalar<'a>)) {
    let bytes = packed.raw();
    if bytes.len() > LONGEST {
        return;
    }
    let mut reader = Reader {
        bytes,
        at: 0,
        wrapped: is_wrapped(bytes),
    };
    let mut open: [&[u8]; DEPTH] = [b""; DEPTH];
    let mut depth = 0usize;
    let mut key: &[u8] = b"";
    while let Some(token) = reader.next() {
        match token {
            Token::Open => {
                if depth < DEPTH {
                    open[depth] = key;
                }
                depth += 1;
                key = b"";
            }
            Token::Close => {
                depth = depth.saturating_sub(1);
                key = b"";
            }
            Token::Key(name) => key = name,
            Token::Scalar(scalar) => {
                if (1..=DEPTH).contains(&depth) && !key.is_empty() {
                    visit(open[depth - 1], key, scalar);
                }
                key = b"";
            }
        }
    }
}

/// True when quotes are written `\"`: the text lies unresolved inside a JSON document.
fn is_wrapped(bytes: &[u8]) -> bool {
    match memchr::memchr(b'"', bytes) {
        Some(at) => at > 0 && bytes[at - 1] == b'\\',
        None => false,
    }
}

enum Token<'a> {
    Open,
    Close,
    Key(&'a [u8]),
    Scalar(Scalar<'a>),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    wrapped: bool,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b'{' | b'[' => return self.step(Token::Open),
                b'}' | b']' => return self.step(Token::Close),
                b'\\' if self.wrapped && self.bytes.get(self.at + 1) == Some(&b'"') => {
                    self.at += 2;
                    return Some(self.quoted(b'"'));
                }
                b'\\' => self.at += 2,
                b'"' | b'\'' => {
                    self.at += 1;
                    return Some(self.quoted(byte));
                }
                b'-' | b'0'..=b'9' => return Some(Token::Scalar(self.number())),
                b't' | b'T' => return Some(self.word(Scalar::Bool(true))),
                b'f' | b'F' => return Some(self.word(Scalar::Bool(false))),
                b'a'..=b'z' | b'A'..=b'Z' => self.skip_word(),
                _ => self.at += 1,
            }
        }
    }

    fn step(&mut self, token: Token<'a>) -> Option<Token<'a>> {
        self.at += 1;
        Some(token)
    }

    fn word(&mut self, scalar: Scalar<'a>) -> Token<'a> {
        self.skip_word();
        Token::Scalar(scalar)
    }

    fn skip_word(&mut self) {
        while self
            .bytes
            .get(self.at)
            .is_some_and(u8::is_ascii_alphanumeric)
        {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Scalar<'a> {
        let start = self.at;
        while self
            .bytes
            .get(self.at)
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.'))
        {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default();
        Scalar::Number(text.parse().unwrap_or(f64::NAN))
    }

    /// The text up to the closing quote; a key when a colon follows.
    fn quoted(&mut self, quote: u8) -> Token<'a> {
        let start = self.at;
        let mut end = self.bytes.len();
        while let Some(found) = memchr::memchr(quote, self.bytes.get(self.at..).unwrap_or_default())
        {
            let at = self.at + found;
            self.at = at + 1;
            let slashes = self.bytes[start..at]
                .iter()
                .rev()
                .take_while(|&&b| b == b'\\')
                .count();
            let (own, inner) = if self.wrapped && quote == b'"' {
                (slashes.min(1), slashes.saturating_sub(1) / 2)
            } else {
                (0, slashes)
            };
            if inner % 2 == 0 {
                end = at - own;
                break;
            }
        }
        if end == self.bytes.len() {
            self.at = end;
        }
        let text = &self.bytes[start.min(end)..end];
        let colon = self.bytes[self.at..]
            .iter()
            .find(|b| !b.is_ascii_whitespace());
        if colon == Some(&b':') {
            Token::Key(text)
        } else {
            Token::Scalar(Scalar::Text(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: Text<'_>) -> Vec<String> {
        let mut out = Vec::new();
        walk(text, |parent, key, scalar| {
            let name = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            let value = match scalar {
                Scalar::Text(text) => name(text),
                Scalar::Number(number) => number.to_string(),
                Scalar::Bool(truth) => truth.to_string(),
            };
            out.push(format!("{}/{}={value}", name(parent), name(key)));
        });
        out
    }

    #[test]
    fn nested_objects_name_their_parent() {
        let text = br#"{"a": 1, "d": {"cached_tokens": 5, "t": "x\"y"}, "n": null, "b": true}"#;
        let expected = ["/a=1", "d/cached_tokens=5", "d/t=x\\\"y", "/b=true"];
        assert_eq!(read(Text::plain(text)), expected);
    }

    #[test]
    fn escapes_of_the_document_around_are_seen_through() {
        let text = br#"{\"task_type\": \"clause\", \"n\": 3, \"q\": \"a\\\"b\"}"#;
        let expected = ["/task_type=clause", "/n=3", "/q=a\\\\\\\"b"];
        assert_eq!(read(Text::escaped(text)), expected);
    }

    #[test]
    fn python_reprs_are_read_too() {
        assert_eq!(
            read(Text::plain(b"{'cache_read': 12, 'x': None}")),
            ["/cache_read=12"]
        );
    }

    #[test]
    fn broken_texts_end_quietly() {
        for text in [
            &b"{\"a"[..],
            b"{\\",
            b"\\\"",
            b"]]]{\"a\":",
            b"{\"a\":--}",
            b"'",
        ] {
            let _ = read(Text::plain(text));
        }
    }
}
