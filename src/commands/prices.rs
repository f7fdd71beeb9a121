//! `agentdiag prices`: what the price tables say, a public table in this program's own form, and what
//! differs between two tables.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::load::Inputs;
use super::output::write_file;
use crate::aggregate::{Changes, Entry, Prices, Source};
use crate::error::{Error, Outcome};
use crate::render::{self, Style, terminal};
use crate::report::prices::{Compared, Imported, Listing};

/// What to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// List prices whose name contains one of these texts, or all.
    Show(Vec<String>),
    /// Write a price table in this program's own form.
    Import {
        /// The table.
        file: PathBuf,
        /// Where to; standard output without one.
        output: Option<PathBuf>,
    },
    /// Compare two tables; the second is the built-in ones where it is left out.
    Diff {
        /// The first.
        left: PathBuf,
        /// The second.
        right: Option<PathBuf>,
    },
}

/// What to do, and how to show it.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to do.
    pub task: Task,
    /// Where prices come from.
    pub inputs: Inputs,
    /// Unix second at which prices hold; the latest where it is left out.
    pub at: Option<u64>,
    /// One JSON object instead of text.
    pub json: bool,
    /// Colour, width and character set.
    pub style: Style,
}

/// Later than any price that is dated.
const LATEST: u64 = i64::MAX as u64;

/// Shows, imports or compares prices.
///
/// # Errors
/// When a price file is wrong, or `out` cannot be written.
pub fn prices(options: &Options, out: impl Write) -> Result<Outcome, Error> {
    let second = options.at.unwrap_or(LATEST);
    match &options.task {
        Task::Show(names) => show(options, names, second, out)?,
        Task::Import { file, output } => import(options, file, output.as_deref(), out)?,
        Task::Diff { left, right } => diff(options, left, right.as_deref(), second, out)?,
    }
    Ok(Outcome::Done)
}

fn show(options: &Options, names: &[String], second: u64, out: impl Write) -> Result<(), Error> {
    let prices = options.inputs.prices()?;
    let mut entries = prices.entries();
    let sought: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let named = |entry: &Entry| sought.iter().any(|name| entry.name.contains(name));
    entries.retain(|entry| sought.is_empty() || named(entry));
    if options.json {
        return Ok(render::json::object(&prices.written(&entries), out)?);
    }
    let listing = Listing::new(prices.vintages(), &entries, second);
    Ok(terminal::prices(&listing, options.style, out)?)
}

fn import(
    options: &Options,
    file: &Path,
    output: Option<&Path>,
    out: impl Write,
) -> Result<(), Error> {
    let mut prices = Prices::builtin();
    let skipped = prices
        .add_file(file, Source::File)
        .map_err(|e| Error::File(e.to_string()))?;
    let entries = prices.own_entries();
    let table = prices.written(&entries);
    let Some(path) = output else {
        return Ok(render::json::object(&table, out)?);
    };
    write_file(path, |file| render::json::object(&table, file))?;
    let imported = Imported {
        table: prices.vintages().into_iter().next(),
        models: entries.len() as u64,
        skipped: skipped.0.into_iter().collect(),
        path: path.display().to_string(),
    };
    Ok(terminal::imported(&imported, options.style, out)?)
}

fn diff(
    options: &Options,
    left: &Path,
    right: Option<&Path>,
    second: u64,
    out: impl Write,
) -> Result<(), Error> {
    let read = |path: &Path| Prices::with_file(path).map_err(|e| Error::File(e.to_string()));
    let first = read(left)?;
    let other = right.map_or_else(|| Ok(Prices::builtin()), read)?;
    let compared = Compared {
        left: left.display().to_string(),
        right: right.map_or_else(|| "built-in tables".to_owned(), |p| p.display().to_string()),
        changes: Changes::between(&first, &other, second),
    };
    if options.json {
        return Ok(render::json::object(
            &crate::report::prices::v1::Document::from(&compared),
            out,
        )?);
    }
    Ok(terminal::price_changes(&compared, options.style, out)?)
}
