//! One log record, without its body: bodies are content.

use super::{SpanId, TraceId};
use crate::units::{Nanos, Sym};

/// A log record tied to a span, a trace, or only to a time.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct LogRecord {
    /// When it happened (observed time where no other is given).
    pub time: Nanos,
    /// Trace, zero when not correlated.
    pub trace: TraceId,
    /// Span, none when not correlated.
    pub span: SpanId,
    /// OTLP severity number, 0 when not said; 13 and above is WARN and worse.
    pub severity: u8,
    /// HTTP status carried by the record.
    pub http_status: Option<u16>,
    /// Event name.
    pub event: Sym,
    /// Index into [`Dataset::resources`](super::Dataset::resources).
    pub resource: u32,
    /// Bytes of the body.
    pub body_bytes: u32,
}
