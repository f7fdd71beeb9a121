//! Text that fits: cleaned of control characters, cut or wrapped to a width in columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Printable, and one column to a byte: nearly every text, which needs no tables of characters.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Columns that `text` takes.
pub(super) fn width(text: &str) -> usize {
    match is_plain(text) {
        true => text.len(),
        false => text.width(),
    }
}

/// Names come from the dump and may hold anything, escape sequences included: what a terminal would
/// obey becomes `?`.
#[must_use]
pub fn clean(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let harmless = |c: char| if c.is_control() || is_bidi(c) { '?' } else { c };
    text.chars().map(harmless).collect()
}

/// Characters that reorder the text around them.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` in at most `width` columns; a cut is marked.
pub(super) fn cut(text: &str, width: usize, mark: &str) -> String {
    if self::width(text) <= width {
        return text.to_owned();
    }
    let (head, _) = split_at_width(text, width.saturating_sub(self::width(mark)));
    format!("{}{mark}", head.trim_end())
}

/// `text` padded with spaces to `width` columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(self::width(text));
    format!("{text}{:spaces$}", "")
}

/// `text` in lines of at most `width` columns, broken between words where possible.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for word in text.split_whitespace() {
        let mut rest = word;
        let mut long = self::width(rest);
        if used > 0 && used + 1 + long > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while long > width {
            let (head, tail) = split_at_width(rest, width);
            lines.push(head.to_owned());
            rest = tail;
            long = self::width(rest);
        }
        if used > 0 && !rest.is_empty() {
            line.push(' ');
            used += 1;
        }
        line.push_str(rest);
        used += long;
    }
    if used > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Splits before the character that would exceed `width`, but never before the first one.
fn split_at_width(text: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width && at > 0 {
            return text.split_at(at);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wider_than_asked_for() {
        let text = "a tool took 検索検索検索検索検索 longer than_it_usually_ever_does";
        for width in 2..40 {
            assert!(wrap(text, width).iter().all(|line| line.width() <= width));
            assert!(cut(text, width, ".").width() <= width);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_replaced() {
        assert_eq!(clean("a\x1b[2Jb\nc\u{202e}d"), "a?[2Jb?c?d");
    }

    #[test]
    fn words_stay_whole_while_they_fit() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("", 8), [""]);
    }
}
