//! What stages hand each other: a kind, a key to shuffle by, and a body.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::stream::Body;
use crate::aggregate::Cell;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $about:literal;)*) => {
        /// What a row is, with the version of its body.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the column `schema`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Who writes it, what it holds, and what its key is.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

kinds! {
    /// Spans of some traces from one file, and what was said about them.
    Traces = "agentdiag.traces.v1", "From facts: the spans of one file whose traces fall into one part, what was measured about calls, links, logs and exemplars that name these traces. The key is the number of the part, 16 bytes, big-endian; parts are told by a digest of the trace id, so that all of a trace comes to one task that gets all rows of its part.";
    /// Whatever else one file says: series, events, its ledger.
    File = "agentdiag.file.v1", "From facts, passed on by learn: what one input says besides: metric series, cluster events, logs without a trace, how it was read, its ledger.";
    /// Traces of one partition that must wait: for others they may belong to, or for what spans usually hang under.
    Waiting = "agentdiag.waiting.v1", "From learn: traces of one partition as facts had them, which cannot be rebuilt before other partitions were heard. The key tells them from those of other partitions.";
    /// What one partition says about traces that may belong together.
    Evidence = "agentdiag.evidence.v1", "From learn: what one partition says about traces that may belong to others, and what spans hang under.";
    /// What all partitions say about that.
    Across = "agentdiag.across.v1", "From across: what partitions are asked next, and what is known by then.";
    /// Requests of one partition, ready to be judged.
    Part = "agentdiag.part.v1", "From learn: the requests of one partition, rebuilt; with their spans, operations and ledger.";
    /// What the verdict over one request needs from all others.
    Windows = "agentdiag.windows.v1", "From windows: what is normal, and who was slowed when and where, for all partitions.";
    /// What one part cannot know of itself; the key is that of the part.
    Own = "agentdiag.own.v1", "From windows: what one partition cannot know of itself, such as who else was served by the servers of its calls. The key is the first trace of the partition.";
    /// Verdicts over the requests of one partition.
    Verdicts = "agentdiag.verdicts.v1", "From verdict: the verdicts over the requests of one partition. The key is its first trace.";
    /// One request as a row of a table.
    Request = "agentdiag.request.v1", "From verdict: one request, in further columns: those of the table `requests` of agentdiag-export(1). The body is empty, the key its trace id.";
}

/// One row.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What it is.
    pub kind: Kind,
    /// What to shuffle by, or what tells it from others of its kind; absent where there is nothing to tell.
    pub key: Option<u128>,
    /// The rest, in postcard's encoding (<https://postcard.jamesmunns.com/wire-format>).
    pub body: Body,
    /// Further columns, for rows that others than this program read.
    pub cells: Vec<Cell>,
}

/// Why a stream was refused.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It is no Arrow IPC stream, or cut off.
    #[error("not a whole Arrow IPC stream: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// It has no end.
    #[error("the stream is cut off")]
    CutOff,
    /// Streams were put one behind the other.
    #[error("a stream ends and more follows; name the files one by one instead of joining them")]
    Behind,
    /// Another build wrote it.
    #[error(
        "written with {0} {1}, and this is {2}; all stages of a run take the same build of agentdiag"
    )]
    Version(&'static str, String, &'static str),
    /// Columns are missing or of another type.
    #[error(
        "column `{0}` is missing or of another type; expected a stream written by `agentdiag stage`"
    )]
    Column(&'static str),
    /// A row says it is something this version does not know.
    #[error(
        "rows of schema `{0}`, which this version does not read; all stages of a run take the same build of agentdiag"
    )]
    Schema(String),
    /// A partition too large for a row.
    #[error("a row of schema `{0}` would take more than 2 GB: divide the facts into more parts")]
    Large(&'static str),
    /// A body counts what is not there.
    #[error("a row of schema `{0}` is damaged: it counts what it does not hold")]
    Damaged(&'static str),
    /// A body is not what its schema says.
    #[error("a row of schema `{0}` is damaged: {1}")]
    Body(&'static str, postcard::Error),
}

impl From<StreamError> for std::io::Error {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Arrow(arrow_schema::ArrowError::IoError(_, error)) => error,
            other => Self::other(other.to_string()),
        }
    }
}

impl Row {
    /// A row of `kind` that says `body`.
    ///
    /// # Errors
    /// Never in practice: memory is what encoding needs.
    pub fn new(kind: Kind, key: Option<u128>, body: &impl Serialize) -> Result<Self, StreamError> {
        Self::sized(kind, key, body, 0)
    }

    /// The same, where the body is known to take some `size` bytes.
    ///
    /// # Errors
    /// As [`Row::new`].
    pub fn sized(
        kind: Kind,
        key: Option<u128>,
        body: &impl Serialize,
        size: usize,
    ) -> Result<Self, StreamError> {
        let body = postcard::to_extend(body, Vec::with_capacity(size))
            .map_err(|error| StreamError::Body(kind.name(), error))?;
        Ok(Self {
            kind,
            key,
            body: Body::Own(body),
            cells: Vec::new(),
        })
    }

    /// What its body begins with.
    ///
    /// # Errors
    /// When the body is damaged.
    pub fn read_first<T: DeserializeOwned>(&self) -> Result<T, StreamError> {
        let read = postcard::take_from_bytes(self.body.bytes());
        read.map(|(first, _)| first)
            .map_err(|error| StreamError::Body(self.kind.name(), error))
    }

    /// What it says.
    ///
    /// # Errors
    /// When the body is damaged.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StreamError> {
        self.lend()
    }

    /// The same, where it lies in the row.
    ///
    /// # Errors
    /// As [`Row::read`].
    pub fn lend<'a, T: Deserialize<'a>>(&'a self) -> Result<T, StreamError> {
        postcard::from_bytes(self.body.bytes())
            .map_err(|error| StreamError::Body(self.kind.name(), error))
    }
}
