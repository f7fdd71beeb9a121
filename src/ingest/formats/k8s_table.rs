//! The table that `kubectl get events` and `kubectl events` print. Its ages are relative: they are
//! read with the time the table was taken at, which only the user knows.

use super::{Chunk, Format, Head, Layout, Parts, lines, whole_lines};
use crate::ingest::fields::check_text;
use crate::ingest::lenient;
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::RawClusterEvent;
use crate::model::IssueKind;
use crate::units::Nanos;

/// Tables of events.
pub(super) const FORMAT: Format = Format {
    name: "k8s-table",
    about: "Kubernetes events as a table: kubectl get events, with --at",
    gives: "cluster events; ages become times with --at only",
    loses: "seconds of old events, the end of long names",
    recognise,
    decode,
    ..Format::USUAL
};

/// The columns that are read, in the order they come in.
const TITLES: [&str; 4] = ["LAST SEEN", "TYPE", "REASON", "OBJECT"];
/// Lines looked at: recording tools write some before the table.
const LINES: usize = 20;

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let mut first = lines(head.bytes).take(LINES);
    first
        .any(|(line, _)| columns(head.bytes.get(line).unwrap_or_default()).is_some())
        .then_some(Layout::Text(divide))
}

/// Rows are lines; all of them depend on the last header.
fn divide(bytes: &[u8], whole: bool, header: &mut Vec<u8>) -> usize {
    let end = whole_lines(bytes, whole);
    let bytes = bytes.get(..end).unwrap_or_default();
    let headers = lines(bytes).filter_map(|(line, _)| bytes.get(line));
    if let Some(last) = headers.filter(|line| columns(line).is_some()).last() {
        *header = last.to_vec();
    }
    end
}

/// Where the columns begin, and where the last one ends, when the line is a header.
fn columns(line: &[u8]) -> Option<[usize; 5]> {
    let line = std::str::from_utf8(line).ok()?;
    let mut starts = [0; 5];
    for (slot, title) in starts.iter_mut().zip(TITLES) {
        *slot = line.find(title)?;
    }
    let [_, _, _, object, _] = starts;
    let after = object + "OBJECT".len();
    let rest = line.get(after..)?;
    let gap = rest.len() - rest.trim_start().len();
    starts[4] = match gap == rest.len() {
        true => usize::MAX,
        false => after + gap,
    };
    starts.is_sorted().then_some(starts)
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let Parts::Text(before) = &chunk.parts else {
        return;
    };
    let mut table = columns(before);
    for (range, _) in lines(&chunk.bytes) {
        let at = range.start;
        let line = chunk.bytes.get(range).unwrap_or_default();
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Some(new) = columns(line) {
            table = Some(new);
            continue;
        }
        // What stands before the first header is the recording tool's.
        let Some(table) = &table else { continue };
        match event(line, table, out.taken()) {
            Some(mut event) => {
                if event.time.is_none() {
                    let detail = "an event whose age is relative".into();
                    out.issue(IssueKind::UntimedEvents, at, detail);
                    continue;
                }
                event.place = out.place(at);
                out.assumed_time(at);
                out.cluster_event(&event);
            }
            None => {
                let detail = "expected an age, a type, a reason and an object".into();
                out.issue(IssueKind::MalformedRecord, at, detail);
            }
        }
    }
    check_text(&chunk.bytes, out);
}

fn event<'a>(
    line: &'a [u8],
    table: &[usize; 5],
    taken: Option<Nanos>,
) -> Option<RawClusterEvent<'a>> {
    let line = std::str::from_utf8(line).ok()?;
    let cell = |column: usize| {
        let (start, end) = (*table.get(column)?, *table.get(column + 1)?);
        Some(line.get(start..end.min(line.len()))?.trim())
    };
    let (age, count) = seen(cell(0)?)?;
    let (kind, name) = cell(3)?.split_once('/')?;
    let reason = cell(2)?;
    if reason.is_empty() || reason.contains(' ') {
        return None;
    }
    Some(RawClusterEvent {
        time: taken.map(|taken| Nanos(taken.0.saturating_sub(age.0))),
        reason: reason.into(),
        object_kind: capitalised(kind).into(),
        object: name.into(),
        count,
        ..RawClusterEvent::default()
    })
}

/// `3m30s (x256 over 58m)`: how long ago it was last seen, and how often it was.
fn seen(text: &str) -> Option<(Nanos, u32)> {
    let (age, rest) = match text.split_once(" (x") {
        Some((age, rest)) => (age, Some(rest)),
        None => (text, None),
    };
    let count = match rest {
        Some(rest) => rest.split(' ').next()?.parse().ok()?,
        None => 1,
    };
    Some((lenient::duration(age)?, count))
}

/// `pod` as the API writes it. What is longer is written in one word there too.
fn capitalised(kind: &str) -> String {
    let mut letters = kind.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_at_the_columns_of_the_header() {
        let header = "LAST SEEN               TYPE      REASON    OBJECT      MESSAGE";
        let row = "3m30s (x256 over 58m)   Warning   BackOff   pod/a-1     Back-off: again";
        let table = columns(header.as_bytes()).unwrap();
        let event = |taken| event(row.as_bytes(), &table, taken).unwrap();
        let found = event(Some(Nanos(1_000_000_000_000)));
        assert_eq!(found.time, Some(Nanos(790_000_000_000)));
        let words = (
            &*found.reason,
            &*found.object_kind,
            &*found.object,
            found.count,
        );
        assert_eq!(words, ("BackOff", "Pod", "a-1", 256));
        assert_eq!(event(None).time, None);
        assert_eq!(columns(b"TYPE OBJECT"), None);
    }
}
