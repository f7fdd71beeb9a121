//! From bytes to records: finding files, unpacking them, telling formats apart, reading leniently.
//!
//! ```text
//! Source --open--> unpack --> Feed --sniff--> Splitter --Chunk--> Format::decode --> Sink
//!                  gzip,zstd  buffer  format   records            one per thread
//! ```

mod feed;
mod fields;
mod formats;
mod json;
mod lenient;
mod outlet;
mod pump;
mod raw;
mod sink;
mod sniff;
mod source;
mod split;
mod unpack;

pub use formats::{FORMATS, Format};
pub use pump::{Options, Progress, Reading, read_all};
pub use raw::{
    RawAttr, RawClusterEvent, RawEvent, RawLink, RawLog, RawMetric, RawMetricKind, RawPoint,
    RawPointValue, RawSpan, RawValue, Text,
};
pub use sink::Sink;
pub use source::Source;
