//! Writing the little JSON that tables are turned into, so that one reader serves both.

use super::{Extent, extent};

/// Appends `bytes` as a JSON string.
pub(crate) fn quote(bytes: &[u8], into: &mut Vec<u8>) {
    let mut rest = bytes;
    into.push(b'"');
    loop {
        let (run, after) = rest.split_at(plain_run(rest));
        into.extend(run);
        let Some((&byte, after)) = after.split_first() else {
            break;
        };
        escape(byte, into);
        rest = after;
    }
    into.push(b'"');
}

/// Appends one byte that may not stand in a JSON string as it is.
pub(crate) fn escape(byte: u8, into: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => into.extend([b'\\', byte]),
        b'\n' => into.extend(b"\\n"),
        b'\r' => into.extend(b"\\r"),
        b'\t' => into.extend(b"\\t"),
        _ => into.extend(format!("\\u{byte:04x}").as_bytes()),
    }
}

/// How many bytes from the start may stand in a JSON string as they are.
pub(crate) fn plain_run(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    // A block is looked at whole: comparing without a way out is done for all its bytes at once.
    let blocks = bytes.chunks_exact(BLOCK);
    let plain = blocks.take_while(|block| !block.iter().fold(false, |any, &b| any | special(b)));
    let start = plain.count() * BLOCK;
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|&b| special(b)).unwrap_or(rest.len())
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
