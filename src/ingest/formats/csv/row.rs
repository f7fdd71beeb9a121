//! Rows and cells, with quotes as RFC 4180 has them.

use std::borrow::Cow;
use std::ops::Range;

/// The rows of `bytes`: a line break inside quotes ends none.
pub(super) fn rows(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let mut quoted = false;
        let end = memchr::memchr2_iter(b'"', b'\n', rest).find(|&at| {
            let quote = rest.get(at) == Some(&b'"');
            quoted ^= quote;
            !quote && !quoted
        });
        let length = end.unwrap_or(rest.len());
        let row = start..start + length;
        start = row.end + 1;
        Some(row)
    })
}

/// The cells of a row, unquoted.
pub(super) fn cells(row: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    let mut rest = Some(row);
    std::iter::from_fn(move || {
        let here = rest?;
        let mut quoted = false;
        let end = here.iter().position(|&b| {
            quoted ^= b == b'"';
            b == b',' && !quoted
        });
        let cell = here.get(..end.unwrap_or(here.len())).unwrap_or_default();
        rest = end.and_then(|end| here.get(end + 1..));
        Some(unquoted(cell))
    })
}

fn unquoted(cell: &[u8]) -> Cow<'_, [u8]> {
    let inside = cell
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    match inside {
        None => Cow::Borrowed(cell),
        Some(inside) if !inside.contains(&b'"') => Cow::Borrowed(inside),
        Some(inside) => {
            let mut text = Vec::with_capacity(inside.len());
            let mut bytes = inside.iter();
            while let Some(&byte) = bytes.next() {
                text.push(byte);
                if byte == b'"' {
                    bytes.next();
                }
            }
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<Vec<String>> {
        rows(text.as_bytes())
            .map(|row| {
                cells(&text.as_bytes()[row])
                    .map(|cell| String::from_utf8_lossy(&cell).into_owned())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn quotes_hold_commas_breaks_and_quotes() {
        let text = "a,\"b,c\",\"d \"\"e\"\"\n f\"\r\n,,\nlast";
        let expected: [&[&str]; 3] = [&["a", "b,c", "d \"e\"\n f"], &["", "", ""], &["last"]];
        assert_eq!(split(text), expected);
        assert_eq!(split("\"open, to the end\nx"), [["\"open, to the end\nx"]]);
        assert!(split("").is_empty());
    }
}
