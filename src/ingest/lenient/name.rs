//! Enumerations, by number or by any spelling of their name.

use crate::model::{SpanKind, Status};

/// How a metric's points relate to each other (OTLP `AggregationTemporality`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Temporality {
    /// Totals since the previous point.
    Delta,
    /// Totals since the start.
    Cumulative,
}

/// The span kind that a number or a name (`SPAN_KIND_CLIENT`, `SpanKind.CLIENT`, `Client`) means.
/// Empty text is unspecified; `None` when it is none of them.
pub(crate) fn span_kind(text: &[u8]) -> Option<SpanKind> {
    Some(match text {
        b"0" | b"" => SpanKind::Unspecified,
        b"1" => SpanKind::Internal,
        b"2" => SpanKind::Server,
        b"3" => SpanKind::Client,
        b"4" => SpanKind::Producer,
        b"5" => SpanKind::Consumer,
        _ => match last_word(text).as_str() {
            "UNSPECIFIED" => SpanKind::Unspecified,
            "INTERNAL" => SpanKind::Internal,
            "SERVER" => SpanKind::Server,
            "CLIENT" => SpanKind::Client,
            "PRODUCER" => SpanKind::Producer,
            "CONSUMER" => SpanKind::Consumer,
            _ => return None,
        },
    })
}

/// The status that a number or a name (`STATUS_CODE_ERROR`, `StatusCode.ERROR`, `Error`) means.
pub(crate) fn status_code(text: &[u8]) -> Option<Status> {
    Some(match text {
        b"0" | b"" => Status::Unset,
        b"1" => Status::Ok,
        b"2" => Status::Error,
        _ => match last_word(text).as_str() {
            "UNSET" => Status::Unset,
            "OK" => Status::Ok,
            "ERROR" => Status::Error,
            _ => return None,
        },
    })
}

/// The temporality that a number or name means; `None` when unspecified or unknown.
pub(crate) fn temporality(text: &[u8]) -> Option<Temporality> {
    match text {
        b"1" => Some(Temporality::Delta),
        b"2" => Some(Temporality::Cumulative),
        _ => match last_word(text).as_str() {
            "DELTA" => Some(Temporality::Delta),
            "CUMULATIVE" => Some(Temporality::Cumulative),
            _ => None,
        },
    }
}

/// OTLP severity 1 to 24 from its number or name (`SEVERITY_NUMBER_ERROR2`, `warn`); 0 when not
/// said. `None` when it is none of them.
pub(crate) fn severity(text: &[u8]) -> Option<u8> {
    if text.is_empty() {
        return Some(0);
    }
    if let Ok(Some(number)) = super::number::unsigned(text) {
        return u8::try_from(number).ok().filter(|&n| n <= 24);
    }
    let word = last_word(text);
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let base = match name {
        "UNSPECIFIED" => return Some(0),
        "TRACE" => 1,
        "DEBUG" => 5,
        "INFO" | "INFORMATION" | "NOTICE" => 9,
        "WARN" | "WARNING" => 13,
        "ERROR" | "ERR" => 17,
        "FATAL" | "CRITICAL" | "PANIC" => 21,
        _ => return None,
    };
    match word.get(name.len()..) {
        Some("2") => Some(base + 1),
        Some("3") => Some(base + 2),
        Some("4") => Some(base + 3),
        _ => Some(base),
    }
}

/// What follows the last `_` or `.`, in upper case.
fn last_word(text: &[u8]) -> String {
    let start = text
        .iter()
        .rposition(|&b| b == b'_' || b == b'.')
        .map_or(0, |at| at + 1);
    String::from_utf8_lossy(text.get(start..).unwrap_or_default()).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_in_every_spelling() {
        for text in [
            "3",
            "SPAN_KIND_CLIENT",
            "SpanKind.CLIENT",
            "Client",
            "client",
        ] {
            assert_eq!(span_kind(text.as_bytes()), Some(SpanKind::Client), "{text}");
        }
        assert_eq!(span_kind(b"7"), None);
        assert_eq!(span_kind(b""), Some(SpanKind::Unspecified));
    }

    #[test]
    fn statuses_in_every_spelling() {
        for text in [
            "2",
            "STATUS_CODE_ERROR",
            "StatusCode.ERROR",
            "ERROR",
            "Error",
        ] {
            assert_eq!(status_code(text.as_bytes()), Some(Status::Error), "{text}");
        }
        assert_eq!(status_code(b"FAILED"), None);
    }

    #[test]
    fn severities_and_temporalities() {
        assert_eq!(severity(b"17"), Some(17));
        assert_eq!(severity(b"SEVERITY_NUMBER_WARN2"), Some(14));
        assert_eq!(severity(b"99"), None);
        assert_eq!(
            temporality(b"AGGREGATION_TEMPORALITY_DELTA"),
            Some(Temporality::Delta)
        );
        assert_eq!(temporality(b"0"), None);
    }
}
