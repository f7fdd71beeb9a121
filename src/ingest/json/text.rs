//! Writing the little JSON that tables are turned into, so that one reader serves both.

use super::{Extent, extent};

/// Appends `bytes` as a JSON string.
pub(crate) fn quote(bytes: &[u8], into: &mut Vec<u8>) {
    into.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => into.extend([b'\\', byte]),
            b'\n' => into.extend(b"\\n"),
            b'\r' => into.extend(b"\\r"),
            b'\t' => into.extend(b"\\t"),
            0..0x20 => into.extend(format!("\\u{byte:04x}").as_bytes()),
            _ => into.push(byte),
        }
    }
    into.push(b'"');
}

/// True when a text is a whole JSON object or list, packed.
pub(crate) fn is_whole(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let begins = matches!(
        text,
        [b'{', b'"', ..] | [b'[', b'"', ..] | [b'[', b'{', b'"', ..] | b"{}" | b"[]"
    );
    begins && extent(text, 0) == Extent::Ends(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_packed_json_is_seen() {
        let mut into = Vec::new();
        quote(b"a\"b\\\n\x01", &mut into);
        assert_eq!(into, br#""a\"b\\\n\u0001""#);
        for whole in ["{}", "[]", "{\"a\":1}", " [\"x\"] ", "[{\"a\":[]}]"] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
        }
        for not in ["", "{", "{a}", "{\"a\":1} x", "[1]", "text"] {
            assert!(!is_whole(not.as_bytes()), "{not}");
        }
    }
}
