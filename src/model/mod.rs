//! The one shape everything is read into: spans in one arena, what was measured about calls beside
//! them, and a ledger of what was lost. Nothing here knows a file format or a vocabulary.

mod attr;
mod call;
mod calls;
mod dataset;
mod event;
mod id;
mod issue;
mod log;
mod metric;
mod redact;
mod span;
mod symbols;
mod tools;
mod traces;
mod weight;

pub use attr::{Resource, Scope};
pub use call::{Digest, ErrorKind, HttpCall, Known, LlmCall, TaskFacts, ToolCall, Via};
pub use calls::{LlmCalls, PackedCall, RareFigures};
pub(crate) use dataset::extend;
pub use dataset::{Dataset, Emitter, Input, Link, Round};
pub use event::ClusterEvent;
pub use id::{SpanId, TraceId};
pub use issue::{Issue, IssueKind, Ledger, Place, Severity, Tally};
pub use log::LogRecord;
pub use metric::{Exemplar, Point, Series, SeriesKind};
pub use redact::Redaction;
pub use span::{CallIx, Op, Origin, Record, Span, SpanFlags, SpanIx, SpanKind, Status};
pub use symbols::Symbols;
pub use tools::{PackedTool, RareTool, ToolCalls};
pub use traces::{TraceIx, Traces};
pub use weight::weight;
