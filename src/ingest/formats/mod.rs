//! The readable formats. Adding one is a file here and a line in [`FORMATS`].

mod known;
pub(crate) mod otlp_json;

use std::ops::Range;

use super::json::{Kind, Piece, Shape};
use super::outlet::Outlet;

pub(crate) use known::{Known, known_but_unread};

/// One readable format.
#[derive(Debug)]
pub struct Format {
    /// Short stable name.
    pub name: &'static str,
    /// What it is and where it comes from, in one line.
    pub about: &'static str,
    /// Tells from the first bytes whether a file is of this format, and how it is laid out.
    pub(crate) recognise: fn(&Head<'_>) -> Option<Layout>,
    /// Reads one chunk.
    pub(crate) decode: fn(&Chunk, &mut Outlet<'_>),
}

/// Every readable format, in order of decision.
pub static FORMATS: &[Format] = &[otlp_json::FORMAT];

/// The first bytes of an unpacked file.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    /// The bytes, without a byte-order mark.
    pub(crate) bytes: &'a [u8],
    /// True when this is all of the file.
    pub(crate) whole: bool,
    /// Outline of the first JSON value, when there is one.
    pub(crate) shape: Option<Shape<'a>>,
    /// True when the JSON values stand one to a line.
    pub(crate) lines: bool,
}

impl Head<'_> {
    /// True when the outline has any of `paths`.
    pub(crate) fn has_any(&self, paths: &[&str]) -> bool {
        self.shape
            .as_ref()
            .is_some_and(|shape| paths.iter().any(|p| shape.has(p)))
    }
}

/// How a file is cut into chunks that can be decoded apart from each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// At line ends.
    Lines,
    /// JSON documents in any arrangement, cut at the elements of their long arrays.
    Json(fn(&[u8]) -> Kind),
}

impl Layout {
    /// A word for the description of the input.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Json(_) => "documents",
        }
    }
}

/// A run of bytes that a format can decode by itself.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Index of the input.
    pub(crate) file: u32,
    /// Offset of the first byte in the unpacked file.
    pub(crate) offset: u64,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// How they are divided.
    pub(crate) parts: Parts,
    /// True when the file ends with this chunk.
    pub(crate) last: bool,
}

/// How the bytes of a chunk are divided.
#[derive(Debug)]
pub(crate) enum Parts {
    /// Lines, whole but perhaps for the last of the file.
    Lines,
    /// Elements of documents.
    Pieces(Vec<Piece>),
}

/// The lines of `bytes` without their line ends, and whether each had one.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (Range<usize>, bool)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let (length, ended) = match memchr::memchr(b'\n', rest) {
            Some(at) => (at, true),
            None => (rest.len(), false),
        };
        let line = start..start + length;
        start = line.end + usize::from(ended);
        Some((line, ended))
    })
}
