//! Numbers, read from their text.

use std::str;

/// The text is no number of the kind asked for: not a number at all, negative, or out of range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadNumber;

/// A whole number of zero or more. Empty text is absent. Fractions and exponents (`1.7e18`, as
/// written by exporters that compute with floats) are rounded.
pub(crate) fn unsigned(text: &[u8]) -> Result<Option<u64>, BadNumber> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(value) = digits(text) {
        return Ok(Some(value));
    }
    let value = float(text)?.round();
    // `u64::MAX as f64` is 2^64: the first value that does not fit.
    if (0.0..u64::MAX as f64).contains(&value) && !text.iter().all(u8::is_ascii_digit) {
        Ok(Some(value as u64))
    } else {
        Err(BadNumber)
    }
}

/// Unix nanoseconds; zero is the wire format's way to say "not set".
pub(crate) fn nanos_since_epoch(text: &[u8]) -> Result<Option<u64>, BadNumber> {
    Ok(unsigned(text)?.filter(|&n| n > 0))
}

/// A whole number with sign.
pub(crate) fn integer(text: &[u8]) -> Result<Option<i64>, BadNumber> {
    if text.is_empty() {
        return Ok(None);
    }
    let (negative, magnitude) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    match digits(magnitude) {
        Some(value) if negative => Ok(0i64.checked_sub_unsigned(value)).and_then(found),
        Some(value) => Ok(i64::try_from(value).ok()).and_then(found),
        None => {
            let value = float(text)?;
            let whole = value.round();
            if whole == value && whole.abs() < i64::MAX as f64 {
                Ok(Some(whole as i64))
            } else {
                Err(BadNumber)
            }
        }
    }
}

fn found(value: Option<i64>) -> Result<Option<i64>, BadNumber> {
    value.map(Some).ok_or(BadNumber)
}

/// A number with a fraction, or one of the words the JSON mapping of protobuf uses
/// (`NaN`, `Infinity`, `-Infinity`).
pub(crate) fn double(text: &[u8]) -> Result<Option<f64>, BadNumber> {
    if text.is_empty() {
        return Ok(None);
    }
    match text {
        b"NaN" => Ok(Some(f64::NAN)),
        b"Infinity" | b"+Infinity" | b"+Inf" => Ok(Some(f64::INFINITY)),
        b"-Infinity" | b"-Inf" => Ok(Some(f64::NEG_INFINITY)),
        _ => float(text).map(Some),
    }
}

/// A number times 10 to the power of `places` (at most 18), exactly where it is written without an
/// exponent: seconds become nanoseconds with 9 places. `None` when negative, too large or no
/// number.
pub(crate) fn decimal(text: &[u8], places: u32) -> Option<u64> {
    let scale = 10u64.checked_pow(places)?;
    let point = text.iter().position(|&b| b == b'.').unwrap_or(text.len());
    let (whole, fraction) = text.split_at(point);
    let fraction = fraction.get(1..).unwrap_or_default();
    let fraction = fraction.get(..fraction.len().min(places as usize))?;
    match (
        digits(whole),
        digits(fraction).or(fraction.is_empty().then_some(0)),
    ) {
        (Some(whole), Some(part)) => {
            let missing = places.checked_sub(fraction.len() as u32)?;
            let part = part.checked_mul(10u64.checked_pow(missing)?)?;
            whole.checked_mul(scale)?.checked_add(part)
        }
        _ => {
            let value = (float(text).ok()? * scale as f64).round();
            (0.0..u64::MAX as f64)
                .contains(&value)
                .then_some(value as u64)
        }
    }
}

/// A finite number; refuses the words that [`str::parse`] would take (`nan`, `inf`).
fn float(text: &[u8]) -> Result<f64, BadNumber> {
    let starts_well = text
        .first()
        .is_some_and(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.'));
    let value: f64 = str::from_utf8(text)
        .ok()
        .filter(|_| starts_well)
        .and_then(|t| t.parse().ok())
        .ok_or(BadNumber)?;
    value.is_finite().then_some(value).ok_or(BadNumber)
}

#[inline]
fn digits(text: &[u8]) -> Option<u64> {
    // 19 digits always fit.
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    let mut sum = 0u64;
    if text.len() < 20 {
        for &byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            sum = sum * 10 + u64::from(digit);
        }
        return Some(sum);
    }
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum = sum.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_keep_every_digit() {
        assert_eq!(
            unsigned(b"1703985537070558635"),
            Ok(Some(1_703_985_537_070_558_635))
        );
        assert_eq!(unsigned(b"18446744073709551615"), Ok(Some(u64::MAX)));
        assert_eq!(nanos_since_epoch(b"0"), Ok(None));
        assert_eq!(unsigned(b""), Ok(None));
    }

    #[test]
    fn floats_are_taken_and_rounded() {
        assert_eq!(unsigned(b"1.5e9"), Ok(Some(1_500_000_000)));
        assert_eq!(unsigned(b"12.0"), Ok(Some(12)));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for bad in [
            "-1",
            "18446744073709551616",
            "99999999999999999999999",
            "1e30",
            "x",
            "NaN",
            "0x10",
            "-",
        ] {
            assert_eq!(unsigned(bad.as_bytes()), Err(BadNumber), "{bad}");
        }
        assert_eq!(integer(b"9223372036854775808"), Err(BadNumber));
        assert_eq!(integer(b"1.5"), Err(BadNumber));
        assert_eq!(double(b"nan"), Err(BadNumber));
        assert_eq!(double(b"1e999"), Err(BadNumber));
    }

    #[test]
    fn seconds_become_nanoseconds_exactly() {
        assert_eq!(
            decimal(b"1760000000.25", 9),
            Some(1_760_000_000_250_000_000)
        );
        assert_eq!(
            decimal(b"1760000000.1234567891", 9),
            Some(1_760_000_000_123_456_789)
        );
        assert_eq!(decimal(b"1760000000", 9), Some(1_760_000_000_000_000_000));
        assert_eq!(decimal(b"1.5e3", 6), Some(1_500_000_000));
        for bad in ["-1", "", "x", "1.x", "99999999999999999999", "1e30"] {
            assert_eq!(decimal(bad.as_bytes(), 9), None, "{bad}");
        }
    }

    #[test]
    fn signs_and_words() {
        assert_eq!(integer(b"-9223372036854775808"), Ok(Some(i64::MIN)));
        assert_eq!(integer(b"42.0"), Ok(Some(42)));
        assert_eq!(double(b"-Infinity"), Ok(Some(f64::NEG_INFINITY)));
        assert!(double(b"NaN").unwrap().unwrap().is_nan());
    }
}
