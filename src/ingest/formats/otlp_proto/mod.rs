//! Binary OTLP: request bodies as sent, bare, one after another, or each with a length before it;
//! also each compressed by itself, as the Collector's file exporter does, JSON messages included.

mod frame;
mod labels;
mod log;
mod metric;
mod reader;
mod signal;
mod span;
mod value;
mod wire;

use self::reader::Reader;
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
    let mut reader = Reader::new(out);
    let mut at = 0;
    while at < chunk.bytes.len() {
        let Framed::Message { start, end } = frame.next(&chunk.bytes, at) else {
            let detail = "the input ends inside the length of a message".into();
            return reader.out.issue(IssueKind::TruncatedRecord, at, detail);
        };
        let held = chunk.bytes.get(start..end.min(chunk.bytes.len()));
        reader.cut = end > chunk.bytes.len();
        if reader.cut {
            let missing = end - chunk.bytes.len();
            let detail = format!("the input ends {missing} bytes before the message");
            reader.out.issue(IssueKind::TruncatedRecord, at, detail);
        }
        match frame {
            Frame::Bare => reader.block(held.unwrap_or_default(), start),
            _ => message(held.unwrap_or_default(), start, &mut reader),
        }
        at = end;
    }
}

/// One request: packed, JSON or protobuf.
fn message<'a>(bytes: &'a [u8], at: usize, reader: &mut Reader<'a, '_, '_>) {
    let limits = reader.out.limits();
    let most = limits.unpacked(bytes.len() as u64);
    match unpack_message(bytes, most) {
        Some(Ok(unpacked)) => {
            let full = unpacked.len() as u64 >= most;
            if full {
                let times = limits.ratio;
                let detail = format!(
                    "a message that unpacks to more than {times} times its size; --max-ratio raises the limit"
                );
                reader.out.issue(IssueKind::UnpackedLimit, at, detail);
            }
            let cut = reader.cut || full;
            let mut out = reader.out.shifted(at);
            let mut inside = Reader::new(&mut out);
            inside.cut = cut;
            plain_message(&unpacked, 0, &mut inside);
        }
        Some(Err(error)) => {
            let detail = format!("a compressed message: {error}");
            reader.out.issue(IssueKind::DamagedCompression, at, detail);
        }
        None => plain_message(bytes, at, reader),
    }
}

fn plain_message<'a>(bytes: &'a [u8], at: usize, reader: &mut Reader<'a, '_, '_>) {
    if is_json(bytes) {
        otlp_json::message(bytes, &mut reader.out.shifted(at));
    } else {
        reader.request(bytes, at);
    }
}
