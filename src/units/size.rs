//! Amounts of bytes as people write them.

use std::str::FromStr;

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bytes(pub u64);

/// Units of 1000 and, with an `i`, of 1024.
const UNITS: &[(&str, u64)] = &[
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("k", 1_000),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("B", 1),
];

/// Why a text is no amount of bytes.
#[derive(Debug, thiserror::Error)]
#[error("expected a whole number of bytes, such as 500000, 64MB or 2GiB")]
pub struct BadBytes;

impl FromStr for Bytes {
    type Err = BadBytes;

    fn from_str(text: &str) -> Result<Self, BadBytes> {
        let text = text.trim();
        let known = |(unit, factor): &(&str, u64)| Some((text.strip_suffix(unit)?, *factor));
        let (digits, factor) = UNITS.iter().find_map(known).unwrap_or((text, 1));
        let number: u64 = digits.trim_end().parse().map_err(|_| BadBytes)?;
        number.checked_mul(factor).map(Self).ok_or(BadBytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_of_a_thousand_or_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("512B", 512),
            ("64MB", 64_000_000),
            ("64 MiB", 64 << 20),
            ("2GiB", 2 << 30),
            ("3k", 3_000),
        ] {
            let read: Bytes = text.parse().unwrap();
            assert_eq!(read, Bytes(bytes), "{text}");
        }
        for text in ["", "MB", "-1", "1.5GB", "1 TB", "64MBMB", "99999999999GB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }
}
