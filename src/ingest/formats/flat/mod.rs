//! Spans one to an object, as SDKs print them and as people's own exporters write them: console
//! exporters, lists of spans, `{"spans": […]}` around them, also nested under `child_spans`. Ids in
//! hex, with `0x`, decimal or free text; times as dates or numbers of any unit; attributes flat or
//! nested.

mod span;

use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::lenient;
use crate::ingest::outlet::Outlet;
use crate::model::IssueKind;

use self::span::Around;

/// Flat span records.
pub(super) const FORMAT: Format = Format {
    name: "span-records",
    about: "one span per object: console exporters, SDK dumps, SigNoz and Honeycomb rows, {\"spans\": [...]}",
    gives: "spans with attributes and events",
    loses: "often resource and scope; offsets of local times",
    recognise,
    decode,
    ..Format::USUAL
};

/// Arize Phoenix.
pub(super) const PHOENIX: Format = Format {
    name: "phoenix",
    about: "Arize Phoenix spans: API pages, lists, lines, trace files",
    gives: "spans with OpenInference attributes",
    loses: "resource and scope",
    recognise: recognise_phoenix,
    decode,
    ..Format::USUAL
};

/// Where the keys of a record may stand, and the layout that brings them.
const PLACES: [&str; 3] = ["", "spans.", "data."];

const IDS: [&[&str]; 5] = [
    &["trace_id", "span_id"],
    &["context.trace_id", "context.span_id"],
    &["traceId", "spanId"],
    &["spanContext.traceId", "spanContext.spanId"],
    &["trace.trace_id", "trace.span_id"],
];

const TIMES: [&str; 7] = [
    "start_time",
    "start_time_unix_nano",
    "startTime",
    "startTimeUnixNano",
    "start_timestamp",
    "timestamp",
    "Timestamp",
];

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let has = |place: &str, key: &str| shape.has(&format!("{place}{key}"));
    let timed = |place: &str| {
        let named = has(place, "name") || has(place, "span_name");
        named && TIMES.iter().any(|time| has(place, time))
    };
    let with_ids = |place: &str| IDS.iter().any(|ids| ids.iter().all(|id| has(place, id)));
    if let Some(place) = PLACES.iter().find(|p| timed(p) && with_ids(p)) {
        return Some(match place.is_empty() {
            true => record::layout(head),
            false => Layout::Json(role),
        });
    }
    // The id of the trace may stand beside the list instead: they must come together.
    let beside = (shape.has("trace_id") && shape.has("spans.span_id"))
        || (shape.has("traceId") && shape.has("spans.spanId"));
    (beside && timed("spans.")).then_some(Layout::Objects)
}

fn recognise_phoenix(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let fits = |place: &&str| {
        let has = |key: &str| shape.has(&format!("{place}{key}"));
        let context = has("context.trace_id") && has("context.span_id");
        context && has("span_kind") && has("status_code")
    };
    let place = PLACES.iter().find(|place| fits(place))?;
    Some(match place.is_empty() {
        true => record::layout(head),
        false => Layout::Json(role),
    })
}

fn role(key: &[u8]) -> Kind {
    match key {
        b"spans" | b"data" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, _| reader.flat_record());
}

impl Reader<'_, '_, '_> {
    /// One span, or a line with a wrapper of spans.
    pub(super) fn flat_record(&mut self) -> Step<()> {
        let place = self.json.at();
        let (mut spans, mut around) = (None, Around::default());
        let mut declared = None;
        self.object("a span", |r, key| {
            match key {
                b"trace_id" | b"traceId" => around.trace = r.trace_id()?,
                b"spans" => spans = Some(r.later()?),
                b"span_count" => declared = r.number("a span count", lenient::unsigned)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .or_else(|broken| match spans {
            Some(_) => Ok(true),
            None => Err(broken),
        })?;
        match spans {
            Some(spans) => {
                let mut seen = 0;
                self.back(spans, |r| {
                    r.list("a list of spans", |r| {
                        seen += 1;
                        r.flat_span(around)
                    })
                })?;
                let at = self.here();
                if let Some(missing) = declared.and_then(|n| n.checked_sub(seen))
                    && missing > 0
                {
                    self.out.issues(
                        IssueKind::PartialExport,
                        at,
                        format!("it says it holds {missing} more spans than it does"),
                        1,
                    );
                }
                Ok(())
            }
            None => self.back(place, |r| r.flat_span(Around::default())),
        }
    }
}
