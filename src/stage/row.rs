//! What stages hand each other: a kind, a key to shuffle by, and a body.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::aggregate::Cell;
use crate::model::TraceId;

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
    /// Spans of one trace from one file, and what was said about them.
    Trace = "agentdiag.trace.v1", "From facts: the spans of one trace in one file, what was measured about calls, links, logs and exemplars that name the trace. The key is the trace id, 16 bytes.";
    /// Whatever else one file says: series, events, its ledger.
    File = "agentdiag.file.v1", "From facts, passed on by learn: what one input says besides: metric series, cluster events, logs without a trace, how it was read, its ledger.";
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
    /// The trace it belongs to; absent for rows of whole files and partitions.
    pub trace: Option<TraceId>,
    /// The rest, in postcard's encoding (<https://postcard.jamesmunns.com/wire-format>).
    pub body: Vec<u8>,
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
    /// Columns are missing or of another type.
    #[error(
        "column `{0}` is missing or of another type; expected a stream written by `agentdiag stage`"
    )]
    Column(&'static str),
    /// A row says it is something this version does not know.
    #[error(
        "rows of schema `{0}`, which this version does not read; all stages of a run take the same version of agentdiag"
    )]
    Schema(String),
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
    pub fn new(
        kind: Kind,
        trace: Option<TraceId>,
        body: &impl Serialize,
    ) -> Result<Self, StreamError> {
        let body =
            postcard::to_stdvec(body).map_err(|error| StreamError::Body(kind.name(), error))?;
        Ok(Self {
            kind,
            trace,
            body,
            cells: Vec::new(),
        })
    }

    /// What it says.
    ///
    /// # Errors
    /// When the body is damaged.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StreamError> {
        postcard::from_bytes(&self.body).map_err(|error| StreamError::Body(self.kind.name(), error))
    }
}
