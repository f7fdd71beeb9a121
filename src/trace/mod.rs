//! From unordered spans to requests: repairs, trees, calls counted once, parts that sum to wall time.

mod forest;
mod parts;
mod request;
mod tree;

pub use forest::Forest;
pub use parts::Parts;
pub use request::{RepairSet, Request, RootState, StepKind, StepOp};
pub use tree::{NO_SPAN, Tree};
