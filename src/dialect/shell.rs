//! What every span has: identity and times, mended where they are broken.

use super::names;
use crate::ingest::RawSpan;
use crate::model::{CallIx, Dataset, IssueKind, Ledger, Op, Place, Record, Span, SpanFlags};
use crate::units::Nanos;

/// The span's shell: identity, times, and what had to be mended. `None` when it cannot be
/// placed at all.
pub(super) fn of(data: &mut Dataset, raw: &RawSpan<'_>, emitter: u32) -> Option<Record> {
    let ledger = &mut data.ledger;
    if raw.trace.0 == 0 || raw.id.is_none() {
        let what = if raw.trace.0 == 0 {
            "trace id"
        } else {
            "span id"
        };
        ledger.count(IssueKind::BadId, raw.place, || format!("no {what}"));
        return None;
    }
    let mut flags = SpanFlags::default();
    if raw.flags & 0x200 != 0 {
        flags.set(SpanFlags::REMOTE_PARENT);
    }
    if raw.dropped > 0 {
        flags.set(SpanFlags::DROPPED);
        let detail = || format!("{} attributes, events or links dropped", raw.dropped);
        ledger.count(IssueKind::ExporterDropped, raw.place, detail);
    }
    if raw.shares_id {
        flags.set(SpanFlags::SHARED_ID);
    }
    if raw.partial {
        flags.set(SpanFlags::PARTIAL);
    }
    let (start, end) = mend_times(raw, &mut flags, ledger)?;
    let weight = raw.attributes.len() + raw.events.len();
    let span = Span {
        trace: data.traces.number(raw.trace),
        start,
        end,
        name: match raw.name.len() < 36 {
            true => data.names.intern(&raw.name),
            false => data.names.intern(&names::without_ids(&raw.name)),
        },
        emitter,
        call: CallIx::NONE,
        op: Op::Other,
        kind: raw.kind,
        status: raw.status,
        flags,
        error: None,
        weight: u16::try_from(weight).unwrap_or(u16::MAX),
    };
    Some(Record {
        span,
        id: raw.id,
        parent: raw.parent,
        place: raw.place,
    })
}

/// The last instant taken for one, in the year 2262: two of them can still be added.
const LAST: Nanos = Nanos(i64::MAX as u64);

/// `time`, unless no clock can have said it; that is counted and left out.
pub(super) fn plausible(ledger: &mut Ledger, place: Place, time: Option<Nanos>) -> Option<Nanos> {
    if time.is_some_and(|time| time > LAST) {
        let detail = || "a time after the year 2262".to_owned();
        ledger.count(IssueKind::BadNumber, place, detail);
    }
    time.filter(|&time| time <= LAST)
}

/// Start and end, mended; `None` when there is neither.
fn mend_times(
    raw: &RawSpan<'_>,
    flags: &mut SpanFlags,
    ledger: &mut Ledger,
) -> Option<(Nanos, Nanos)> {
    let [start, end] = [raw.start, raw.end].map(|time| plausible(ledger, raw.place, time));
    let (start, end) = match (start, end) {
        // The record that it belongs to has them.
        (None, None) if raw.partial => {
            flags.set(SpanFlags::NO_START | SpanFlags::NO_END);
            (Nanos::ZERO, Nanos::ZERO)
        }
        (None, Some(end)) if raw.partial => {
            flags.set(SpanFlags::NO_START);
            (end, end)
        }
        (None, None) => {
            let detail = || "neither start nor end; the span was left out".to_owned();
            ledger.count(IssueKind::NoStart, raw.place, detail);
            return None;
        }
        (None, Some(end)) => {
            flags.set(SpanFlags::NO_START);
            let detail = || "no start; its end was taken".to_owned();
            ledger.count(IssueKind::NoStart, raw.place, detail);
            (end, end)
        }
        (Some(start), None) => {
            flags.set(SpanFlags::NO_END);
            (start, Nanos::ZERO)
        }
        (Some(start), Some(end)) => (start, end),
    };
    if !flags.has(SpanFlags::NO_END) && end < start {
        let detail = || "ends before it starts".to_owned();
        ledger.count(IssueKind::ReversedSpan, raw.place, detail);
        return Some((start, start));
    }
    Some((start, end))
}
