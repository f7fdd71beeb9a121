//! The same verdicts from many machines: the pipe cut into stages that hand each other Arrow IPC streams.
//!
//! ```text
//! file ─facts─> rows by trace id ══shuffle══> learn ─> part ─────────┬──────────────┐
//!                                               │  ^                 v              v
//!                                               v  │ again        windows ─> verdict ─> merge ─> report
//!                                              across
//! ```
//!
//! An engine (Spark, or a shell with `xargs`) places the work, shuffles and retries; nothing here knows one.
//! Each stage is a function of its input rows, in whatever order they come, so that a task that runs twice
//! says the same twice. What one trace must know of others travels in two small states: [`Across`] for
//! repairs that join traces, [`Shared`](crate::diagnose::Shared) for what is normal and who slowed whom.

mod across;
mod driver;
mod facts;
mod file;
mod gather;
mod learn;
mod packed;
mod part;
mod row;
mod stream;
mod trunk;
mod whole;

pub use across::{Across, Evidence, Step};
pub use driver::spark_driver;
pub use facts::Facts;
pub use file::{FileFacts, Meta, PER_INPUT, number_of, part_of};
pub use gather::Gather;
pub use learn::{Asked, Waiting, learn};
pub use part::{Head, Keep, Part};
pub use row::{Kind, Row, StreamError};
pub use stream::{Body, Column, Reader, Writer};
pub use whole::{Rebuilt, Whole};
