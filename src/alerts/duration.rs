//! Durations as rule files write them: `5m`, `1h30m`, `1d`.

/// Milliseconds of a duration; `None` when it is not one.
///
/// Source: Prometheus, `model.ParseDuration`: units in descending order, each at most once.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut total, mut from) = (text, 0i64, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic());
        let (unit, after) = rest.split_at(letters.unwrap_or(rest.len()));
        let index = UNITS.iter().position(|(name, _)| *name == unit)?;
        if index < from {
            return None;
        }
        from = index + 1;
        total = total.checked_add(number.checked_mul(UNITS[index].1)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// A duration as Prometheus writes it; zero is `0s`.
#[must_use]
pub fn show(millis: i64) -> String {
    const UNITS: [(&str, i64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    if millis <= 0 {
        return "0s".to_owned();
    }
    let (mut rest, mut text) = (millis, String::new());
    for (name, size) in UNITS {
        if rest >= size {
            text += &format!("{}{name}", rest / size);
            rest %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_units_in_descending_order() {
        for (text, millis) in [
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("1d", Some(86_400_000)),
            ("90ms", Some(90)),
            ("0", Some(0)),
            ("", None),
            ("5", None),
            ("5x", None),
            ("5m1h", None),
            ("m", None),
            ("-5m", None),
        ] {
            assert_eq!(parse(text), millis, "{text}");
        }
        assert_eq!(show(5_400_000), "1h30m");
    }
}
