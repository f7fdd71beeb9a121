//! Log records in JSON: an application's own lines, and what Loki answers. Trace and span ids are
//! found under the names that loggers and agents give them.

mod line;
mod loki;

use super::record::Reader;
use super::{Chunk, Format, Head, Layout, Parts, lines, prom_api, record};
use crate::ingest::fields::{Fields, check_text};
use crate::ingest::json::Json;
use crate::ingest::outlet::Outlet;
use crate::model::IssueKind;

/// JSON lines of an application.
pub(super) const FORMAT: Format = Format {
    name: "json-logs",
    about: "JSON log lines of applications, with trace and span ids under any usual name",
    gives: "log lines that name traces or HTTP status",
    loses: "lines that are not JSON: they are counted only",
    recognise,
    decode,
    last_resort: true,
    ..Format::USUAL
};

/// Loki.
pub(super) const LOKI: Format = Format {
    name: "loki",
    about: "Loki: query_range answers, logcli -o jsonl",
    gives: "log lines that name traces or HTTP status",
    loses: "lines beyond the query's limit (100)",
    recognise: recognise_loki,
    decode: decode_loki,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let has = |keys: &[&str]| keys.iter().any(|key| shape.has(key));
    (has(line::TIMES) && has(line::BODIES)).then(|| record::layout(head))
}

fn recognise_loki(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    if shape.has_all(&["data.result.stream", "data.result.values"]) {
        return Some(Layout::Json(prom_api::role));
    }
    (shape.has_all(&["labels", "line", "timestamp"])).then(|| record::layout(head))
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    if !matches!(chunk.parts, Parts::Lines) {
        return record::each(chunk, out, |reader, _| reader.log_line());
    }
    for (line, ended) in lines(&chunk.bytes) {
        let bytes = chunk.bytes.get(line.clone()).unwrap_or_default();
        match bytes.trim_ascii_start().first() {
            None => {}
            Some(b'{') => {
                let mut reader = Reader::new(Json::new(bytes), line.start, out);
                if let Err(broken) = reader.log_line() {
                    reader.report(broken, !ended);
                }
            }
            Some(_) => out.count(IssueKind::UnusedRecords, line.start, || {
                "a line that is not JSON".into()
            }),
        }
    }
    check_text(&chunk.bytes, out);
}

fn decode_loki(chunk: &Chunk, out: &mut Outlet<'_>) {
    let mut count = 0u64;
    record::each(chunk, out, |reader, _| reader.loki_stream(&mut count));
    let whole = chunk.offset == 0 && chunk.last;
    if whole && count == loki::LIMIT && !matches!(chunk.parts, Parts::Lines) {
        let detail = "exactly 100 lines, the default limit of a query: there may be more";
        out.issue(IssueKind::PartialExport, 0, detail.into());
    }
}
