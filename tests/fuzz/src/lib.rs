//! What fuzz targets and the replay of their findings run.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "what does not hold is a finding"
)]

pub mod entry;
pub mod hook;
