//! Quantities as people write and read them: `2.34 s`, `$12.31`, `12,431`, `4.9%`, `500ms`.
//!
//! ASCII only and without locale, so that the same report has the same bytes everywhere.

use std::str::FromStr;

use jiff::Timestamp;

use super::{Nanos, Usd};

/// A duration with three significant digits, or two units from a minute up.
#[must_use]
pub fn duration(time: Nanos) -> String {
    let secs = time.as_secs();
    let whole = secs.round() as u64;
    match time.0 {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{} ns", time.0),
        1_000..1_000_000 => format!("{:.0} us", secs * 1e6),
        1_000_000..9_950_000 => format!("{:.1} ms", secs * 1e3),
        9_950_000..999_500_000 => format!("{:.0} ms", secs * 1e3),
        999_500_000..9_995_000_000 => format!("{secs:.2} s"),
        9_995_000_000..59_950_000_000 => format!("{secs:.1} s"),
        _ if whole < 3_600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ if whole < 86_400 => format!("{} h {:02} min", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{} d {:02} h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

/// A duration in at most seven characters, for tables: `812 ms`, `2.34 s`, `6m12s`, `3h05m`.
#[must_use]
pub fn short(time: Nanos) -> String {
    let whole = time.as_secs().round() as u64;
    match time.0 {
        0..59_950_000_000 => duration(time),
        _ if whole < 3_600 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ if whole < 86_400 => format!("{}h{:02}m", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{}d{:02}h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

/// Dollars: cents from a dollar up, more digits below.
#[must_use]
pub fn money(amount: Usd) -> String {
    let dollars = amount.as_dollars().abs();
    let sign = if amount.0 < 0 { "-" } else { "" };
    match dollars {
        0.0 => "$0".to_owned(),
        d if d >= 0.995 => {
            let cents = (d * 100.0).round() as u64;
            format!("{sign}${}.{:02}", count(cents / 100), cents % 100)
        }
        d if d >= 0.01 => format!("{sign}${d:.3}"),
        d if d >= 0.000_001 => format!("{sign}${d:.6}"),
        _ => format!("{sign}<$0.000001"),
    }
}

/// A whole number with thousands separated.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun: `1 request`, `2 requests`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// A large number in four characters or so: `8412`, `84.1k`, `1.23M`.
#[must_use]
pub fn compact(number: u64) -> String {
    let n = number as f64;
    match number {
        0..10_000 => number.to_string(),
        10_000..99_950 => format!("{:.1}k", n / 1e3),
        99_950..999_500 => format!("{:.0}k", n / 1e3),
        999_500..9_995_000 => format!("{:.2}M", n / 1e6),
        9_995_000..99_950_000 => format!("{:.1}M", n / 1e6),
        99_950_000..999_500_000 => format!("{:.0}M", n / 1e6),
        _ => format!("{:.2}G", n / 1e9),
    }
}

/// Bytes in decimal units.
#[must_use]
pub fn bytes(number: u64) -> String {
    let n = number as f64;
    match number {
        0..1_000 => format!("{number} B"),
        1_000..1_000_000 => format!("{:.1} kB", n / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n / 1e6),
        _ => format!("{:.2} GB", n / 1e9),
    }
}

/// A share in percent that never rounds something to nothing, nor nearly all to all.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p <= 0.0 => "0%".to_owned(),
        p if p < 0.1 => "<0.1%".to_owned(),
        p if p < 9.95 => format!("{p:.1}%"),
        p if (99.5..100.0).contains(&p) => ">99%".to_owned(),
        p => format!("{p:.0}%"),
    }
}

/// A measured value in its unit, as evidence names it.
#[must_use]
pub fn measured(value: f64, unit: &str) -> String {
    match unit {
        "ms" => match Nanos::from_millis(value) {
            Some(time) => duration(time),
            None => format!("{} ms", plain(value)),
        },
        "" => plain(value),
        "tokens" | "calls" if value >= 0.0 => counted_in(value.round() as u64, unit),
        "USD" | "usd" => Usd::from_dollars(value).map_or_else(|| plain(value), money),
        _ => format!("{} {unit}", plain(value)),
    }
}

fn counted_in(number: u64, unit: &str) -> String {
    let unit = if number == 1 {
        unit.trim_end_matches('s')
    } else {
        unit
    };
    format!("{} {unit}", count(number))
}

/// A number with three significant digits and no more zeros than needed.
#[must_use]
pub fn plain(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if !value.is_finite() => return "unknown".to_owned(),
        s if (99.95..1e15).contains(&s) => {
            let sign = if value < 0.0 { "-" } else { "" };
            return format!("{sign}{}", count(size.round() as u64));
        }
        s if s >= 9.995 => format!("{value:.1}"),
        s if s >= 0.0995 => format!("{value:.2}"),
        s if s >= 0.000_995 => {
            let zeros = (-s.log10()).ceil().max(0.0) as usize;
            format!("{value:.0$}", zeros + 2)
        }
        0.0 => return "0".to_owned(),
        _ => return format!("{value:.2e}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An instant to the second, UTC: `2026-05-03 08:00:12`.
#[must_use]
pub fn instant(time: Nanos) -> String {
    match Timestamp::from_nanosecond(i128::from(time.0)) {
        Ok(stamp) => format!("{stamp:.0}").replace('T', " ").replace('Z', ""),
        Err(_) => format!("{} ns", time.0),
    }
}

/// An instant as RFC 3339 with nanoseconds, UTC.
#[must_use]
pub fn rfc3339(time: Nanos) -> String {
    match Timestamp::from_nanosecond(i128::from(time.0)) {
        Ok(stamp) => format!("{stamp:.9}"),
        Err(_) => String::new(),
    }
}

/// From one instant to another, the date said once: `2026-05-03 08:00:12 to 09:12:00 UTC`.
#[must_use]
pub fn span_of_time(start: Nanos, end: Nanos) -> String {
    let (from, to) = (instant(start), instant(end));
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, _)), Some((same, clock))) if day == same => format!("{from} to {clock} UTC"),
        _ => format!("{from} to {to} UTC"),
    }
}

/// True for a character that shows itself and does nothing else: no control characters, none that reorder
/// the text around them, none that XML cannot hold.
#[must_use]
pub fn is_inert(c: char) -> bool {
    let reorders =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !reorders && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// What a duration on the command line may look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected a number with a unit, such as 500ms, 8s, 1.5s, 2m or 1h")]
pub struct BadDuration;

impl FromStr for Nanos {
    type Err = BadDuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let split = text
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or(BadDuration)?;
        let (number, unit) = text.split_at(split);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            _ => return Err(BadDuration),
        };
        let number: f64 = number.trim().parse().map_err(|_| BadDuration)?;
        Self::from_secs(number * seconds).ok_or(BadDuration)
    }
}

/// Names in a sentence, the first few of many.
#[must_use]
pub fn listed(names: &[&str]) -> String {
    const MOST: usize = 5;
    let named = names.iter().take(MOST).map(|name| match *name {
        "" => "(unnamed)",
        name => name,
    });
    let text = named.collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{text} and {more} more"),
        _ => text,
    }
}

/// What a reader of files says it expected, in words that are not those of its source code.
#[must_use]
pub fn in_words(said: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        ("expected f64", "expected a number"),
        ("expected u64", "expected a whole number"),
        ("expected u32", "expected a whole number"),
        ("expected i64", "expected a whole number"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected an object"),
    ];
    let mut said = said.to_owned();
    for (theirs, plain) in WORDS {
        said = said.replace(theirs, plain);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_three_digits_and_change_unit_where_people_do() {
        for (nanos, text) in [
            (0, "0 s"),
            (812, "812 ns"),
            (812_000_000, "812 ms"),
            (999_700_000, "1.00 s"),
            (2_340_000_000, "2.34 s"),
            (59_960_000_000, "1 min 00 s"),
            (372_000_000_000, "6 min 12 s"),
            (11_100_000_000_000, "3 h 05 min"),
            (u64::MAX, "213503 d 23 h"),
        ] {
            assert_eq!(duration(Nanos(nanos)), text);
        }
        assert_eq!(short(Nanos(372_000_000_000)), "6m12s");
        assert_eq!(short(Nanos(2_340_000_000)), "2.34 s");
    }

    #[test]
    fn money_and_shares_never_round_something_to_nothing() {
        assert_eq!(money(Usd(1_234_567_890_000)), "$1,234.57");
        assert_eq!(money(Usd(1_200_000)), "$0.001200");
        assert_eq!(money(Usd(1)), "<$0.000001");
        assert_eq!(percent(0.00001), "<0.1%");
        assert_eq!(percent(0.9999), ">99%");
        assert_eq!(percent(1.0), "100%");
    }

    #[test]
    fn numbers_are_grouped_and_trimmed() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plain(3.5), "3.5");
        assert_eq!(plain(12_345.6), "12,346");
        assert_eq!(compact(1_234_567), "1.23M");
        assert_eq!(measured(1500.0, "ms"), "1.50 s");
        assert_eq!(measured(f64::NAN, "tokens"), "unknown tokens");
    }

    #[test]
    fn instants_are_utc() {
        let time = Nanos(1_777_777_777_123_456_789);
        assert_eq!(rfc3339(time), "2026-05-03T03:09:37.123456789Z");
        assert_eq!(
            span_of_time(time, time + Nanos::SECOND),
            "2026-05-03 03:09:37 to 03:09:38 UTC"
        );
    }

    #[test]
    fn durations_are_read_with_a_unit_only() {
        assert_eq!("500ms".parse(), Ok(Nanos(500_000_000)));
        assert_eq!("1.5s".parse(), Ok(Nanos(1_500_000_000)));
        assert_eq!("1m".parse(), Ok(Nanos(60_000_000_000)));
        for bad in ["", "8", "8 parsecs", "-1s", "s", "infs"] {
            assert_eq!(bad.parse::<Nanos>(), Err(BadDuration), "{bad}");
        }
    }
}
