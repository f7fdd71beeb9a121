//! From bytes to records, through the public interface.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod damaged;
mod dumps;
mod fixtures;
mod formats;
mod keys;
mod large;
mod mistyped;
mod oracle;
mod oracle_records;
mod recorder;
mod spellings;
mod survey;
