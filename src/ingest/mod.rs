//! From bytes to records: finding files, unpacking them, telling formats apart, reading leniently.
//!
//! ```text
//! Source --open--> unpack --> Feed --sniff--> Splitter --Chunk--> Format::decode --> Sink
//!          zip   gzip,zstd  buffer  format   records            one per thread
//!                 parquet
//! ```

mod feed;
mod fields;
mod formats;
mod gzip;
mod json;
mod lenient;
mod open;
mod outlet;
mod parquet;
mod pump;
mod raw;
mod sink;
mod sniff;
mod source;
mod split;
mod taken;
mod unpack;
mod zip;

pub use formats::{FORMATS, Format};
pub use lenient::read_ids;
pub use pump::{Options, Progress, Reading, read_all};
pub use raw::{
    RawAttr, RawClusterEvent, RawEvent, RawExemplar, RawLink, RawLog, RawMetric, RawMetricKind,
    RawPoint, RawPointValue, RawSpan, RawValue, Text,
};
pub use sink::Sink;
pub use source::Source;
pub use taken::TakenAt;
