//! Showing a report. Renderers see the report and the units, and compute nothing.

pub mod chart;
pub mod html;
pub mod json;
mod markdown;
mod ndjson;
mod palette;
mod sentence;
mod style;
pub mod terminal;

pub use json::{json, json_on, replay_json, trace_json};
pub use markdown::{LIMIT as MARKDOWN_LIMIT, markdown};
pub use ndjson::ndjson;
pub use style::{ColorChoice, Style, Surroundings};
