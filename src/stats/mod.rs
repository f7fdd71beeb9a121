//! Statistics over plain numbers, each with its source: nothing here knows what they measure.

mod adjust;
mod bootstrap;
mod distance;
mod histogram;
mod interval;
mod lopsided;
mod lowside;
mod order;
mod permutation;
mod plane;
mod quantile;
mod random;
mod rank;
mod ranked;
mod robust;
mod stretch;
mod survey;

pub use adjust::holm;
pub use bootstrap::mean_estimate;
pub use distance::{GTest, chi_square_tail, g_test, jensen_shannon, normal_two_sided};
pub use histogram::Histogram;
pub(crate) use histogram::{bucket, middle};
pub use interval::{Interval, normal_upper, quantile_interval, wilson};
pub use lopsided::Lopsided;
pub use lowside::{LowSide, SpreadLimits};
pub use order::Ordered;
pub use permutation::mean_difference;
pub use plane::{Plane, relative_plane, relative_plane_above};
pub use quantile::{median, quantile};
pub use random::SplitMix;
pub use rank::{RankTest, Stratum, rank_test};
pub use ranked::quantile_estimate;
pub use robust::{Line, MAD_TO_SIGMA, median_and_mad, theil_sen};
pub use stretch::highest_stretches;
pub use survey::{Estimate, Stratum as SurveyStratum, Unit, mean_and_variance, share_estimate};
