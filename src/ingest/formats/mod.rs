//! The readable formats. Adding one is a file here and a line in [`FORMATS`].

mod buckets;
mod clickhouse;
mod csv;
mod datadog;
mod flat;
mod jaeger;
mod k8s_events;
mod k8s_table;
mod known;
mod langfuse;
mod langsmith;
mod logs;
mod meaning;
mod openai_agents;
mod otlp_json;
mod otlp_proto;
mod plain;
mod prom_api;
mod prom_text;
mod record;
mod xray;
mod zipkin;

use std::ops::Range;

use super::json::{Kind, Piece, Shape};
use super::outlet::Outlet;

pub(crate) use known::{Known, known_but_unread};
pub(crate) use otlp_proto::{Frame, Framed};

/// One readable format.
#[derive(Debug)]
pub struct Format {
    /// Short stable name.
    pub name: &'static str,
    /// What it is and where it comes from, in one line.
    pub about: &'static str,
    /// What a diagnosis gets from it.
    pub gives: &'static str,
    /// What the export itself leaves out, whoever reads it.
    pub loses: &'static str,
    /// Tells from the first bytes whether a file is of this format, and how it is laid out.
    pub(crate) recognise: fn(&Head<'_>) -> Option<Layout>,
    /// Reads one chunk.
    pub(crate) decode: fn(&Chunk, &mut Outlet<'_>),
    /// How many records a server answers with unless asked for more.
    pub(crate) limit: Option<Limit>,
    /// True when it is tried only after every other format: its marks are common words.
    pub(crate) last_resort: bool,
}

impl Format {
    /// What a format has unless it says otherwise.
    const USUAL: Self = Self {
        name: "",
        about: "",
        gives: "",
        loses: "",
        recognise: |_| None,
        decode: |_, _| {},
        limit: None,
        last_resort: false,
    };
}

/// A default limit: an answer of exactly that size was probably cut off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// How many pieces.
    pub(crate) pieces: u64,
    /// What to say.
    pub(crate) detail: &'static str,
}

/// Every readable format, in order of decision.
pub static FORMATS: &[Format] = &[
    otlp_json::FORMAT,
    otlp_proto::FORMAT,
    jaeger::FORMAT,
    jaeger::DOCUMENTS,
    k8s_events::FORMAT,
    zipkin::FORMAT,
    langfuse::FORMAT,
    langsmith::FORMAT,
    openai_agents::FORMAT,
    clickhouse::FORMAT,
    datadog::FORMAT,
    xray::FORMAT,
    flat::PHOENIX,
    flat::FORMAT,
    prom_api::FORMAT,
    logs::LOKI,
    csv::FORMAT,
    k8s_table::FORMAT,
    prom_text::FORMAT,
    logs::FORMAT,
];

/// The first bytes of an unpacked file.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    /// The bytes, without a byte-order mark.
    pub(crate) bytes: &'a [u8],
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
    /// JSON objects in any arrangement, each a record.
    Objects,
    /// Text that depends on lines before it.
    Text(Divide),
    /// Binary messages.
    Frames(Frame),
}

impl Layout {
    /// A word for the description of the input.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Json(_) => "documents",
            Self::Objects => "objects",
            Self::Text(_) => "text",
            Self::Frames(frame) => frame.word(),
        }
    }
}

/// Where text can be cut: how many of the bytes at hand, which start with a record, are whole records;
/// all of them where nothing follows (the second argument). The last argument holds what the records
/// depend on, and afterwards what those behind the cut depend on, as the format itself writes it down.
pub(crate) type Divide = fn(&[u8], bool, &mut Vec<u8>) -> usize;

/// A [`Divide`] at line ends.
pub(crate) fn whole_lines(bytes: &[u8], whole: bool) -> usize {
    match whole {
        true => bytes.len(),
        false => memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1),
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
    /// Binary messages.
    Frames(Frame),
    /// Whole records of text, and what they depend on.
    Text(Vec<u8>),
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
