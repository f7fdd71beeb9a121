//! All traces of a dump as trees over one sorted span arena.

use super::{Request, StepOp};
use crate::model::SpanIx;

/// The trees. `parent[i]` and `children(i)` index [`Dataset::spans`](crate::model::Dataset::spans).
#[derive(Clone, Debug, Default)]
pub struct Forest {
    /// Effective parent of each span after repairs; `u32::MAX` for a root.
    pub parent: Vec<SpanIx>,
    /// Requests, by start, trace id and root id.
    pub requests: Vec<Request>,
    /// Leaf operations of all requests.
    pub ops: Vec<StepOp>,
    /// Traces, requests or not.
    pub traces: u64,
    /// Spans without a parent id.
    pub roots: u64,
    /// Spans whose parent is not in the dump.
    pub orphans: u64,
    /// Spans with status error.
    pub errors: u64,
}
