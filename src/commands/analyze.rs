//! `agentdiag analyze`: reads, rebuilds, diagnoses, sums and shows.

use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use super::analysis::Analysis;
use super::load::Inputs;
use super::output::write_file;
use super::replay::{self, Alerts, Rules};
use crate::diagnose;
use crate::error::{Error, Outcome};
use crate::render::chart::Subject;
use crate::render::{self, Style, terminal};
use crate::report::Report;

/// From this many requests on their text is made on several threads.
const MANY: usize = 4096;

/// How the result is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One object, for programs.
    Json,
    /// One object per request and line.
    Ndjson,
    /// One page.
    Html,
    /// For a post-mortem or a pull request.
    Markdown,
}

/// What to analyze, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to read.
    pub inputs: Inputs,
    /// How the result is written.
    pub format: Format,
    /// What makes a request slow.
    pub rule: diagnose::Options,
    /// Show how the inputs were read instead of what was found.
    pub explain_input: bool,
    /// Losses and too little data are failures.
    pub strict: bool,
    /// Rows shown of a long list.
    pub top: usize,
    /// Colour, width and character set.
    pub style: Style,
    /// Where the result goes, instead of `out`.
    pub output: Option<PathBuf>,
}

/// Analyzes the inputs and writes the report to `out`, or to the file asked for.
///
/// # Errors
/// When nothing can be read, a price file is wrong, or the result cannot be written.
pub fn analyze(options: &Options, out: impl Write) -> Result<Outcome, Error> {
    // Never taken apart: the program ends with it, and the system takes memory back faster than piece by piece.
    let analysis = ManuallyDrop::new(Analysis::run(&options.inputs, options.rule)?);
    finish(&analysis, options, out)
}

/// Writes the report on what was found.
///
/// # Errors
/// When it cannot be written.
pub(super) fn finish(
    analysis: &Analysis,
    options: &Options,
    out: impl Write,
) -> Result<Outcome, Error> {
    let report = analysis.report();
    match &options.output {
        Some(path) => write_file(path, |out| show(analysis, &report, options, out))?,
        None => show(analysis, &report, options, out)?,
    }
    Ok(report.outcome(options.strict))
}

fn show(
    analysis: &Analysis,
    report: &Report<'_>,
    options: &Options,
    out: impl Write,
) -> io::Result<()> {
    let (style, top) = (options.style, options.top);
    match options.format {
        Format::Text if options.explain_input => {
            terminal::explain_input(report, terminal::Options { style, top }, out)
        }
        Format::Text => terminal::text(report, terminal::Options { style, top }, out),
        Format::Json if report.len() > MANY => match options.inputs.pool() {
            Ok(pool) => render::json_on(&pool, report, out),
            Err(_) => render::json(report, out),
        },
        Format::Json => render::json(report, out),
        Format::Ndjson => render::ndjson(report, out),
        Format::Html => html(analysis, report, options, out),
        Format::Markdown => render::markdown(report, top, out),
    }
}

/// The page of `agentdiag report` with the built-in rules.
fn html(
    analysis: &Analysis,
    report: &Report<'_>,
    options: &Options,
    mut out: impl Write,
) -> io::Result<()> {
    let rules = replay::Options::over(options.inputs.clone(), Vec::new(), options.rule);
    let alerts = Rules::read(&rules).and_then(|read| Alerts::over(&analysis.loaded, &rules, read));
    let alerts = alerts.ok();
    let alerts = alerts.as_ref().map(|alerts| analysis.alerts(alerts));
    let figures = report.figures();
    let page = render::html::page(Subject {
        report,
        figures: &figures,
        alerts: alerts.as_ref(),
    });
    out.write_all(page.map_err(io::Error::other)?.as_bytes())
}
