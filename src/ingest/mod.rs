//! From bytes to records: finding files, unpacking them, telling formats apart, reading leniently.

mod lenient;
mod raw;
mod sink;

pub use raw::{
    RawAttr, RawClusterEvent, RawEvent, RawLink, RawLog, RawMetric, RawMetricKind, RawPoint,
    RawPointValue, RawSpan, RawValue, Text,
};
pub use sink::Sink;
