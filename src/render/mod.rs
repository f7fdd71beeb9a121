//! Showing a report. Renderers see the report and the units, and compute nothing.

mod json;
mod ndjson;
mod style;
pub mod terminal;

pub use json::json;
pub use ndjson::ndjson;
pub use style::{ColorChoice, Style, Surroundings};
