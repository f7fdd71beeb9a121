//! OTLP/JSON in every arrangement that occurs: one document, one per line, concatenated, arrays of
//! documents; traces, metrics and logs mixed; under the envelopes of Tempo and Jaeger v3; in camel
//! case or snake case, with the old `instrumentationLibrarySpans`; keys in any order.
//!
//! Source: open-telemetry/opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding".

mod log;
mod metric;
mod reader;
mod span;
mod value;

use super::{Chunk, Format, Head, Layout, Parts, lines};
use crate::ingest::fields::check_text;
use crate::ingest::json::Kind;
use crate::ingest::outlet::Outlet;

use self::reader::Reader;

/// OTLP/JSON.
pub(super) const FORMAT: Format = Format {
    name: "otlp-json",
    about: "OTLP/JSON traces, metrics and logs: Collector file exporter, SDKs, Tempo, Jaeger v3",
    gives: "spans, metrics, exemplars, logs; all fields",
    loses: "nothing",
    recognise,
    decode,
    ..Format::USUAL
};

const TRACES: u8 = 0;
const METRICS: u8 = 1;
const LOGS: u8 = 2;
/// Tempo's word on whether its answer is complete.
const STATUS: u8 = 3;

fn recognise(head: &Head<'_>) -> Option<Layout> {
    const PATHS: &[&str] = &[
        "resourceSpans",
        "resource_spans",
        "resourceMetrics",
        "resource_metrics",
        "resourceLogs",
        "resource_logs",
        "trace.resourceSpans",
        "trace.resource_spans",
        "result.resourceSpans",
        "result.resource_spans",
        "batches.resource",
        "batches.scopeSpans",
        "batches.scope_spans",
        "batches.instrumentationLibrarySpans",
        "trace.batches",
    ];
    head.has_any(PATHS).then_some(match head.lines {
        true => Layout::Lines,
        false => Layout::Json(role),
    })
}

/// What a key of a document holds.
pub(in crate::ingest) fn role(key: &[u8]) -> Kind {
    match key {
        b"resourceSpans" | b"resource_spans" | b"batches" => Kind::Elements(TRACES),
        b"resourceMetrics" | b"resource_metrics" => Kind::Elements(METRICS),
        b"resourceLogs" | b"resource_logs" => Kind::Elements(LOGS),
        b"trace" | b"result" => Kind::Wrapper,
        b"status" => Kind::Piece(STATUS),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let mut reader = Reader::new(&chunk.bytes, out);
    match &chunk.parts {
        Parts::Lines => {
            for (line, ended) in lines(&chunk.bytes) {
                reader.documents(line.start, line.end, !ended);
            }
        }
        Parts::Pieces(pieces) => {
            for piece in pieces {
                let at_end = chunk.last && piece.end == chunk.bytes.len();
                reader.piece(piece.start, piece.end, piece.kind, at_end);
            }
        }
        Parts::Frames(_) | Parts::Text(_) => {}
    }
    check_text(&chunk.bytes, out);
}

/// Reads the documents in `bytes`, a message of its own.
pub(in crate::ingest) fn message(bytes: &[u8], out: &mut Outlet<'_>) {
    let mut reader = Reader::new(bytes, out);
    reader.documents(0, bytes.len(), false);
    check_text(bytes, out);
}
