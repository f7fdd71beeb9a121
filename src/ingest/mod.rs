//! From bytes to records: finding files, unpacking them, telling formats apart, reading leniently.
//!
//! ```text
//! Source --open--> unpack --> Feed --sniff--> Splitter --Chunk--> Format::decode --> Sink
//!          zip   gzip,zstd  buffer  format   records            one per thread
//!                 parquet
//! ```

mod course;
mod direct;
mod feed;
mod fields;
mod formats;
mod gzip;
mod json;
mod lenient;
mod limits;
mod open;
mod outlet;
mod parquet;
mod pump;
mod raw;
mod sink;
mod snapshot;
mod sniff;
mod source;
mod split;
mod stop;
mod stream;
mod taken;
mod trim;
mod turns;
mod unpack;
mod zip;

pub use direct::{read_as, unpacked_length};
pub use formats::{FORMATS, Format};
pub use lenient::read_ids;
pub use limits::Limits;
pub use pump::{Options, Progress, Reading, is_little, read_all};
pub use raw::{
    RawAttr, RawClusterEvent, RawEvent, RawExemplar, RawLink, RawLog, RawMetric, RawMetricKind,
    RawPoint, RawPointValue, RawSpan, RawValue, Text,
};
pub use sink::Sink;
pub use source::Source;
pub use taken::TakenAt;
