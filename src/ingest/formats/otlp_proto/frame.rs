//! How binary messages follow each other in a file.
//!
//! Source: open-telemetry/opentelemetry-collector-contrib, exporter/fileexporter/README.md, and the
//! gRPC wire format (length-prefixed messages).

use super::wire::varint;

/// What stands before each message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Frame {
    /// Nothing: the file is one message, or several that read as one. Its unit is the element of
    /// the top-level list.
    Bare,
    /// Four bytes of length, big-endian (Collector file exporter).
    Length32,
    /// Eight bytes of length, big-endian.
    Length64,
    /// A flag byte and four bytes of length (gRPC).
    Grpc,
    /// The length as a varint (`writeDelimitedTo`).
    Varint,
}

/// What stands at an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framed {
    /// A message from `start` to `end`, which may be past the bytes at hand.
    Message {
        /// First byte of the message.
        start: usize,
        /// After its last byte.
        end: usize,
    },
    /// The bytes at hand end inside the length.
    NeedMore,
    /// No such thing as a message.
    Broken,
}

impl Frame {
    /// A few words for the description of the input.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bare => "request bodies",
            Self::Length32 => "messages with 4-byte lengths",
            Self::Length64 => "messages with 8-byte lengths",
            Self::Grpc => "gRPC messages",
            Self::Varint => "messages with varint lengths",
        }
    }

    /// The message at `at`. For [`Frame::Bare`] fields other than the list give an empty message.
    pub(crate) fn next(self, bytes: &[u8], at: usize) -> Framed {
        let rest = bytes.get(at..).unwrap_or_default();
        let (header, length) = match self {
            Self::Bare => return element(rest, at),
            Self::Length32 => (
                4,
                rest.first_chunk()
                    .map(|b| u64::from(u32::from_be_bytes(*b))),
            ),
            Self::Length64 => (8, rest.first_chunk().map(|b| u64::from_be_bytes(*b))),
            Self::Grpc => match rest.first() {
                Some(2..) => return Framed::Broken,
                _ => {
                    let length = rest.get(1..).and_then(<[u8]>::first_chunk);
                    (5, length.map(|b| u64::from(u32::from_be_bytes(*b))))
                }
            },
            Self::Varint => match varint(rest) {
                Some((length, used)) => (used, Some(length)),
                None if rest.len() < 10 => return Framed::NeedMore,
                None => return Framed::Broken,
            },
        };
        match length {
            Some(length) => message(at, header, length),
            None => Framed::NeedMore,
        }
    }
}

fn message(at: usize, header: usize, length: u64) -> Framed {
    let start = at + header;
    match usize::try_from(length)
        .ok()
        .and_then(|n| start.checked_add(n))
    {
        Some(end) => Framed::Message { start, end },
        None => Framed::Broken,
    }
}

/// One field of the top-level message.
fn element(rest: &[u8], at: usize) -> Framed {
    let whole = rest.len() >= 10;
    let Some((key, used)) = varint(rest) else {
        return if whole {
            Framed::Broken
        } else {
            Framed::NeedMore
        };
    };
    if key < 8 {
        return Framed::Broken;
    }
    let after = rest.get(used..).unwrap_or_default();
    let (header, length) = match key & 7 {
        2 => match varint(after) {
            Some((length, more)) => (used + more, length),
            None if after.len() < 10 => return Framed::NeedMore,
            None => return Framed::Broken,
        },
        0 => match varint(after) {
            Some((_, more)) => (used + more, 0),
            None if after.len() < 10 => return Framed::NeedMore,
            None => return Framed::Broken,
        },
        1 => (used, 8),
        5 => (used, 4),
        _ => return Framed::Broken,
    };
    match (key, message(at, header, length)) {
        (0x0a, found) => found,
        // A field that is no element: nothing to decode, and it ends where it ends.
        (_, Framed::Message { end, .. }) => Framed::Message { start: end, end },
        (_, other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_every_form() {
        let at = |start, end| Framed::Message { start, end };
        assert_eq!(Frame::Length32.next(&[9, 0, 0, 1, 0], 1), at(5, 261));
        assert_eq!(
            Frame::Length64.next(&[0, 0, 0, 0, 0, 0, 0, 2], 0),
            at(8, 10)
        );
        assert_eq!(Frame::Grpc.next(&[1, 0, 0, 0, 3], 0), at(5, 8));
        assert_eq!(Frame::Grpc.next(&[7, 0, 0, 0, 3], 0), Framed::Broken);
        assert_eq!(Frame::Varint.next(&[0x96, 1], 0), at(2, 152));
        assert_eq!(Frame::Bare.next(&[0x0a, 3, 1, 2, 3], 0), at(2, 5));
        assert_eq!(Frame::Bare.next(&[0x12, 3, 1, 2, 3], 0), at(5, 5));
        assert_eq!(Frame::Bare.next(&[0], 0), Framed::Broken);
        for frame in [
            Frame::Bare,
            Frame::Length32,
            Frame::Length64,
            Frame::Grpc,
            Frame::Varint,
        ] {
            assert_eq!(frame.next(&[], 0), Framed::NeedMore);
            assert_eq!(frame.next(&[], usize::MAX), Framed::NeedMore);
        }
        assert_eq!(Frame::Length64.next(&[0xff; 8], 0), Framed::Broken);
        assert_eq!(Frame::Varint.next(&[0xff; 11], 0), Framed::Broken);
    }
}
