//! Statistics over plain numbers: nothing here knows what they measure.

mod distance;
mod interval;
mod quantile;
mod robust;

pub use distance::{GTest, chi_square_tail, g_test, jensen_shannon, normal_two_sided};
pub use interval::{Interval, quantile_interval, wilson};
pub use quantile::{Histogram, median, quantile};
pub use robust::{Line, MAD_TO_SIGMA, median_and_mad, theil_sen};
