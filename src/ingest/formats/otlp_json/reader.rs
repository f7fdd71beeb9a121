//! The walk through envelopes, resources and scopes down to the records.

use super::span::SpanField;
use super::{LOGS, METRICS, STATUS, TRACES, role};
use crate::ingest::course::{Course, Key};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Json, Kind, Step};
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::RawSpan;
use crate::model::IssueKind;

/// Envelopes may hold envelopes, but not for ever.
const ENVELOPES: usize = 8;

/// The reader of one chunk. What can be reused from record to record is kept here.
pub(super) struct Reader<'a, 'o, 's> {
    bytes: &'a [u8],
    pub(super) json: Json<'a>,
    /// Where `json` starts in `bytes`.
    origin: usize,
    pub(super) out: &'o mut Outlet<'s>,
    /// An empty span to read into; boxed, so that taking it out moves no more than its address.
    pub(super) span: Option<Box<RawSpan<'a>>>,
    /// Fields of spans as they were written so far.
    pub(super) fields: Course<'a, SpanField>,
    /// Attributes' keys as they were written so far.
    pub(super) keys: Course<'a, Option<Key<'a>>>,
    /// The resource and the scope introduced last, as they stood in the input.
    pub(super) resource: (&'a [u8], u32),
    pub(super) scope: (&'a [u8], u32),
}

impl<'a> Fields<'a> for Reader<'a, '_, '_> {
    #[inline]
    fn json(&mut self) -> &mut Json<'a> {
        &mut self.json
    }

    fn out(&mut self) -> Outlet<'_> {
        self.out.shifted(0)
    }

    #[inline]
    fn origin(&self) -> usize {
        self.origin
    }
}

impl<'a, 'o, 's> Reader<'a, 'o, 's> {
    /// A reader of `bytes`.
    pub(super) fn new(bytes: &'a [u8], out: &'o mut Outlet<'s>) -> Self {
        Self {
            bytes,
            json: Json::new(bytes),
            origin: 0,
            out,
            span: None,
            fields: Course::new(),
            keys: Course::new(),
            resource: (&[], 0),
            scope: (&[], 0),
        }
    }

    fn open(&mut self, start: usize, end: usize) {
        self.json = Json::new(self.bytes.get(start..end).unwrap_or_default());
        self.origin = start;
    }

    /// All documents between `start` and `end`; `open_end` when the file ends there, perhaps early.
    pub(super) fn documents(&mut self, start: usize, end: usize, open_end: bool) {
        self.open(start, end);
        while !self.json.is_done() {
            let at = self.here();
            match self.document(ENVELOPES) {
                Ok(true) => {}
                Ok(false) => self.out.count(IssueKind::UnusedRecords, at, || {
                    "a JSON value without resourceSpans, resourceMetrics or resourceLogs".into()
                }),
                Err(broken) => return self.report(broken, open_end),
            }
            self.json.eat(b',');
        }
    }

    /// One element of `resourceSpans` and the like, cut out of its document.
    pub(super) fn piece(&mut self, start: usize, end: usize, kind: u8, open_end: bool) {
        self.open(start, end);
        let outcome = match kind {
            STATUS => self.completeness(),
            signal => self.block(signal),
        };
        if let Err(broken) = outcome {
            self.report(broken, open_end);
        }
    }

    /// One document, or an array of them. False when there was nothing in it to read.
    fn document(&mut self, depth: usize) -> Step<bool> {
        let mut useful = false;
        if depth == 0 {
            self.json.skip()?;
        } else if self.json.peek() == b'[' {
            let mut more = self.json.enter_array()?;
            useful = !more;
            while more {
                useful |= self.document(depth - 1)?;
                more = self.json.more_elements()?;
            }
        } else {
            self.object("a document", |r, key| {
                match role(key) {
                    Kind::Elements(signal) => {
                        useful = true;
                        r.list("a list of resources", |r| r.block(signal))?;
                    }
                    Kind::Wrapper => useful |= r.document(depth - 1)?,
                    Kind::Piece(_) => r.completeness()?,
                    Kind::Within(_) | Kind::Other => r.json.skip()?,
                }
                Ok(())
            })?;
        }
        Ok(useful)
    }

    /// Tempo says `PARTIAL` when it left spans out.
    fn completeness(&mut self) -> Step<()> {
        let at = self.here();
        let start = self.json.at();
        self.json.skip()?;
        let status = self.json.since(start);
        if status.starts_with(b"\"") && status.ends_with(b"PARTIAL\"") {
            let detail = "the trace store marked its answer as PARTIAL".into();
            self.out.issue(IssueKind::PartialExport, at, detail);
        }
        Ok(())
    }

    /// One element of `resourceSpans`, `resourceMetrics` or `resourceLogs`.
    fn block(&mut self, signal: u8) -> Step<()> {
        let (mut resource, mut waiting) = (None, Vec::new());
        let outcome = self.object("a resource block", |r, key| match key {
            b"resource" => {
                resource = Some(r.resource()?);
                Ok(())
            }
            b"scopeSpans"
            | b"scope_spans"
            | b"instrumentationLibrarySpans"
            | b"instrumentation_library_spans"
            | b"scopeMetrics"
            | b"scope_metrics"
            | b"instrumentationLibraryMetrics"
            | b"scopeLogs"
            | b"scope_logs"
            | b"instrumentationLibraryLogs" => r.now_or_later(resource, &mut waiting, |r, id| {
                r.list("a list of scopes", |r| r.scope_block(signal, id))
            }),
            _ => r.json.skip(),
        });
        let resource = match (resource, waiting.is_empty()) {
            (None, false) => self.out.resource(&[]),
            (known, _) => known.unwrap_or_default(),
        };
        self.return_to(waiting, outcome, |r| {
            r.list("a list of scopes", |r| r.scope_block(signal, resource))
        })
    }

    /// One element of `scopeSpans` and the like.
    fn scope_block(&mut self, signal: u8, resource: u32) -> Step<()> {
        let (mut scope, mut waiting) = (None, Vec::new());
        let outcome = self.object("a scope block", |r, key| match key {
            b"scope" | b"instrumentationLibrary" | b"instrumentation_library" => {
                scope = Some(r.scope()?);
                Ok(())
            }
            b"spans" | b"metrics" | b"logRecords" | b"log_records" | b"logs" => {
                // Only spans are told their scope, so only they wait for it.
                let ready = if signal == TRACES { scope } else { Some(0) };
                r.now_or_later(ready, &mut waiting, |r, id| r.records(signal, resource, id))
            }
            _ => r.json.skip(),
        });
        let scope = match (scope, waiting.is_empty()) {
            (None, false) => self.out.scope("", ""),
            (known, _) => known.unwrap_or_default(),
        };
        self.return_to(waiting, outcome, |r| r.records(signal, resource, scope))
    }

    fn records(&mut self, signal: u8, resource: u32, scope: u32) -> Step<()> {
        match signal {
            TRACES => self.list("a list of spans", |r| r.span(resource, scope)),
            METRICS => self.list("a list of metrics", |r| r.metric(resource)),
            LOGS => self.list("a list of log records", |r| r.log(resource)),
            _ => self.json.skip(),
        }
    }

    /// Reads on when what it depends on is known, else remembers the place and skips.
    fn now_or_later(
        &mut self,
        known: Option<u32>,
        waiting: &mut Vec<usize>,
        read: impl FnOnce(&mut Self, u32) -> Step<()>,
    ) -> Step<()> {
        match known {
            Some(id) => read(self, id),
            None => {
                waiting.push(self.json.at());
                self.json.skip()
            }
        }
    }

    /// Reads what was put off. Also when the bytes broke off in between: what stands before the
    /// break is good.
    fn return_to(
        &mut self,
        waiting: Vec<usize>,
        outcome: Step<bool>,
        mut read: impl FnMut(&mut Self) -> Step<()>,
    ) -> Step<()> {
        let end = self.json.at();
        for at in waiting {
            self.json.seek(at);
            read(self)?;
        }
        self.json.seek(end);
        outcome.map(drop)
    }
}
