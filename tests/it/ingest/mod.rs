//! From bytes to records, through the public interface.

mod dumps;
mod fixtures;
mod large;
mod oracle;
mod recorder;
mod spellings;
mod survey;
