//! JSON escapes and base64.

/// What stands in for bytes that cannot be read.
const REPLACEMENT: char = '\u{fffd}';

/// Resolves the backslash escapes of a JSON string; what cannot be resolved becomes U+FFFD.
#[must_use]
pub(crate) fn unescape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        text.push_str(&String::from_utf8_lossy(plain));
        let (character, used) = escape_sequence(escape);
        text.push(character);
        rest = escape.get(used..).unwrap_or_default();
    }
    text.push_str(&String::from_utf8_lossy(rest));
    text
}

/// The character that an escape at the start of `bytes` stands for, and how many bytes it took.
fn escape_sequence(bytes: &[u8]) -> (char, usize) {
    let simple = match bytes.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(&same @ (b'"' | b'\\' | b'/')) => char::from(same),
        Some(b'u') => return unicode_escape(bytes),
        // Left in place: the byte after a stray backslash may start a longer character.
        _ => return (REPLACEMENT, 1),
    };
    (simple, 2)
}

fn unicode_escape(bytes: &[u8]) -> (char, usize) {
    let Some(high) = code_unit(bytes) else {
        return (REPLACEMENT, 2);
    };
    if !(0xd800..0xdc00).contains(&high) {
        return (char::from_u32(high).unwrap_or(REPLACEMENT), 6);
    }
    match bytes.get(6..).and_then(code_unit) {
        Some(low @ 0xdc00..0xe000) => {
            let joined = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            (char::from_u32(joined).unwrap_or(REPLACEMENT), 12)
        }
        _ => (REPLACEMENT, 6),
    }
}

/// The four hex digits of `\uXXXX` at the start of `bytes`.
fn code_unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    digits
        .iter()
        .try_fold(0, |sum, &d| Some(sum * 16 + char::from(d).to_digit(16)?))
}

/// Decodes base64 (standard or URL alphabet, padding optional) into `N` bytes exactly.
pub(crate) fn decode_base64<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let body = text
        .strip_suffix(b"==")
        .or(text.strip_suffix(b"="))
        .unwrap_or(text);
    if body.len() != (N * 8).div_ceil(6) {
        return None;
    }
    let (mut bits, mut held, mut filled) = (0u32, 0, 0);
    let mut out = [0; N];
    for &digit in body {
        bits = bits << 6 | u32::from(base64_digit(digit)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            *out.get_mut(filled)? = (bits >> held) as u8;
            filled += 1;
            bits &= (1 << held) - 1;
        }
    }
    (filled == N && bits == 0).then_some(out)
}

fn base64_digit(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unescape(br#"a\n\t\"\\\/\u00e9"#), "a\n\t\"\\/é");
        assert_eq!(unescape(br"\ud83d\ude00!"), "😀!");
    }

    #[test]
    fn broken_escapes_become_the_replacement_character() {
        assert_eq!(unescape(br"\ud83d!"), "\u{fffd}!");
        assert_eq!(unescape(br"\ude00"), "\u{fffd}");
        assert_eq!(unescape(br"\u12"), "\u{fffd}12");
        assert_eq!(unescape(br"\x"), "\u{fffd}x");
        assert_eq!(unescape(b"end\\"), "end\u{fffd}");
        assert_eq!(unescape(b"\\\xc3\xa9"), "\u{fffd}é");
        assert_eq!(unescape(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn base64_must_fit_exactly() {
        assert_eq!(
            decode_base64::<8>(b"AQIDBAUGBwg="),
            Some([1, 2, 3, 4, 5, 6, 7, 8])
        );
        assert_eq!(
            decode_base64::<8>(b"AQIDBAUGBwg"),
            Some([1, 2, 3, 4, 5, 6, 7, 8])
        );
        assert_eq!(
            decode_base64::<8>(b"AQIDBAUGBwk"),
            Some([1, 2, 3, 4, 5, 6, 7, 9])
        );
        assert_eq!(decode_base64::<8>(b"AQIDBAUGBwh="), None);
        assert_eq!(decode_base64::<16>(b"AQIDBAUGBwg="), None);
    }
}
