//! `agentdiag compare`: what changed from one set of requests to another.

use std::io::Write;
use std::path::PathBuf;

use super::analysis::Analysis;
use super::drift::is_saved;
use super::load::{Inputs, Loaded};
use super::reference::{Known, source};
use crate::baseline::work;
use crate::compare::{self, Side};
use crate::diagnose;
use crate::error::{Error, Outcome};
use crate::render::{self, Style, terminal};
use crate::report::compare::CompareReport;

/// How the result is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One object, `agentdiag.compare.v1`.
    Json,
    /// For a pull request.
    Markdown,
}

/// What to compare, and how to show it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The earlier set: a dump or a saved period.
    pub base: PathBuf,
    /// The later set: a dump or a saved period.
    pub inputs: Inputs,
    /// How the result is written.
    pub format: Format,
    /// What makes a request slow.
    pub rule: diagnose::Options,
    /// Losses and too little data are failures.
    pub strict: bool,
    /// Changes told in sentences.
    pub top: usize,
    /// Colour, width and character set.
    pub style: Style,
}

/// Compares and writes what changed to `out`.
///
/// # Errors
/// When nothing can be read, or `out` cannot be written.
pub fn compare(options: &Options, out: impl Write) -> Result<Outcome, Error> {
    let before = Known::read(&options.base, &options.inputs, options.rule)?;
    let later = &options.inputs.paths;
    let after = match later.as_slice() {
        [one] if is_saved(one) => Known::read(one, &options.inputs, options.rule)?,
        _ => {
            let normal = Some(before.saved.clone());
            let analysis = Analysis::against(&options.inputs, options.rule, normal)?;
            Known::of(analysis)
        }
    };
    // Both sides are measured by what the earlier one takes for the same work.
    let later_work = after.dump.as_ref().map(|dump| {
        let Loaded { dataset, forest } = &dump.loaded;
        work(dataset, forest, &before.saved.norms)
    });
    let later_work = later_work.unwrap_or_default();
    let later_source = after.dump.as_ref().map(|dump| source(dump, &later_work));
    let sources = [before.source(), later_source];
    let [base, new] = [&before, &after].map(|known| &known.saved.profile);
    let sides = (
        sources[0].as_ref().map_or(Side::Saved(base), Side::Dump),
        sources[1].as_ref().map_or(Side::Saved(new), Side::Dump),
    );
    let found = compare::compare(sides.0, sides.1);
    let named: Vec<String> = later
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let dump = after.dump.as_ref();
    let report = CompareReport::assemble(
        dump.map(|dump| (&dump.loaded.dataset, &dump.loaded.forest)),
        &found,
        (options.base.display().to_string(), named.join(" ")),
    );
    match options.format {
        Format::Text => {
            let (style, top) = (options.style, options.top);
            terminal::compare(&report, terminal::Options { style, top }, out)?;
        }
        Format::Json => render::json::compare(&report, out)?,
        Format::Markdown => render::compare_markdown(&report, options.top, out)?,
    }
    Ok(report.outcome(options.strict))
}
