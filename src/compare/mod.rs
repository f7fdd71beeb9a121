//! Two sets of requests side by side: by outcome, phase, cause, tool, model and cost, each kind of task with itself, in
//! the mix of the new set. All comparisons are corrected together.

mod difference;
mod rows;
mod side;

pub use difference::Difference;
pub use rows::{Comparison, Measure, Row, Section, compare};
pub use side::Side;

/// Chance of calling anything changed in two sets that are alike, all comparisons together.
pub const ALPHA: f64 = 0.05;
