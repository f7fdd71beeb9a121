//! Statistics over plain numbers, each with its source: nothing here knows what they measure.

mod adjust;
mod distance;
mod histogram;
mod interval;
mod lowside;
mod order;
mod plane;
mod quantile;
mod rank;
mod robust;

pub use adjust::holm;
pub use distance::{GTest, chi_square_tail, g_test, jensen_shannon, normal_two_sided};
pub use histogram::Histogram;
pub(crate) use histogram::{bucket, middle};
pub use interval::{Interval, quantile_interval, wilson};
pub use lowside::{LowSide, SpreadLimits};
pub use order::Ordered;
pub use plane::{Plane, relative_plane};
pub use quantile::{median, quantile};
pub use rank::{RankTest, Stratum, rank_test};
pub use robust::{Line, MAD_TO_SIGMA, median_and_mad, theil_sen};
