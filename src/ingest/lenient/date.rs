//! Dates and times as text.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::units::Nanos;

/// The instant that an ISO 8601 date and time names; without an offset it is taken for UTC. `None`
/// when it is none, or before 1970.
pub(crate) fn date(text: &str) -> Option<Nanos> {
    let text = text.trim();
    let instant = text.parse::<Timestamp>().or_else(|_| {
        text.parse::<DateTime>()
            .and_then(|d| d.to_zoned(TimeZone::UTC))
            .map(|z: Zoned| z.timestamp())
    });
    let nanos = instant.ok()?.as_nanosecond();
    u64::try_from(nanos).ok().map(Nanos)
}

/// The length that an ISO 8601 duration (`PT1.2S`) names; `None` when it is none or negative.
pub(crate) fn duration(text: &str) -> Option<Nanos> {
    let length: jiff::SignedDuration = text.trim().parse().ok()?;
    u64::try_from(length.as_nanos()).ok().map(Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("PT1.2S"), Some(Nanos(1_200_000_000)));
        assert_eq!(duration("1m 2s"), Some(Nanos(62_000_000_000)));
        assert_eq!(duration("-PT1S"), None);
        assert_eq!(duration("long"), None);
    }

    #[test]
    fn with_and_without_offset() {
        let second = Some(Nanos(1_778_572_944_000_000_000));
        for text in [
            "2026-05-12T08:02:24Z",
            "2026-05-12T10:02:24+02:00",
            "2026-05-12 08:02:24",
            "2026-05-12T08:02:24.000000",
        ] {
            assert_eq!(date(text), second, "{text}");
        }
        for bad in [
            "",
            "yesterday",
            "1960-01-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }
}
