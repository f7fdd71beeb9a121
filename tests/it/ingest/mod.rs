//! From bytes to records, through the public interface.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod dumps;
mod fixtures;
mod formats;
mod large;
mod oracle;
mod recorder;
mod spellings;
mod survey;
