//! Log records and cluster events.

use super::fault;
use super::field::NumberField;
use super::keys::KeyMemo;
use super::shell;
use super::slots::Slots;
use crate::ingest::{RawClusterEvent, RawLog, RawValue};
use crate::model::{ClusterEvent, Dataset, IssueKind, LogRecord};

/// Takes in one log record, without its body.
pub(super) fn log(data: &mut Dataset, keys: &mut KeyMemo, log: &RawLog<'_>, resource: u32) {
    let Some(time) = shell::plausible(&mut data.ledger, log.place, log.time) else {
        let detail = || "a log record without a time".to_owned();
        data.ledger
            .count(IssueKind::UnusedRecords, log.place, detail);
        return;
    };
    let mut slots = Slots::new(None);
    slots.gather(&log.attributes, &[], keys, |_| ());
    let status = slots.number(NumberField::HttpStatus);
    let record = LogRecord {
        time,
        trace: log.trace,
        span: log.span,
        severity: log.severity,
        http_status: status.and_then(fault::http_status),
        event: data.names.intern(&log.event),
        resource,
        body_bytes: u32::try_from(bytes_of(&log.body)).unwrap_or(u32::MAX),
    };
    data.logs.push(record);
}

/// Takes in one cluster event.
pub(super) fn cluster_event(data: &mut Dataset, event: &RawClusterEvent<'_>) {
    let Some(time) = shell::plausible(&mut data.ledger, event.place, event.time) else {
        let detail = || "a cluster event without a time".to_owned();
        data.ledger
            .count(IssueKind::UnusedRecords, event.place, detail);
        return;
    };
    let record = ClusterEvent {
        time,
        reason: data.names.intern(&event.reason),
        object_kind: data.names.intern(&event.object_kind),
        object: data.names.intern(&event.object),
        count: event.count.max(1),
    };
    data.events.push(record);
}

/// Bytes of a value, for its size only.
fn bytes_of(value: &RawValue<'_>) -> usize {
    match value {
        RawValue::Null => 0,
        RawValue::Str(text) => text.raw().len(),
        RawValue::Bytes(bytes) => bytes.len(),
        RawValue::Int(_) | RawValue::Double(_) | RawValue::Bool(_) => 8,
        RawValue::List(items) => items.iter().map(bytes_of).sum(),
        RawValue::Map(entries) => entries
            .iter()
            .map(|e| e.key.len() + bytes_of(&e.value))
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{RawAttr, Text};
    use crate::units::Nanos;

    #[test]
    fn logs_keep_their_status_and_size_and_lose_their_body() {
        let mut data = Dataset::default();
        let log_of = |time| RawLog {
            time,
            body: RawValue::Str(Text::plain(b"secret")),
            attributes: vec![RawAttr {
                key: "http.response.status_code".into(),
                value: RawValue::Int(429),
            }],
            ..RawLog::default()
        };
        log(
            &mut data,
            &mut KeyMemo::default(),
            &log_of(Some(Nanos(5))),
            0,
        );
        log(&mut data, &mut KeyMemo::default(), &log_of(None), 0);
        assert_eq!(data.logs.len(), 1);
        assert_eq!(
            (data.logs[0].http_status, data.logs[0].body_bytes),
            (Some(429), 6)
        );
        assert_eq!(data.ledger.total(IssueKind::UnusedRecords), 1);
    }

    #[test]
    fn events_happen_at_least_once() {
        let mut data = Dataset::default();
        let event = RawClusterEvent {
            time: Some(Nanos(5)),
            reason: "Killing".into(),
            ..RawClusterEvent::default()
        };
        cluster_event(&mut data, &event);
        assert_eq!(
            (data.text(data.events[0].reason), data.events[0].count),
            ("Killing", 1)
        );
    }
}
