//! One line: a name, labels, a value, perhaps a time, perhaps an exemplar.

use super::number;
use crate::ingest::lenient;
use crate::ingest::raw::{RawAttr, RawExemplar, RawValue, Text};
use crate::units::Nanos;

/// One sample.
pub(super) struct Sample<'a> {
    pub(super) name: &'a [u8],
    pub(super) labels: Vec<RawAttr<'a>>,
    pub(super) value: f64,
    pub(super) time: Option<Nanos>,
    pub(super) exemplar: Option<RawExemplar>,
}

/// Reads a line without its line end; `None` when it is not a sample.
pub(super) fn sample(line: &[u8]) -> Option<Sample<'_>> {
    let line = line.trim_ascii();
    let end = line.iter().position(|b| matches!(b, b'{' | b' ' | b'\t'))?;
    let (mut name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    rest = rest.trim_ascii_start();
    if let Some(inside) = rest.strip_prefix(b"{") {
        let used = read_labels(inside, &mut name, &mut labels)?;
        rest = inside.get(used..)?;
    }
    if !is_name(name) {
        return None;
    }
    let (rest, exemplar) = match memchr::memchr(b'#', rest) {
        Some(at) => (rest.get(..at)?, exemplar(rest.get(at + 1..)?)),
        None => (rest, None),
    };
    let mut words = words(rest);
    let value = number(words.next()?)?;
    let time = match words.next() {
        None => None,
        Some(word) => Some(time(word)?),
    };
    Some(Sample {
        name,
        labels,
        value,
        time,
        exemplar,
    })
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| matches!(b, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
}

/// What follows the `#`: labels, a value, perhaps a time in seconds. The labels are free; the trace
/// is looked for under the names that are in use.
fn exemplar(text: &[u8]) -> Option<RawExemplar> {
    let inside = text.trim_ascii_start().strip_prefix(b"{")?;
    let (mut name, mut labels) = (&b""[..], Vec::new());
    let used = read_labels(inside, &mut name, &mut labels)?;
    let mut words = words(inside.get(used..)?);
    let value = number(words.next()?)?;
    let time = words.next().and_then(time);
    Some(RawExemplar {
        time,
        value,
        ..RawExemplar::of_labels(&labels)
    })
}

fn is_name(name: &[u8]) -> bool {
    let first = name.first().is_some_and(|b| !b.is_ascii_digit());
    first
        && name
            .iter()
            .all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.' | 0x80..))
}

/// A time in milliseconds (Prometheus) or in seconds (OpenMetrics); only their size tells which:
/// in seconds, 100 000 000 000 is the year 5138, in milliseconds it is 1973.
pub(super) fn time(text: &[u8]) -> Option<Nanos> {
    let places = match number(text)? < 1e11 {
        true => 9,
        false => 6,
    };
    lenient::decimal(text, places).map(Nanos)
}

/// Labels up to and with the closing brace; how many bytes they took. A quoted text without a
/// value is the metric's name (names that are not plain words are written so).
fn read_labels<'a>(
    text: &'a [u8],
    name: &mut &'a [u8],
    labels: &mut Vec<RawAttr<'a>>,
) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text
            .get(at..)?
            .iter()
            .position(|b| !matches!(b, b' ' | b'\t' | b','))?;
        let rest = text.get(at..)?;
        if rest.first() == Some(&b'}') {
            return Some(at + 1);
        }
        let (label, used) = match rest.first() {
            Some(b'"') => quoted(rest)?,
            _ => {
                let end = rest
                    .iter()
                    .position(|b| matches!(b, b'=' | b' ' | b'}' | b'"'))?;
                (Text::plain(rest.get(..end)?), end)
            }
        };
        at += used;
        at += text
            .get(at..)?
            .iter()
            .position(|b| !matches!(b, b' ' | b'\t'))?;
        if text.get(at) != Some(&b'=') {
            if rest.first() != Some(&b'"') {
                return None;
            }
            *name = label.raw();
            continue;
        }
        at += 1;
        at += text
            .get(at..)?
            .iter()
            .position(|b| !matches!(b, b' ' | b'\t'))?;
        let (value, used) = quoted(text.get(at..)?)?;
        at += used;
        labels.push(RawAttr {
            key: label.get(),
            value: RawValue::Str(value),
        });
    }
}

/// The quoted text at the start of `text` and how many bytes it took.
fn quoted(text: &[u8]) -> Option<(Text<'_>, usize)> {
    let inside = text.strip_prefix(b"\"")?;
    let (mut at, mut escaped) = (0, false);
    loop {
        at += memchr::memchr2(b'"', b'\\', inside.get(at..)?)?;
        if inside.get(at) == Some(&b'"') {
            break;
        }
        escaped = true;
        at += 2;
    }
    let bytes = inside.get(..at)?;
    let text = if escaped {
        Text::escaped(bytes)
    } else {
        Text::plain(bytes)
    };
    Some((text, at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> Option<String> {
        let s = sample(line.as_bytes())?;
        let labels: Vec<String> = s
            .labels
            .iter()
            .map(|l| match &l.value {
                RawValue::Str(t) => format!("{}={}", l.key, t.get()),
                _ => String::new(),
            })
            .collect();
        let name = String::from_utf8_lossy(s.name);
        Some(format!(
            "{name} [{}] {} {:?}{}",
            labels.join(","),
            s.value,
            s.time.map(|t| t.0),
            s.exemplar.map_or(String::new(), |e| format!(
                " # {:x} {} {:?}",
                e.trace.0,
                e.value,
                e.time.map(|t| t.0)
            ))
        ))
    }

    #[test]
    fn every_kind_of_line() {
        assert_eq!(show("up 1").unwrap(), "up [] 1 None");
        assert_eq!(
            show(r#"vllm:x{a="b\"c", d="e}",} 2.5e0 1778572800000"#).unwrap(),
            r#"vllm:x [a=b"c,d=e}] 2.5 Some(1778572800000000000)"#
        );
        assert_eq!(
            show(r#"x_total{a="b"} 3 1600096945.5 # {trace_id="1"} 4"#).unwrap(),
            "x_total [a=b] 3 Some(1600096945500000000) # 1 4 None"
        );
        assert_eq!(
            show(r#"x_bucket{le="1"} 3 # {traceID="4bf92f3577b34da6a3ce929d0e0e4736"} 0.5 1600096945.5"#).unwrap(),
            "x_bucket [le=1] 3 None # 4bf92f3577b34da6a3ce929d0e0e4736 0.5 Some(1600096945500000000)"
        );
        assert_eq!(
            show(r#"x_bucket{le="+Inf"} +Inf # {} 1"#).unwrap(),
            "x_bucket [le=+Inf] inf None # 0 1 None"
        );
        assert_eq!(
            show(r#"{"my.name",a="b"} NaN"#).unwrap(),
            "my.name [a=b] NaN None"
        );
        for bad in [
            "",
            "x",
            "x y",
            "x{",
            "x{a} 1",
            "x{a=b} 1",
            "x{a=\"b} 1",
            "1x 1",
            "x 1 soon",
            "x{a=\"\\",
        ] {
            assert_eq!(show(bad), None, "{bad}");
        }
    }
}
