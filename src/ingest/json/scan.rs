//! The inner loops: where a string ends, where a value ends.

use memchr::memchr2;

/// Strings longer than this are prompts and answers: worth the start-up cost of a vector search.
const SHORT: usize = 64;

/// Where the string whose inside starts at `start` has its closing quote, and whether a backslash
/// comes before it. `None` when the slice ends first.
#[inline]
pub(super) fn string_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let (mut at, mut escaped) = (start, false);
    loop {
        at = next_quote_or_backslash(bytes, at)?;
        if bytes.get(at) == Some(&b'"') {
            return Some((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// Eight bytes at a time for short strings, a vector search once it turns out to be a long one.
#[inline]
fn next_quote_or_backslash(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while at < start + SHORT {
        let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
            break;
        };
        let word = u64::from_le_bytes(*word);
        let hits = zero_bytes(word ^ repeat(b'"')) | zero_bytes(word ^ repeat(b'\\'));
        if hits != 0 {
            return Some(at + (hits.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    memchr2(b'"', b'\\', bytes.get(at..)?).map(|found| at + found)
}

const fn repeat(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

/// Marks the lowest zero byte of `word` (marks above it can be false, which nobody looks at).
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(repeat(1)) & !word & repeat(0x80)
}

/// The bare word (number, `true`, …) at `start`.
#[inline]
pub(super) fn word(bytes: &[u8], start: usize) -> &[u8] {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|b| matches!(b, b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[' | 0..=b' '))
        .unwrap_or(rest.len());
    rest.get(..length).unwrap_or_default()
}

/// How far a value reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extent {
    /// Offset just after it.
    Ends(usize),
    /// The slice ends inside it.
    Unfinished,
}

/// How far the value at `start` reaches, judged by brackets and quotes alone.
pub(crate) fn extent(bytes: &[u8], start: usize) -> Extent {
    match bytes.get(start) {
        None => Extent::Unfinished,
        Some(b'"') => match string_end(bytes, start + 1) {
            Some((end, _)) => Extent::Ends(end + 1),
            None => Extent::Unfinished,
        },
        Some(b'{' | b'[') => container_extent(bytes, start),
        Some(_) => match word(bytes, start).len() {
            0 => Extent::Ends(start + 1),
            n if start + n < bytes.len() => Extent::Ends(start + n),
            _ => Extent::Unfinished,
        },
    }
}

fn container_extent(bytes: &[u8], start: usize) -> Extent {
    let (mut at, mut depth) = (start, 0usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => match string_end(bytes, at + 1) {
                Some((end, _)) => at = end,
                None => return Extent::Unfinished,
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Extent::Ends(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Extent::Unfinished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_their_quote_at_any_distance() {
        for length in 0..200 {
            let text = format!("{}\"tail", "x".repeat(length));
            assert_eq!(string_end(text.as_bytes(), 0), Some((length, false)));
            let text = format!("{}\\\"\\\\\"", "x".repeat(length));
            assert_eq!(string_end(text.as_bytes(), 0), Some((length + 4, true)));
            assert_eq!(
                string_end(format!("{}\\\"", "x".repeat(length)).as_bytes(), 0),
                None
            );
        }
    }

    #[test]
    fn bytes_with_high_bits_are_no_quotes() {
        let mut bytes = vec![
            0xa2, 0xdc, 0x80, 0xff, 0x21, 0x23, 0x5b, 0x5d, 0xe2, 0x82, 0xac, 1,
        ];
        bytes.push(b'"');
        assert_eq!(string_end(&bytes, 0), Some((12, false)));
    }

    #[test]
    fn extents() {
        assert_eq!(extent(b"{\"a\":[\"}\"]},1", 0), Extent::Ends(11));
        assert_eq!(extent(b"12,", 0), Extent::Ends(2));
        assert_eq!(extent(b"12", 0), Extent::Unfinished);
        assert_eq!(extent(b"[[]", 0), Extent::Unfinished);
    }
}
