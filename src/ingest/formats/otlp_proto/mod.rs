//! Binary OTLP: request bodies as sent, bare, one after another, or each with a length before it;
//! also each compressed by itself, as the Collector's file exporter does, JSON messages included.

mod convert;
mod frame;
mod metric;
mod signal;
mod wire;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use self::signal::Signal;
use self::wire::{Field, Value, fields};
use super::{Chunk, Format, Head, Layout, Parts, otlp_json};
use crate::ingest::outlet::Outlet;
use crate::ingest::unpack::unpack_message;
use crate::model::IssueKind;

pub(crate) use frame::{Frame, Framed};

/// Binary OTLP.
pub(super) const FORMAT: Format = Format {
    name: "otlp-proto",
    about: "OTLP protobuf: Collector file exporter (proto, zstd per message), request bodies, gRPC",
    gives: "spans, metrics, exemplars, logs; all fields",
    loses: "nothing",
    recognise,
    decode,
    ..Format::USUAL
};

/// The order matters where two could fit: a bare body begins with a byte that is also a short
/// varint length.
const FRAMES: [Frame; 5] = [
    Frame::Bare,
    Frame::Length32,
    Frame::Length64,
    Frame::Grpc,
    Frame::Varint,
];

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let fits = |frame: &Frame| match frame.next(head.bytes, 0) {
        Framed::Message { start, end } if start < end => {
            let rest = head
                .bytes
                .get(start..end.min(head.bytes.len()))
                .unwrap_or_default();
            match frame {
                Frame::Bare => signal::is_block(rest),
                Frame::Varint => signal::is_request(rest),
                // A fixed-width length that begins like JSON would be one of two gigabytes.
                _ if matches!(head.bytes.first(), Some(b'{' | b'[')) => false,
                _ => signal::is_request(rest) || is_packed(rest) || is_json(rest),
            }
        }
        _ => false,
    };
    FRAMES.into_iter().find(fits).map(Layout::Frames)
}

fn is_packed(message: &[u8]) -> bool {
    message.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || message.starts_with(&[0x1f, 0x8b, 8])
}

fn is_json(message: &[u8]) -> bool {
    message.starts_with(b"{\"") || message.starts_with(b"{ ")
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let Parts::Frames(frame) = chunk.parts else {
        return;
    };
    let mut at = 0;
    while at < chunk.bytes.len() {
        let Framed::Message { start, end } = frame.next(&chunk.bytes, at) else {
            let detail = "the input ends inside the length of a message".into();
            return out.issue(IssueKind::TruncatedRecord, at, detail);
        };
        let held = chunk.bytes.get(start..end.min(chunk.bytes.len()));
        let cut = end > chunk.bytes.len();
        if cut {
            let detail = format!(
                "the input ends {} bytes before the message",
                end - chunk.bytes.len()
            );
            out.issue(IssueKind::TruncatedRecord, at, detail);
        }
        let mut out = out.shifted(start);
        match frame {
            Frame::Bare => Walk::new(&mut out, cut).block(held.unwrap_or_default(), 0),
            _ => message(held.unwrap_or_default(), &mut out, cut),
        }
        at = end;
    }
}

/// One request: packed, JSON or protobuf.
fn message(bytes: &[u8], out: &mut Outlet<'_>, cut: bool) {
    let limits = out.limits();
    let most = limits.unpacked(bytes.len() as u64);
    match unpack_message(bytes, most) {
        Some(Ok(unpacked)) => {
            let full = unpacked.len() as u64 >= most;
            if full {
                let times = limits.ratio;
                let detail = format!(
                    "a message that unpacks to more than {times} times its size; --max-ratio raises the limit"
                );
                out.issue(IssueKind::UnpackedLimit, 0, detail);
            }
            plain_message(&unpacked, out, cut || full);
        }
        Some(Err(error)) => {
            let detail = format!("a compressed message: {error}");
            out.issue(IssueKind::DamagedCompression, 0, detail);
        }
        None => plain_message(bytes, out, cut),
    }
}

fn plain_message(bytes: &[u8], out: &mut Outlet<'_>, cut: bool) {
    if is_json(bytes) {
        return otlp_json::message(bytes, out);
    }
    let mut walk = Walk::new(out, cut);
    for field in fields(bytes) {
        match field.bytes(1) {
            Some(block) => walk.block(block, field.at),
            None => walk.check(&field, field.at),
        }
    }
}

/// A walk through one request. Offsets are within the message.
struct Walk<'w, 's> {
    out: &'w mut Outlet<'s>,
    /// True when the message is known to be cut off: its last field need not be reported again.
    cut: bool,
}

impl<'w, 's> Walk<'w, 's> {
    fn new(out: &'w mut Outlet<'s>, cut: bool) -> Self {
        Self { out, cut }
    }

    /// A `ResourceSpans`, `ResourceMetrics` or `ResourceLogs`.
    fn block(&mut self, block: &[u8], at: usize) {
        let Some(signal) = signal::of_block(block) else {
            return fields(block).for_each(|field| self.check(&field, at + field.at));
        };
        let resource = fields(block).find_map(|f| f.bytes(1));
        let resource = self
            .read::<Resource>(resource.unwrap_or_default(), at)
            .unwrap_or_default();
        let resource = self
            .out
            .resource(&convert::attributes(&resource.attributes, |_| true));
        for field in fields(block) {
            match field.bytes(2) {
                Some(scope) => self.scope(scope, at + field.at, signal, resource),
                None => self.check(&field, at + field.at),
            }
        }
    }

    /// A `ScopeSpans`, `ScopeMetrics` or `ScopeLogs`.
    fn scope(&mut self, block: &[u8], at: usize, signal: Signal, resource: u32) {
        let scope = fields(block).find_map(|f| f.bytes(1));
        let scope = self.read::<InstrumentationScope>(scope.unwrap_or_default(), at);
        let scope = scope.unwrap_or_default();
        let scope = self.out.scope(&scope.name, &scope.version);
        for field in fields(block) {
            let at = at + field.at;
            match field.value {
                Value::Bytes(item) if field.number == 2 => {
                    self.item(item, at, signal, resource, scope);
                }
                _ => self.check(&field, at),
            }
        }
    }

    fn item(&mut self, item: &[u8], at: usize, signal: Signal, resource: u32, scope: u32) {
        match signal {
            Signal::Traces => {
                if let Some(span) = self.read::<Span>(item, at) {
                    convert::span(&span, self.out, at, resource, scope);
                }
            }
            Signal::Metrics => {
                if let Some(metric) = self.read::<Metric>(item, at) {
                    metric::metric(&metric, self.out, at, resource);
                }
            }
            Signal::Logs => {
                if let Some(log) = self.read::<LogRecord>(item, at) {
                    convert::log(&log, self.out, at, resource);
                }
            }
        }
    }

    fn read<M: Message + Default>(&mut self, bytes: &[u8], at: usize) -> Option<M> {
        match M::decode(bytes) {
            Ok(message) => Some(message),
            Err(_) if self.cut => None,
            Err(error) => {
                let detail = format!("a message that does not decode: {error}");
                self.out.issue(IssueKind::MalformedRecord, at, detail);
                None
            }
        }
    }

    /// Reports a field that could not be walked into.
    fn check(&mut self, field: &Field<'_>, at: usize) {
        if matches!(field.value, Value::Broken | Value::Cut(_)) && !self.cut {
            let detail = "expected a protobuf field; the rest of the message was skipped".into();
            self.out.issue(IssueKind::MalformedRecord, at, detail);
        }
    }
}
