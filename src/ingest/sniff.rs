//! What a file is, decided by its first bytes and never by its name.

use super::formats::{FORMATS, Format, Head, Known, Layout, known_but_unread, lines};
use super::json::{Extent, Shape, extent};

/// How much of a file is looked at.
pub(crate) const HEAD: usize = 256 * 1024;
/// How many lines are tried as the first one: log lines may come before the data.
const TRIES: usize = 50;

/// What was decided.
pub(crate) enum Verdict {
    /// A readable format, and how the file begins.
    Readable(&'static Format, Layout, String),
    /// A format that is known and not read.
    Known(Known),
    /// Nothing but white space.
    Empty,
    /// Not recognised; how it begins, and whether it is text at all.
    Unknown(String, bool),
}

/// Decides by the first bytes of a file; `whole` when they are all of it.
pub(crate) fn sniff(bytes: &[u8], whole: bool) -> Verdict {
    if bytes.trim_ascii().is_empty() {
        return Verdict::Empty;
    }
    let outline = Shape::of(bytes);
    let lines = stands_in_lines(bytes, whole, outline.as_ref());
    let head = |shape| Head {
        bytes,
        shape,
        lines,
    };
    for last_resort in [false, true] {
        for shape in candidates(bytes, outline.clone()) {
            let head = head(shape);
            let fitting = FORMATS
                .iter()
                .filter(|format| format.last_resort == last_resort)
                .find_map(|format| Some((format, (format.recognise)(&head)?)));
            if let Some((format, layout)) = fitting {
                return Verdict::Readable(format, layout, describe(&head));
            }
        }
    }
    let head = head(outline);
    match known_but_unread(&head) {
        Some(known) => Verdict::Known(known),
        None => Verdict::Unknown(describe(&head), is_text(bytes)),
    }
}

/// How a file that begins with `bytes` is laid out as `format`; `None` when it is not of that format.
pub(crate) fn layout_as(format: &Format, bytes: &[u8], whole: bool) -> Option<Layout> {
    let outline = Shape::of(bytes);
    let lines = stands_in_lines(bytes, whole, outline.as_ref());
    candidates(bytes, outline).find_map(|shape| {
        (format.recognise)(&Head {
            bytes,
            shape,
            lines,
        })
    })
}

/// The outline of the beginning, then those of the first lines that begin like JSON.
fn candidates<'a>(
    bytes: &'a [u8],
    outline: Option<Shape<'a>>,
) -> impl Iterator<Item = Option<Shape<'a>>> {
    let later = lines(bytes)
        .skip(1)
        .take(TRIES)
        .filter_map(|(line, _)| bytes.get(line.start..))
        .filter(|rest| rest.first() == Some(&b'{'))
        .map(Shape::of);
    std::iter::once(outline).chain(later)
}

/// A line, and whether it has an end.
type Line = (std::ops::Range<usize>, bool);

/// True when JSON values stand one to a line: some line that begins with a brace is complete in
/// itself. An array is one value and stands in lines only when its first line is all of it.
fn stands_in_lines(bytes: &[u8], whole: bool, outline: Option<&Shape<'_>>) -> bool {
    // `end` is where the value ends that begins at `start`.
    let complete = |(line, ended): &Line, start: usize, end: usize| {
        let text = bytes.get(..line.end).unwrap_or_default().trim_ascii_end();
        let alone = matches!(text.get(end), None | Some(b'{'));
        alone && text.len() > start + 2 && (*ended || whole)
    };
    let within = |line: Line| {
        let text = bytes.get(..line.0.end).unwrap_or_default();
        let begun = text.get(line.0.start..).unwrap_or_default();
        let start = text.len() - begun.trim_ascii_start().len();
        matches!(extent(text, start), Extent::Ends(end) if complete(&line, start, end))
    };
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return lines(bytes).next().is_some_and(within);
    }
    let mut braces = lines(bytes)
        .take(TRIES)
        .filter(|(line, _)| bytes.get(line.start) == Some(&b'{'));
    let Some(first) = braces.next() else {
        return false;
    };
    // The outline begins where the text does.
    let text = bytes.len() - bytes.trim_ascii_start().len();
    let outline = outline.filter(|_| first.0.start == text);
    let end = outline.and_then(Shape::end).map(Extent::Ends);
    match end.unwrap_or_else(|| extent(bytes, first.0.start)) {
        // What stands in lines of its own inside a value that ends in a later one is part of it.
        Extent::Ends(end) if end > first.0.end => false,
        Extent::Ends(end) if complete(&first, first.0.start, end) => true,
        _ => braces.any(within),
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let start = bytes.get(..bytes.len().min(4_096)).unwrap_or_default();
    let valid = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid && !start.contains(&0)
}

/// How the file begins, without quoting its contents.
fn describe(head: &Head<'_>) -> String {
    if let Some(shape) = &head.shape {
        let keys: Vec<&str> = shape
            .outermost()
            .iter()
            .take(6)
            .map(String::as_str)
            .collect();
        let what = if shape.is_list() {
            "a JSON array"
        } else {
            "a JSON object"
        };
        return match keys.is_empty() {
            true => format!("it begins like {what} without keys"),
            false => format!("it begins like {what} with the keys {}", keys.join(", ")),
        };
    }
    if is_text(head.bytes) {
        return "it begins like plain text".into();
    }
    let hex: Vec<String> = head
        .bytes
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("it begins with the bytes {}", hex.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> String {
        match sniff(text.as_bytes(), true) {
            Verdict::Readable(format, layout, _) => format!("{} {}", format.name, layout.word()),
            Verdict::Known(known) => known.name.into(),
            Verdict::Empty => "empty".into(),
            Verdict::Unknown(what, _) => what,
        }
    }

    #[test]
    fn arrangement_is_seen() {
        let one = r#"{"resourceSpans":[]}"#;
        for lines in [
            one.to_owned(),
            format!("{one}\n{one}\n"),
            format!("{one}{one}\n"),
            format!("noise\n{{bad\n{one}\n"),
        ] {
            assert_eq!(verdict(&lines), "otlp-json lines", "{lines}");
        }
        for documents in [
            format!("[{one},\n{one}]"),
            "{\n \"resourceSpans\": [\n ]\n}\n".to_owned(),
            "{\"resourceSpans\":[\n{\"scopeSpans\":[]},\n{\"scopeSpans\":[]}\n]}\n".to_owned(),
        ] {
            assert_eq!(verdict(&documents), "otlp-json documents", "{documents}");
        }
        assert_eq!(verdict(&format!("[{one},{one}]\n")), "otlp-json lines");
    }

    #[test]
    fn what_is_not_known_is_described() {
        assert_eq!(verdict(" \n"), "empty");
        assert_eq!(verdict("hello"), "it begins like plain text");
        assert_eq!(
            verdict("{\"a\":{\"b\":1},\"c\":2}"),
            "it begins like a JSON object with the keys a, c"
        );
        assert_eq!(verdict("\0\u{1}\u{2}"), "it begins with the bytes 00 01 02");
    }
}
