//! What a dump holds, written for other programs. One file per target.

pub mod openmetrics;

mod family;
mod seed;

pub use family::{Family, Kind, Labels, Samples, Series, scrapes};
pub use seed::{families, families_of};
