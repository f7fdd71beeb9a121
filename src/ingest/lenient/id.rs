//! Trace and span ids in the spellings that occur. An id only has to name the same thing every
//! time, so free text is hashed rather than refused.

use crate::model::{SpanId, TraceId};

use super::text::decode_base64;

/// An id, and whether its spelling deserves a remark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Id<T> {
    /// Empty or all zeros: the wire format's way to say "none".
    Absent,
    /// Hex of the full length.
    Plain(T),
    /// Written in another way, named here.
    Odd(T, &'static str),
}

impl<T: Copy + Default> Id<T> {
    /// The id, zero when absent.
    pub(crate) fn get(self) -> T {
        match self {
            Self::Absent => T::default(),
            Self::Plain(id) | Self::Odd(id, _) => id,
        }
    }
}

/// Reads a trace id (16 bytes) from its text.
#[inline]
pub(crate) fn trace_id(text: &[u8]) -> Id<TraceId> {
    let spelled = match <&[u8; 32]>::try_from(text).ok().and_then(hex32) {
        Some(id) => Spelled::Plain(id),
        None => odd(
            text,
            32,
            decode_base64::<16>(text).map(u128::from_be_bytes),
            u128::MAX,
        ),
    };
    spelled.into_id(TraceId)
}

/// Reads a span id (8 bytes) from its text.
#[inline]
pub(crate) fn span_id(text: &[u8]) -> Id<SpanId> {
    let spelled = match <&[u8; 16]>::try_from(text).ok().and_then(hex16) {
        Some(id) => Spelled::Plain(u128::from(id)),
        None => {
            let base64 = decode_base64::<8>(text).map(|b| u128::from(u64::from_be_bytes(b)));
            odd(text, 16, base64, u128::from(u64::MAX))
        }
    };
    spelled.into_id(|id| SpanId((id ^ (id >> 64)) as u64))
}

/// The ids that `text` would have been read as, had it stood in an export: zero where it means none.
#[must_use]
pub fn read_ids(text: &str) -> (TraceId, SpanId) {
    let text = text.trim().as_bytes();
    (trace_id(text).get(), span_id(text).get())
}

/// An id from its binary form; anything but the exact length (or nothing) is hashed.
pub(crate) fn id_from_bytes<const N: usize>(bytes: &[u8]) -> Id<u128> {
    match <[u8; N]>::try_from(bytes) {
        Ok(id) => Spelled::Plain(id.iter().fold(0, |sum, &b| sum << 8 | u128::from(b))),
        Err(_) if bytes.is_empty() => Spelled::Plain(0),
        Err(_) => Spelled::Odd(digest(bytes), "an id of unusual length"),
    }
    .into_id(|id| id)
}

enum Spelled {
    Plain(u128),
    Odd(u128, &'static str),
}

impl Spelled {
    fn into_id<T: Copy + PartialEq + Default>(self, make: impl Fn(u128) -> T) -> Id<T> {
        let (value, how) = match self {
            Self::Plain(value) => (value, None),
            Self::Odd(value, how) => (value, Some(how)),
        };
        match (make(value), how) {
            (id, _) if id == T::default() => Id::Absent,
            (id, None) => Id::Plain(id),
            (id, Some(how)) => Id::Odd(id, how),
        }
    }
}

/// Every spelling but hex of `width` digits. The order matters: hex is tried before base64 and
/// decimal, which it cannot be told from when short.
#[cold]
fn odd(text: &[u8], width: usize, base64: Option<u128>, largest: u128) -> Spelled {
    let text = text.trim_ascii();
    if text.iter().all(|&b| b == b'0') {
        return Spelled::Plain(0);
    }
    if let Some(id) = text
        .strip_prefix(b"0x")
        .or(text.strip_prefix(b"0X"))
        .and_then(hex)
    {
        return Spelled::Odd(id, "an id with 0x in front");
    }
    if let Some(id) = decimal(text).filter(|&id| text.len() > 16 && id <= largest) {
        return Spelled::Odd(id, "a decimal id");
    }
    if let Some(id) = hex(text).filter(|_| text.len() <= width) {
        return match text.len() == width {
            true => Spelled::Plain(id),
            false => Spelled::Odd(id, "a short hex id"),
        };
    }
    if let Some(id) = base64 {
        return Spelled::Odd(id, "a base64 id");
    }
    if let Some(id) = uuid(text) {
        return Spelled::Odd(id, "a UUID as id");
    }
    Spelled::Odd(digest(text), "free text as id")
}

fn hex(text: &[u8]) -> Option<u128> {
    if text.is_empty() || text.len() > 32 {
        return None;
    }
    text.iter()
        .try_fold(0, |sum: u128, &b| Some(sum << 4 | u128::from(nibble(b)?)))
}

#[inline]
fn hex32(text: &[u8; 32]) -> Option<u128> {
    let high = hex16(text.first_chunk()?)?;
    let low = hex16(text.last_chunk()?)?;
    Some(u128::from(high) << 64 | u128::from(low))
}

/// Sixteen hex digits without a branch per digit: a value of 0xff marks a foreign byte.
#[inline]
fn hex16(text: &[u8; 16]) -> Option<u64> {
    let (mut value, mut seen) = (0u64, 0u8);
    for &byte in text {
        let nibble = NIBBLES[usize::from(byte)];
        seen |= nibble;
        value = value << 4 | u64::from(nibble & 15);
    }
    (seen < 16).then_some(value)
}

fn nibble(byte: u8) -> Option<u8> {
    Some(NIBBLES[usize::from(byte)]).filter(|&n| n < 16)
}

const NIBBLES: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b @ b'0'..=b'9' => b - b'0',
            b @ b'a'..=b'f' => b - b'a' + 10,
            b @ b'A'..=b'F' => b - b'A' + 10,
            _ => 0xff,
        };
        byte += 1;
    }
    table
};

fn decimal(text: &[u8]) -> Option<u128> {
    text.iter().try_fold(0u128, |sum, &b| {
        let digit = b.is_ascii_digit().then(|| b - b'0')?;
        sum.checked_mul(10)?.checked_add(u128::from(digit))
    })
}

fn uuid(text: &[u8]) -> Option<u128> {
    let digits: Vec<u8> = text.iter().copied().filter(|&b| b != b'-').collect();
    (text.len() == 36 && digits.len() == 32).then(|| hex(&digits))?
}

/// FNV-1a, 128 bits: the same text gives the same id on every machine and in every version.
fn digest(text: &[u8]) -> u128 {
    let seed = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let hash = text.iter().fold(seed, |hash, &byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    hash | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

    #[test]
    fn every_spelling_of_one_trace_id_agrees() {
        for text in [
            "0af7651916cd43dd8448eb211c80319c",
            "0AF7651916CD43DD8448EB211C80319C",
            "0x0af7651916cd43dd8448eb211c80319c",
            "0af76519-16cd-43dd-8448-eb211c80319c",
            "CvdlGRbNQ92ESOshHIAxnA==",
            "14577111123600834617892632391424225692",
        ] {
            if text.starts_with('1') {
                assert_eq!(
                    trace_id(text.as_bytes()).get().0,
                    text.parse::<u128>().unwrap()
                );
            } else {
                assert_eq!(trace_id(text.as_bytes()).get(), TraceId(TRACE), "{text}");
            }
        }
    }

    #[test]
    fn usual_hex_needs_no_remark_and_the_rest_does() {
        assert!(matches!(
            span_id(b"00f067aa0ba902b7"),
            Id::Plain(SpanId(0x00f0_67aa_0ba9_02b7))
        ));
        assert!(matches!(span_id(b"1234567890123456"), Id::Plain(_)));
        assert!(matches!(
            span_id(b"APBnqgupArc="),
            Id::Odd(SpanId(0x00f0_67aa_0ba9_02b7), _)
        ));
        assert!(matches!(
            span_id(b"17241709254077376921"),
            Id::Odd(SpanId(17_241_709_254_077_376_921), _)
        ));
        assert!(matches!(
            span_id(b"f067aa0ba902b7"),
            Id::Odd(SpanId(0x00f0_67aa_0ba9_02b7), _)
        ));
        assert!(matches!(
            trace_id(b"00f067aa0ba902b7"),
            Id::Odd(TraceId(0x00f0_67aa_0ba9_02b7), _)
        ));
    }

    #[test]
    fn nothing_and_zeros_are_absent() {
        assert_eq!(trace_id(b""), Id::Absent);
        assert_eq!(trace_id(b"00000000000000000000000000000000"), Id::Absent);
        assert_eq!(span_id(b"AAAAAAAAAAA="), Id::Absent);
        assert_eq!(id_from_bytes::<8>(&[0; 8]), Id::Absent);
    }

    #[test]
    fn free_text_is_stable_and_distinct() {
        let (a, b) = (
            span_id(b"span_001_initial").get(),
            span_id(b"span_002").get(),
        );
        assert_eq!(a, span_id(b"span_001_initial").get());
        assert_ne!(a, b);
        assert!(!a.is_none());
    }
}
