//! From unordered spans to requests: repairs, trees, calls counted once, parts that sum to wall time.

mod across;
mod arrange;
mod critical;
mod forest;
mod lanes;
mod loss;
mod members;
mod parts;
mod repair;
mod repeats;
mod replay;
mod request;
mod requests;
#[cfg(test)]
mod tests;
mod tree;
mod usage;
mod warned;

pub use across::{Loose, Talk, Wanted};
pub use critical::{Stretch, critical_path, phases};
pub use forest::{Forest, Joined, Options, Parents, Sorted, broken, sort};
pub use loss::Loss;
pub use members::tops;
pub use parts::{Part, Parts};
pub use repair::{HabitCounts, Habits};
pub use repeats::{Repeat, Repeats};
pub use replay::{Cuts, replay};
pub(crate) use replay::{Sweep, gaps, over};
pub use request::{Lane, NO_LANE, RepairSet, Request, RootState, StepKind, StepOp};
pub use tree::{NO_SPAN, Tree};
pub use usage::Counted;
pub use warned::{Warned, warned};
