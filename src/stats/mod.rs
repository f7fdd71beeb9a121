//! Statistics that the verdicts rest on, each with its source.

mod lowside;
mod quantile;

pub use lowside::{LowSide, SpreadLimits};
pub use quantile::{median, quantile};
