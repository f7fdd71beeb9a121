//! How the analysis is written: the same options wherever it is.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::commands::analyze;

/// How the analysis is written.
#[derive(Debug, Args)]
pub struct Shape {
    /// How to write the result: text, json (one object), ndjson (one request per line), markdown (for a
    /// post-mortem or a pull request, never longer than a comment may be), or html (one page)
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

    /// Explain how the inputs were read instead: what each was taken for and why, roles, keys not understood, which signals are there, what each gap costs and how to close it
    ///
    /// With --format json the same is part of the usual object, under `inputs` and `coverage`.
    #[arg(long)]
    pub explain_input: bool,

    /// Exit with 2 when part of the input is lost, with 3 when there is too little data to judge
    #[arg(long)]
    pub strict: bool,

    /// Rows to show of a long list (text and markdown)
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub top: usize,

    /// Write the result to a file, which appears only when it is whole
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl Shape {
    /// The format that was meant.
    #[must_use]
    pub fn format(&self) -> analyze::Format {
        match (self.json, self.format) {
            (true, _) | (_, Format::Json) => analyze::Format::Json,
            (_, Format::Ndjson) => analyze::Format::Ndjson,
            (_, Format::Html) => analyze::Format::Html,
            (_, Format::Markdown) => analyze::Format::Markdown,
            (_, Format::Text) => analyze::Format::Text,
        }
    }
}

/// How the result is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One object.
    Json,
    /// One object per request and line.
    Ndjson,
    /// One page.
    Html,
    /// For a post-mortem or a pull request.
    #[value(alias = "md")]
    Markdown,
}
