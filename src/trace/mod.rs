//! From unordered spans to requests: repairs, trees, calls counted once, parts that sum to wall time.

mod critical;
mod forest;
mod lanes;
mod parts;
mod repair;
mod replay;
mod request;
mod requests;
mod tree;
mod usage;

pub use forest::{Forest, Options};
pub use parts::Parts;
pub(crate) use replay::gaps;
pub use replay::{Cuts, replay};
pub use request::{Lane, NO_LANE, RepairSet, Request, RootState, StepKind, StepOp};
pub use tree::{NO_SPAN, Tree};
pub use usage::Counted;
