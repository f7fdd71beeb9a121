//! The walk through envelopes, resources and scopes down to the records. Memory stays at one record.

use opentelemetry_proto::tonic::metrics::v1::Metric;
use prost::Message;

use super::metric;
use super::signal::{self, Signal};
use super::wire::{Value, fields};
use crate::ingest::course::{Course, Key};
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::RawSpan;
use crate::model::IssueKind;

/// The reader of one chunk, or of one message that was unpacked. What can be reused from record to record is
/// kept here. Offsets count from the start of what `out` was made for.
pub(super) struct Reader<'a, 'o, 's> {
    pub(super) out: &'o mut Outlet<'s>,
    /// True when the message at hand is known to be cut off: its last field need not be reported again.
    pub(super) cut: bool,
    /// An empty span to read into; boxed, so that taking it out moves no more than its address.
    pub(super) span: Option<Box<RawSpan<'a>>>,
    /// Attributes' keys as they were written so far.
    pub(super) keys: Course<'a, Option<Key<'a>>>,
    /// The resource and the scope introduced last, as they stood in the input.
    resource: Option<(&'a [u8], u32)>,
    scope: Option<(&'a [u8], u32)>,
}

impl<'a, 'o, 's> Reader<'a, 'o, 's> {
    pub(super) fn new(out: &'o mut Outlet<'s>) -> Self {
        Self {
            out,
            cut: false,
            span: None,
            keys: Course::new(),
            resource: None,
            scope: None,
        }
    }

    /// A request that stands at `at`.
    pub(super) fn request(&mut self, bytes: &'a [u8], at: usize) {
        for field in fields(bytes) {
            match field.bytes(1) {
                Some(block) => self.block(block, at + field.at),
                None if field.is_damage() => self.damaged(at + field.at),
                None => {}
            }
        }
    }

    /// A `ResourceSpans`, `ResourceMetrics` or `ResourceLogs`.
    pub(super) fn block(&mut self, block: &'a [u8], at: usize) {
        let Some(signal) = signal::of_block(block) else {
            if let Some(field) = fields(block).find(|f| f.is_damage()) {
                self.damaged(at + field.at);
            }
            return;
        };
        let resource = fields(block).find_map(|f| Some((f.bytes(1)?, f.at)));
        let (resource, shift) = resource.unwrap_or_default();
        let resource = self.resource(resource, at + shift);
        for field in fields(block) {
            match field.bytes(2) {
                Some(scope) => self.scope_block(scope, at + field.at, signal, resource),
                None if field.is_damage() => self.damaged(at + field.at),
                None => {}
            }
        }
    }

    /// A `ScopeSpans`, `ScopeMetrics` or `ScopeLogs`.
    fn scope_block(&mut self, block: &'a [u8], at: usize, signal: Signal, resource: u32) {
        let scope = fields(block).find_map(|f| Some((f.bytes(1)?, f.at)));
        let (scope, shift) = scope.unwrap_or_default();
        let scope = self.scope(scope, at + shift);
        for field in fields(block) {
            let at = at + field.at;
            match (field.number, field.value) {
                (2, Value::Bytes(item)) => match signal {
                    Signal::Traces => self.span(item, at, resource, scope),
                    Signal::Metrics => self.metric(item, at, resource),
                    Signal::Logs => self.log(item, at, resource),
                },
                _ if field.is_damage() => self.damaged(at),
                _ => {}
            }
        }
    }

    /// A resource; one that repeats the last is not read again.
    fn resource(&mut self, bytes: &'a [u8], at: usize) -> u32 {
        if let Some((last, id)) = self.resource
            && last == bytes
        {
            return id;
        }
        let mut attributes = Vec::new();
        self.keys.begin();
        for field in fields(bytes) {
            match (field.number, field.value) {
                (1, Value::Bytes(pair)) => {
                    self.attribute(&mut attributes, pair, at + field.at, true);
                }
                _ if field.is_damage() => self.damaged(at + field.at),
                _ => {}
            }
        }
        let id = self.out.resource(&attributes);
        self.resource = Some((bytes, id));
        id
    }

    /// A scope; one that repeats the last is not read again.
    fn scope(&mut self, bytes: &'a [u8], at: usize) -> u32 {
        if let Some((last, id)) = self.scope
            && last == bytes
        {
            return id;
        }
        let (mut name, mut version) = Default::default();
        for field in fields(bytes) {
            match (field.number, field.value) {
                (1, Value::Bytes(text)) => name = self.text(text, at + field.at).get(),
                (2, Value::Bytes(text)) => version = self.text(text, at + field.at).get(),
                _ if field.is_damage() => self.damaged(at + field.at),
                _ => {}
            }
        }
        let id = self.out.scope(&name, &version);
        self.scope = Some((bytes, id));
        id
    }

    /// Metrics are few beside spans and of many shapes: their messages are built.
    fn metric(&mut self, bytes: &[u8], at: usize, resource: u32) {
        match Metric::decode(bytes) {
            Ok(message) => metric::metric(&message, self.out, at, resource),
            Err(_) if self.cut => {}
            Err(error) => {
                let detail = format!("a message that does not decode: {error}");
                self.out.issue(IssueKind::MalformedRecord, at, detail);
            }
        }
    }

    /// Reports that no field begins at `at`.
    #[cold]
    pub(super) fn damaged(&mut self, at: usize) {
        if !self.cut {
            let detail = "expected a protobuf field; the rest of the message was skipped".into();
            self.out.issue(IssueKind::MalformedRecord, at, detail);
        }
    }

    /// Counts a field of another wire type than its own; it is passed over.
    #[cold]
    pub(super) fn mistyped(&mut self, what: &str, at: usize) {
        self.out.count(IssueKind::WrongType, at, || {
            format!("a field of {what} has another wire type than its own")
        });
    }
}
