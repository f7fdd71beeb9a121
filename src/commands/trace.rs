//! `agentdiag trace`: one request in full.

use std::io::Write;

use super::analysis::Analysis;
use super::load::Inputs;
use crate::diagnose;
use crate::error::{Error, Outcome};
use crate::ingest::read_ids;
use crate::render::{self, Style, terminal};
use crate::report::{Around, Found, Report, Row, Wanted, Waterfall};
use crate::units::human::{counted, duration, instant};

/// How the result is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One object, for programs.
    Json,
}

/// Which request to show, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The beginning of its trace id, or of the id of one of its spans.
    pub id: String,
    /// What to read.
    pub inputs: Inputs,
    /// How the result is written.
    pub format: Format,
    /// What makes a request slow.
    pub rule: diagnose::Options,
    /// Lines of the waterfall (text only).
    pub lines: usize,
    /// Rows shown of a long list (text only).
    pub top: usize,
    /// Colour, width and character set.
    pub style: Style,
}

/// Candidates listed at most.
const CANDIDATES: usize = 20;

/// Shows one request.
///
/// # Errors
/// When nothing can be read, no request or more than one has the id, or `out` cannot be written.
pub fn trace(options: &Options, out: impl Write) -> Result<Outcome, Error> {
    let analysis = Analysis::run(&options.inputs, options.rule)?;
    let report = analysis.report();
    let row = find(&report, &options.id)?;
    match options.format {
        Format::Text => {
            let (style, top) = (options.style, options.top);
            let drawn = Waterfall::of(&row, options.lines);
            let around = Around::of(&row, top);
            let options = terminal::Options { style, top };
            terminal::trace(&report, &row, &drawn, &around, options, out)?;
        }
        Format::Json => {
            let drawn = Waterfall::of(&row, Waterfall::ALL);
            let around = Around::of(&row, usize::MAX);
            render::trace_json(&report, &row, &drawn, &around, out)?;
        }
    }
    Ok(report.outcome(false))
}

fn find<'a>(report: &'a Report<'a>, id: &str) -> Result<Row<'a>, Error> {
    let (trace, span) = read_ids(id);
    let wanted = Wanted {
        text: id,
        trace,
        span,
    };
    match report.find(&wanted) {
        Found::One(row) => Ok(row),
        Found::Many(rows) => Err(Error::Usage(ambiguous(id, &rows))),
        Found::Near(rows) => Err(Error::Usage(unknown(report, id, &rows))),
    }
}

fn ambiguous(id: &str, rows: &[Row<'_>]) -> String {
    let mut said = format!(
        "`{id}` fits more than one request; give more of the trace id, or the id of the root span:"
    );
    list(&mut said, rows);
    said
}

fn unknown(report: &Report<'_>, id: &str, near: &[Row<'_>]) -> String {
    let mut said = format!(
        "no trace or span id begins with `{id}` in the {} read",
        counted(report.len() as u64, "request")
    );
    if near.is_empty() {
        said.push_str("; `agentdiag analyze` lists the slowest, with --format ndjson all of them");
    } else {
        said.push_str("; similar ids:");
        list(&mut said, near);
    }
    said
}

fn list(said: &mut String, rows: &[Row<'_>]) {
    for row in rows.iter().take(CANDIDATES) {
        said.push_str(&format!(
            "\n  {} root span {}  {}  {}  {}",
            row.request.trace,
            row.root_span(),
            instant(row.request.wall.start),
            duration(row.request.duration()),
            terminal::clean(row.name()),
        ));
    }
    if let Some(more) = rows.len().checked_sub(CANDIDATES).filter(|more| *more > 0) {
        said.push_str(&format!("\n  and {more} more"));
    }
}
