//! Cuts a stream of JSON documents into pieces that can be decoded apart from each other: whole
//! documents, or the elements of the one long array inside a document. A file that is a single
//! giant document is thereby read with the memory of its largest element.

use memchr::memchr;

use super::scan::{Extent, extent, string_end};

/// What a key of a document holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// An array whose elements are pieces of the given kind (the format's own number). An object in
    /// its place is a piece itself.
    Elements(u8),
    /// The same, but an object in its place is a document itself.
    Within(u8),
    /// A piece of the given kind, whatever its type.
    Piece(u8),
    /// An object that is a document itself.
    Wrapper,
    /// Nothing of interest.
    Other,
}

/// One thing to decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// First byte.
    pub(crate) start: usize,
    /// After the last byte.
    pub(crate) end: usize,
    /// The number from [`Kind::Elements`].
    pub(crate) kind: u8,
}

/// What [`Cutter::next`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// A piece.
    Piece(Piece),
    /// The bytes at hand end inside something.
    NeedMore,
    /// Not JSON, at this offset; the next call looks for a place to go on.
    Garbage(usize),
    /// A document without anything of interest was passed, started at this offset.
    Unused(usize),
    /// Nothing is left. True when it ended inside a document.
    End(bool),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Outside,
    Keys,
    Elements(u8),
    Lost,
}

/// Walks over documents; keeps only its place between calls.
#[derive(Clone, Debug)]
pub(crate) struct Cutter {
    role: Option<fn(&[u8]) -> Kind>,
    at: usize,
    state: State,
    depth: usize,
    lists: usize,
    document: usize,
    useful: bool,
}

impl Cutter {
    /// A walk in which `role` tells the keys that matter; without it every object is a piece, alone
    /// or in an array.
    pub(crate) fn new(role: Option<fn(&[u8]) -> Kind>) -> Self {
        Self {
            role,
            at: 0,
            state: State::Outside,
            depth: 0,
            lists: 0,
            document: 0,
            useful: false,
        }
    }

    /// How many bytes are done with.
    pub(crate) fn done(&self) -> usize {
        self.at
    }

    /// The first `count` bytes were taken away.
    pub(crate) fn rebase(&mut self, count: usize) {
        self.at = self.at.saturating_sub(count);
        self.document = self.document.saturating_sub(count);
    }

    /// The next cut of `bytes`; `last` when no more will come. After [`Cut::NeedMore`] call again
    /// with the same bytes and more behind them.
    pub(crate) fn next(&mut self, bytes: &[u8], last: bool) -> Cut {
        loop {
            if self.state == State::Lost && !self.find_line(bytes) {
                return if last { Cut::End(false) } else { Cut::NeedMore };
            }
            let Some(byte) = self.skip_separators(bytes) else {
                let inside = self.state != State::Outside || self.lists > 0;
                return if last {
                    Cut::End(inside)
                } else {
                    Cut::NeedMore
                };
            };
            let found = match self.state {
                State::Elements(kind) => self.element(bytes, byte, kind, last),
                State::Keys => self.key(bytes, byte, last),
                _ => self.outside(bytes, byte, last),
            };
            if let Some(cut) = found {
                return cut;
            }
        }
    }

    fn skip_separators(&mut self, bytes: &[u8]) -> Option<u8> {
        loop {
            match *bytes.get(self.at)? {
                // 0x1e separates the records of a JSON text sequence (RFC 7464).
                b' ' | b'\n' | b'\r' | b'\t' | b',' | 0x1e => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn outside(&mut self, bytes: &[u8], byte: u8, last: bool) -> Option<Cut> {
        match byte {
            b'{' if self.role.is_none() => return self.element(bytes, byte, 0, last),
            b'{' => {
                (self.state, self.depth) = (State::Keys, 1);
                (self.document, self.useful) = (self.at, false);
            }
            b'[' => self.lists += 1,
            b']' => self.lists = self.lists.saturating_sub(1),
            _ => return Some(self.lose()),
        }
        self.at += 1;
        None
    }

    fn key(&mut self, bytes: &[u8], byte: u8, last: bool) -> Option<Cut> {
        match byte {
            b'}' => {
                self.at += 1;
                self.depth -= 1;
                if self.depth == 0 {
                    self.state = State::Outside;
                    return (!self.useful).then_some(Cut::Unused(self.document));
                }
                None
            }
            b'"' => match self.value(bytes) {
                Ok(()) => None,
                Err(Some(cut)) => Some(cut),
                Err(None) if last => {
                    self.at = bytes.len();
                    None
                }
                Err(None) => Some(Cut::NeedMore),
            },
            _ => Some(self.lose()),
        }
    }

    /// A key and what follows it. `Err(Some)` when that is a cut; `Err(None)` when the bytes end
    /// first: nothing was consumed.
    fn value(&mut self, bytes: &[u8]) -> Result<(), Option<Cut>> {
        let (end, _) = string_end(bytes, self.at + 1).ok_or(None)?;
        let key = bytes.get(self.at + 1..end).unwrap_or_default();
        let colon = next_solid(bytes, end + 1).ok_or(None)?;
        if bytes.get(colon) != Some(&b':') {
            return Err(Some(self.lose()));
        }
        let start = next_solid(bytes, colon + 1).ok_or(None)?;
        let kind = self.role.map_or(Kind::Other, |role| role(key));
        match (kind, bytes.get(start)) {
            (Kind::Elements(kind) | Kind::Within(kind), Some(b'[')) => {
                (self.state, self.useful, self.at) = (State::Elements(kind), true, start + 1);
            }
            (Kind::Wrapper | Kind::Within(_), Some(b'{')) => {
                self.depth += 1;
                self.at = start + 1;
            }
            (kind, first) => match (extent(bytes, start), kind) {
                (Extent::Ends(end), Kind::Elements(kind)) if first == Some(&b'{') => {
                    (self.at, self.useful) = (end, true);
                    return Err(Some(Cut::Piece(Piece { start, end, kind })));
                }
                (Extent::Ends(end), Kind::Piece(kind)) => {
                    self.at = end;
                    return Err(Some(Cut::Piece(Piece { start, end, kind })));
                }
                (Extent::Ends(end), _) => self.at = end,
                (Extent::Unfinished, _) => return Err(None),
            },
        }
        Ok(())
    }

    fn element(&mut self, bytes: &[u8], byte: u8, kind: u8, last: bool) -> Option<Cut> {
        match byte {
            b']' => {
                self.at += 1;
                self.state = State::Keys;
                return None;
            }
            b'}' | b':' => return Some(self.lose()),
            _ => {}
        }
        let start = self.at;
        let end = match extent(bytes, start) {
            Extent::Ends(end) => end,
            Extent::Unfinished if last => bytes.len(),
            Extent::Unfinished => return Some(Cut::NeedMore),
        };
        self.at = end;
        Some(Cut::Piece(Piece { start, end, kind }))
    }

    fn lose(&mut self) -> Cut {
        self.state = State::Lost;
        (self.depth, self.lists) = (0, 0);
        Cut::Garbage(self.at)
    }

    /// Goes to the next line that starts with a brace; false when there is none yet.
    fn find_line(&mut self, bytes: &[u8]) -> bool {
        while let Some(found) = bytes.get(self.at..).and_then(|rest| memchr(b'\n', rest)) {
            let next = self.at + found + 1;
            match bytes.get(next) {
                None => return false,
                Some(b'{') => {
                    (self.at, self.state) = (next, State::Outside);
                    return true;
                }
                Some(_) => self.at = next,
            }
        }
        self.at = bytes.len();
        false
    }

    /// Gives up the piece it stands at (too large to hold) and looks for the next line.
    pub(crate) fn give_up(&mut self, bytes: &[u8]) {
        self.lose();
        self.at = bytes.len();
    }
}

fn next_solid(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let skipped = rest
        .iter()
        .position(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t'))?;
    Some(start + skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(key: &[u8]) -> Kind {
        match key {
            b"spans" => Kind::Elements(0),
            b"logs" => Kind::Elements(1),
            b"trace" => Kind::Wrapper,
            b"status" => Kind::Piece(9),
            _ => Kind::Other,
        }
    }

    /// All cuts of `text` when it arrives `step` bytes at a time.
    fn cuts(text: &str, step: usize) -> Vec<String> {
        let (mut cutter, mut have, mut out) = (Cutter::new(Some(role)), 0, Vec::new());
        loop {
            let bytes = &text.as_bytes()[..have];
            match cutter.next(bytes, have == text.len()) {
                Cut::NeedMore => have = (have + step).min(text.len()),
                Cut::Piece(p) => out.push(format!("{}:{}", p.kind, &text[p.start..p.end])),
                Cut::Garbage(at) => out.push(format!("garbage {at}")),
                Cut::Unused(at) => out.push(format!("unused {at}")),
                Cut::End(inside) => {
                    out.push(format!("end {inside}"));
                    return out;
                }
            }
        }
    }

    fn check(text: &str, expected: &[&str]) {
        for step in [1, 3, 1000] {
            assert_eq!(cuts(text, step), expected, "{text} in steps of {step}");
        }
    }

    #[test]
    fn documents_in_every_arrangement() {
        let one = r#"{"v":{"x":[1]},"spans":[{"a":1},{"b":"]"}],"logs":[ 3 ]}"#;
        let found = [r#"0:{"a":1}"#, r#"0:{"b":"]"}"#, "1:3"];
        check(one, &[found[0], found[1], found[2], "end false"]);
        let twice = [
            found[0],
            found[1],
            found[2],
            found[0],
            found[1],
            found[2],
            "end false",
        ];
        check(&format!("{one}{one}"), &twice);
        check(&format!("[{one},\n{one}]"), &twice);
        check(&format!("{one}\n\u{1e}{one}\r\n"), &twice);
        check(
            r#"{"trace":{"spans":[{}]},"logs":[{}]}"#,
            &["0:{}", "1:{}", "end false"],
        );
    }

    #[test]
    fn garbage_costs_only_up_to_the_next_line_with_a_document() {
        check(
            "{\"spans\":[1]}\noops\n{\"spans\":[2]}",
            &["0:1", "garbage 14", "0:2", "end false"],
        );
        check(
            "{\"spans\":[1}\nx\n{\"spans\":[2]}",
            &["0:1", "garbage 11", "0:2", "end false"],
        );
    }

    #[test]
    fn a_stream_may_end_anywhere() {
        check(
            r#"{"spans":[{"a":1},{"b"#,
            &[r#"0:{"a":1}"#, r#"0:{"b"#, "end true"],
        );
        check(r#"{"spans":[{"a":1}"#, &[r#"0:{"a":1}"#, "end true"]);
        check(r#"{"other":tr"#, &["end true"]);
        check("[", &["end true"]);
        check("", &["end false"]);
        check("{\"x\":1}", &["unused 0", "end false"]);
        check("{\"spans\":[],\"status\":\"x\"}", &["9:\"x\"", "end false"]);
    }
}
