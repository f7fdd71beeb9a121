//! How a result is written, where it is text or one JSON object.

use clap::{Args, ValueEnum};

/// Text or JSON.
#[derive(Debug, Args)]
pub struct Form {
    /// How to write the result: text, or json (one object)
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub format: Format,

    /// Same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

impl Form {
    /// True where programs read it.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json || matches!(self.format, Format::Json)
    }
}

/// How the result is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One object.
    Json,
}
