//! From bytes to records, through the public interface.

mod dumps;
mod recorder;
mod spellings;
mod survey;
