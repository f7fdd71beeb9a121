//! Facts in words.

use crate::report::{Fact, Row, SpanLine};
use crate::units::Nanos;
use crate::units::human::{measured, short};

/// A fact with its values and its place.
pub(in crate::render) fn fact(row: &Row<'_>, fact: &Fact) -> String {
    let mut text = format!("{}: {}", what(fact), measured(fact.observed, fact.unit));
    let normal = fact.expected.filter(|_| !fact.unit.starts_with("x "));
    if let Some(normal) = normal {
        text = format!("{text}, normally {}", measured(normal, fact.unit));
    }
    match row.span_of(fact) {
        Some((id, _)) => format!("{text} (span {id})"),
        None => text,
    }
}

/// A fact without its values.
pub(in crate::render) fn what(fact: &Fact) -> String {
    match fact.note.trim_end_matches('.') {
        "" => fact.fact.replace('_', " "),
        note => note.to_owned(),
    }
}

/// Time since the start of the request: `+1.20 s`, or `-3 ms` before it.
pub(in crate::render) fn offset(time: Nanos, start: Nanos) -> String {
    match time < start {
        true => format!("-{}", short(start.since(time))),
        false => format!("+{}", short(time.since(start))),
    }
}

/// How a span ended: its status and the class of its error.
pub(in crate::render) fn ended(span: &SpanLine<'_>) -> String {
    let status = span.call.and_then(|call| call.http_status);
    let status = status
        .filter(|code| *code >= 400)
        .map(|code| code.to_string());
    let words = [status.as_deref(), span.error].into_iter().flatten();
    let mut words: Vec<&str> = words.collect();
    if words.is_empty() && span.failed {
        words.push("error");
    }
    if span.open {
        words.push("never ended");
    }
    words.join(" ")
}
