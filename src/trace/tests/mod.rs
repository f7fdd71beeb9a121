//! Traces built by hand, and what is made of them.

mod joining;
mod lengths;
mod mending;
mod records;
mod requests;

use super::{Forest, NO_SPAN, Options};
use crate::model::{
    CallIx, Dataset, Digest, Emitter, HttpCall, IssueKind, Known, LlmCall, Op, Place, Record,
    Resource, Scope, Span, SpanFlags, SpanId, SpanKind, Status, TaskFacts, ToolCall, TraceId,
};
use crate::units::{Nanos, Sym};

/// Milliseconds since the beginning of the dump.
fn at(millis: u64) -> Nanos {
    Nanos(1_778_572_800_000_000_000 + millis * 1_000_000)
}

/// A span to be: times in milliseconds.
#[derive(Clone, Copy)]
struct S {
    trace: u64,
    id: u64,
    parent: u64,
    op: Op,
    start: u64,
    end: u64,
    service: &'static str,
    name: &'static str,
    kind: SpanKind,
    flags: u8,
    failed: bool,
    weight: u16,
}

/// Number `id` of the first trace.
fn span(id: u64, parent: u64, op: Op, start: u64, end: u64) -> S {
    S {
        trace: 1,
        id,
        parent,
        op,
        start,
        end,
        service: "agent",
        name: "",
        kind: SpanKind::Internal,
        flags: 0,
        failed: false,
        weight: 1,
    }
}

impl S {
    fn of(self, trace: u64) -> Self {
        Self { trace, ..self }
    }

    fn by(self, service: &'static str) -> Self {
        Self { service, ..self }
    }

    fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    fn kind(self, kind: SpanKind) -> Self {
        Self { kind, ..self }
    }

    fn flagged(self, flags: u8) -> Self {
        let end = if flags & SpanFlags::NO_END != 0 {
            0
        } else {
            self.end
        };
        Self { flags, end, ..self }
    }

    fn failed(self) -> Self {
        Self {
            failed: true,
            ..self
        }
    }
}

/// Spans as read.
#[derive(Default)]
struct Dump {
    data: Dataset,
}

impl Dump {
    fn of(spans: &[S]) -> Self {
        let mut dump = Self::default();
        spans.iter().for_each(|span| dump.add(*span));
        dump
    }

    fn add(&mut self, s: S) {
        let data = &mut self.data;
        let service = data.names.intern(s.service);
        let known = data.resources.iter().position(|r| r.service == service);
        let emitter = known.unwrap_or_else(|| {
            data.resources.push(Resource {
                service,
                ..Resource::default()
            });
            data.scopes.push(Scope::default());
            let number = data.resources.len() as u32 - 1;
            let scope = number;
            data.emitters.push(Emitter {
                resource: number,
                scope,
            });
            number as usize
        });
        let call = match s.op {
            op if op.is_model() => data.llm.push(LlmCall::default()),
            op if op.is_tool() => {
                data.tools.push(ToolCall::default());
                data.tools.len() - 1
            }
            op if op.is_group() => {
                data.tasks.push(TaskFacts::default());
                data.tasks.len() - 1
            }
            Op::Http => {
                data.https.push(HttpCall::default());
                data.https.len() - 1
            }
            _ => u32::MAX as usize,
        };
        let span = Span {
            trace: data.traces.number(TraceId(s.trace.into())),
            start: at(s.start),
            end: if s.flags & SpanFlags::NO_END != 0 {
                Nanos(0)
            } else {
                at(s.end)
            },
            name: match s.name {
                "" => Sym::NONE,
                name => data.names.intern(name),
            },
            emitter: emitter as u32,
            call: CallIx(call as u32),
            op: s.op,
            kind: s.kind,
            status: if s.failed {
                Status::Error
            } else {
                Status::Unset
            },
            flags: SpanFlags(s.flags),
            error: None,
            weight: s.weight,
        };
        data.records.push(Record {
            span,
            id: SpanId(s.id),
            parent: SpanId(s.parent),
            place: Place::default(),
        });
    }

    fn call(&mut self, id: u64, change: impl FnOnce(&mut LlmCall)) {
        let span = self.data.records.iter().find(|s| s.id.0 == id).unwrap();
        self.data.llm.change(span.call.get().unwrap(), change);
    }

    fn task(&mut self, id: u64) -> &mut TaskFacts {
        let span = self.data.records.iter().find(|s| s.id.0 == id).unwrap();
        &mut self.data.tasks[span.call.get().unwrap()]
    }

    fn tool(&mut self, id: u64, name: &str, arguments: Option<u8>) {
        let name = self.data.names.intern(name);
        let span = self.data.records.iter().find(|s| s.id.0 == id).unwrap();
        self.data.tools.change(span.call.get().unwrap(), |tool| {
            tool.tool = name;
            tool.arguments = arguments.map(|argument| Digest::of(&[argument]));
        });
    }

    fn build(self) -> Built {
        self.built(&Options::default())
    }

    fn built(mut self, options: &Options) -> Built {
        let forest = Forest::build(&mut self.data, options);
        self.data.check_valid().unwrap();
        Built {
            data: self.data,
            forest,
        }
    }
}

struct Built {
    data: Dataset,
    forest: Forest,
}

impl Built {
    fn index(&self, id: u64) -> usize {
        self.data.origins.iter().position(|s| s.id.0 == id).unwrap()
    }

    /// The id of what a span hangs under; 0 for a root.
    fn parent(&self, id: u64) -> u64 {
        match self.forest.tree.parent[self.index(id)] {
            NO_SPAN => 0,
            parent => self.data.origins[parent as usize].id.0,
        }
    }

    /// When a span ran, milliseconds from the beginning.
    fn ran(&self, id: u64) -> (i64, i64) {
        let span = &self.data.spans[self.index(id)];
        let millis = |time: Nanos| (time.0 as i64 - at(0).0 as i64) / 1_000_000;
        (millis(span.start), millis(span.end))
    }

    fn total(&self, kind: IssueKind) -> u64 {
        self.data.ledger.total(kind)
    }
}

fn tokens(count: u32) -> Option<Known<u32>> {
    Some(Known::attribute(count))
}
