//! LangSmith runs: one per line as its CLI and SDK write them, pages of its API, and the bodies that
//! its SDK sends, where the start (`post`) and the end (`patch`) of a run are two records.
//!
//! Source: langchain-ai/langsmith-sdk, python/langsmith/schemas.py and recorded bodies.

mod order;
mod run;

use hashbrown::HashMap;

use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::RawSpan;
use crate::model::{IssueKind, SpanId, Status, TraceId};

/// LangSmith.
pub(super) const FORMAT: Format = Format {
    name: "langsmith",
    about: "LangSmith runs: lines, lists, API pages, SDK batches of post and patch",
    gives: "runs as spans, usage, first-token times",
    loses: "resource, scope, links, server-side spans",
    recognise,
    decode,
    ..Format::USUAL
};

const KEYS: [&str; 3] = ["run_type", "dotted_order", "parent_run_id"];

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let fits = |place: &str| KEYS.iter().any(|key| shape.has(&format!("{place}{key}")));
    if ["post.", "patch.", "runs.", "data."]
        .iter()
        .any(|p| fits(p))
    {
        return Some(Layout::Json(role));
    }
    fits("").then(|| record::layout(head))
}

fn role(key: &[u8]) -> Kind {
    match key {
        b"post" | b"patch" | b"runs" | b"data" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

/// The runs of a chunk.
#[derive(Default)]
struct Runs<'a> {
    spans: Vec<(RawSpan<'a>, usize)>,
    known: HashMap<(TraceId, SpanId), usize>,
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let mut runs = Runs::default();
    let levels = usize::from(out.limits().nesting);
    record::each(chunk, out, |reader, _| reader.run(&mut runs, levels));
    runs.deliver(out);
}

impl Reader<'_, '_, '_> {
    /// A run that is complete in one record.
    pub(super) fn lone_run(&mut self) -> Step<()> {
        let mut runs = Runs::default();
        let read = self.run(&mut runs, self.levels());
        runs.deliver(&mut self.out());
        read
    }
}

impl<'a> Runs<'a> {
    fn deliver(&mut self, out: &mut Outlet<'_>) {
        for (span, at) in &mut self.spans {
            // Start and end may lie far apart.
            span.partial = span.start.is_none() || span.end.is_none();
            let resource = out.resource(&[]);
            let scope = out.scope("langsmith", "");
            out.span(&*span, resource, scope, *at);
        }
    }

    /// Takes in a record; one of a run that is known completes it, what it says last counts.
    fn add(&mut self, span: RawSpan<'a>, at: usize, reader: &mut Reader<'_, '_, '_>) {
        let key = (span.trace, span.id);
        let known = self.known.get(&key).copied();
        let Some((run, _)) = known.and_then(|index| self.spans.get_mut(index)) else {
            self.known.insert(key, self.spans.len());
            self.spans.push((span, at));
            return;
        };
        reader.out().count(IssueKind::DuplicateSpan, at, || {
            "a second record of a run, merged into the first".into()
        });
        if !span.name.is_empty() {
            run.name = span.name;
        }
        if !span.parent.is_none() {
            run.parent = span.parent;
        }
        run.start = run.start.or(span.start);
        run.end = span.end.or(run.end);
        if span.status != Status::Unset {
            run.status = span.status;
            run.status_message = span.status_message;
        }
        run.attributes.extend(span.attributes);
        run.events.extend(span.events);
    }
}
