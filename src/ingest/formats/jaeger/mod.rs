//! Jaeger's own JSON: what its UI downloads and its first API answers, and the documents it keeps in
//! Elasticsearch.
//!
//! Source: jaegertracing/jaeger, internal/uimodel/model.go; jaegertracing/jaeger-ui,
//! SearchResults/DownloadResults.tsx.

mod span;
mod tag;

use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout, Limit};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::outlet::Outlet;

use self::span::{Process, Processes};

/// Jaeger traces.
pub(super) const FORMAT: Format = Format {
    name: "jaeger-json",
    about: "Jaeger JSON: UI downloads, /api/traces, also with what the UI adds",
    gives: "spans, tags, logs, references",
    loses: "nanoseconds, links' attributes; 20 traces unless asked for more",
    recognise,
    decode,
    limit: Some(Limit {
        pieces: 20,
        detail: "exactly 20 traces, the default limit of a search: there may be more",
    }),
    ..Format::USUAL
};

/// Jaeger's documents in Elasticsearch or OpenSearch.
pub(super) const DOCUMENTS: Format = Format {
    name: "jaeger-documents",
    about: "Jaeger span documents from Elasticsearch or OpenSearch, bare or as hits",
    gives: "spans, tags, logs, references",
    loses: "nanoseconds; traces spread over documents",
    recognise: recognise_documents,
    decode: decode_documents,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let ids = ["data.spans.spanID", "data.spans.operationName"];
    if shape.has("data.spans") && (shape.has("data.processes") || head.has_any(&ids)) {
        return Some(Layout::Json(role));
    }
    shape
        .has_all(&["traceID", "spans.spanID", "spans.operationName"])
        .then_some(Layout::Objects)
}

fn role(key: &[u8]) -> Kind {
    match key {
        b"data" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, _| reader.jaeger_trace());
}

fn recognise_documents(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let keys = |before: &str| {
        ["traceID", "spanID", "operationName"]
            .iter()
            .all(|key| shape.has(&format!("{before}{key}")))
    };
    match () {
        () if keys("hits.hits._source.") => Some(Layout::Json(role_of_hits)),
        () if keys("_source.") || keys("") => Some(record::layout(head)),
        () => None,
    }
}

fn role_of_hits(key: &[u8]) -> Kind {
    match key {
        b"hits" => Kind::Within(0),
        _ => Kind::Other,
    }
}

fn decode_documents(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, _| {
        let place = reader.json.at();
        let mut source = None;
        reader.object("a document", |r, key| {
            match key {
                b"_source" => source = Some(r.later()?),
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        reader.back(source.unwrap_or(place), |r| {
            r.jaeger_span(&Processes::default())
        })
    });
}

impl Reader<'_, '_, '_> {
    /// One trace: its spans and the processes they ran in, in either order.
    fn jaeger_trace(&mut self) -> Step<()> {
        let (mut processes, mut spans) = (Processes::default(), None);
        let outcome = self.object("a trace", |r, key| {
            match key {
                b"traceID" => processes.trace = r.either_trace_id()?,
                b"spans" => spans = Some(r.json.at()),
                b"processes" => {
                    r.object("processes", |r, key| {
                        let resource = r.jaeger_process()?;
                        processes.known.push(Process { key, resource });
                        Ok(())
                    })?;
                    return Ok(());
                }
                _ => {}
            }
            match key {
                b"traceID" => Ok(()),
                _ => r.json.skip(),
            }
        });
        // What stands before a break is good.
        if let Some(place) = spans {
            let read = |r: &mut Self| r.list("a list of spans", |r| r.jaeger_span(&processes));
            let broken = self.back(place, read);
            outcome.and(broken)
        } else {
            outcome.map(drop)
        }
    }
}
