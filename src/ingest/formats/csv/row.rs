//! Rows and cells, with quotes as RFC 4180 has them. A quote opens a cell only at its start and closes it
//! only at its end; any other stands for itself, so that one stray quote costs a row and not the table.

use memchr::{memchr, memchr2};

use crate::ingest::json::{escape, plain_run};

/// A cell as it stands, without the quotes around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell<'a> {
    bytes: &'a [u8],
    /// Quotes inside are doubled.
    doubled: bool,
}

impl<'a> Cell<'a> {
    /// True when nothing but white space is in it.
    pub(super) fn is_blank(self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }

    /// Its first byte that is not white space.
    pub(super) fn first(self) -> Option<u8> {
        self.bytes.trim_ascii_start().first().copied()
    }

    /// What it says, appended to `into` without white space around.
    pub(super) fn text(self, into: &mut Vec<u8>) {
        let mut rest = self.bytes.trim_ascii();
        while let Some(at) = memchr(b'"', rest).filter(|_| self.doubled) {
            let (run, after) = rest.split_at(at + 1);
            into.extend(run);
            rest = after.strip_prefix(b"\"").unwrap_or(after);
        }
        into.extend(rest);
    }

    /// What it says, appended to `into` as a JSON string.
    pub(super) fn quote(self, into: &mut Vec<u8>) {
        let mut rest = self.bytes.trim_ascii();
        into.push(b'"');
        loop {
            let (run, after) = rest.split_at(plain_run(rest));
            into.extend(run);
            let Some((&byte, after)) = after.split_first() else {
                break;
            };
            escape(byte, into);
            rest = match after.strip_prefix(b"\"") {
                Some(after) if byte == b'"' && self.doubled => after,
                _ => after,
            };
        }
        into.push(b'"');
    }
}

/// Offset of the line break that ends the row starting at `start`; `None` when the bytes end first.
pub(super) fn end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr2(b'"', b'\n', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'\n') {
            return Some(at);
        }
        let before = bytes.get(start..at)?.trim_ascii_end();
        at += 1;
        if matches!(before.last(), None | Some(b',')) {
            at = closing(bytes, at)?.0 + 1;
        }
    }
}

/// The cells of the row that starts at `start`, put into `cells`; where the next row starts.
pub(super) fn read<'a>(bytes: &'a [u8], start: usize, cells: &mut Vec<Cell<'a>>) -> usize {
    cells.clear();
    let mut at = start;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let blanks = rest.iter().take_while(|b| **b == b' ').count();
        let closed = match rest.get(blanks) {
            Some(b'"') => closing(bytes, at + blanks + 1),
            _ => None,
        };
        let (inside, end, doubled) = match closed {
            Some((quote, doubled)) => (at + blanks + 1..quote, quote + 1, doubled),
            None => {
                let end = at + memchr2(b',', b'\n', rest).unwrap_or(rest.len());
                (at..end, end, false)
            }
        };
        let inside = bytes.get(inside).unwrap_or_default();
        cells.push(Cell {
            bytes: inside,
            doubled,
        });
        // After a closing quote a carriage return may stand.
        let tail = bytes.get(end..).unwrap_or_default();
        let gap = tail.iter().take_while(|b| **b == b'\r').count();
        match tail.get(gap) {
            Some(b',') => at = end + gap + 1,
            Some(b'\n') => return end + gap + 1,
            _ => return memchr(b'\n', tail).map_or(bytes.len(), |at| end + at + 1),
        }
    }
}

/// Offset of the quote that closes the cell whose inside starts at `start`, and whether others stand inside.
fn closing(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let (mut at, mut doubled) = (start, false);
    loop {
        at += memchr(b'"', bytes.get(at..)?)?;
        match bytes.get(at + 1) {
            None | Some(b',' | b'\n' | b'\r') => return Some((at, doubled)),
            Some(b'"') => at += 2,
            Some(_) => at += 1,
        }
        doubled = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut cells, mut at) = (Vec::new(), Vec::new(), 0);
        while at < text.len() {
            let next = read(text.as_bytes(), at, &mut cells);
            let ended = end(text.as_bytes(), at).map_or(text.len(), |end| end + 1);
            assert!(
                next == ended || !text[at..next].trim_end().contains('\n'),
                "{text:?}"
            );
            rows.push(cells.iter().map(|cell| said(*cell)).collect());
            at = next;
        }
        rows
    }

    fn said(cell: Cell<'_>) -> String {
        let (mut text, mut quoted) = (Vec::new(), Vec::new());
        cell.text(&mut text);
        cell.quote(&mut quoted);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(serde_json::from_slice::<String>(&quoted).unwrap(), text);
        text
    }

    #[test]
    fn quotes_hold_commas_breaks_and_quotes() {
        let text = "a,\"b,c\",\"d \"\"e\"\"\n\\f\t\"\r\n,,\nlast, \"x\"";
        let expected: [&[&str]; 3] = [&["a", "b,c", "d \"e\"\n\\f"], &["", "", ""], &["last", "x"]];
        assert_eq!(split(text), expected);
        assert_eq!(split("\"\",\"\"\"\"\n\n"), [vec!["", "\""], vec![""]]);
        assert!(split("").is_empty());
    }

    #[test]
    fn stray_quotes_stand_for_themselves() {
        let text = "5\" pipe,\"he said \"no\" twice\",x\n\"open, to the end\nx\"y\"\n";
        let expected: [&[&str]; 3] = [
            &["5\" pipe", "he said \"no\" twice", "x"],
            &["open, to the end\nx\"y"],
            &[],
        ];
        assert_eq!(split(text), expected[..2]);
        assert_eq!(
            split("\"open, to the end\nx"),
            [vec!["\"open", "to the end"], vec!["x"]]
        );
        assert_eq!(split("\"a\"\rb,c\nd"), [["a"], ["d"]]);
    }
}
