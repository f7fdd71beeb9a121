//! Showing a report. Renderers see the report and the units, and compute nothing.

pub mod chart;
mod github;
pub mod html;
pub mod json;
mod junit;
mod markdown;
mod ndjson;
mod palette;
mod sarif;
mod sentence;
mod style;
pub mod terminal;

pub use github::github;
pub use json::{json, json_on, replay_json, trace_json};
pub use junit::junit;
pub use markdown::{
    LIMIT as MARKDOWN_LIMIT, check as check_markdown, compare as compare_markdown, markdown,
};
pub use ndjson::ndjson;
pub use sarif::sarif;
pub use style::{ColorChoice, Style, Surroundings};
