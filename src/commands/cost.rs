//! `agentdiag cost`: what was paid, for what, and how much of it for nothing.

use std::io::Write;

use super::load::{Inputs, Loaded};
use crate::aggregate;
use crate::error::{Error, Outcome};
use crate::render::{self, Style, terminal};
use crate::report::cost::CostReport;

pub use crate::report::cost::By;

/// What to add up, and how to show it.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to read.
    pub inputs: Inputs,
    /// What to list by.
    pub by: Vec<By>,
    /// One JSON object instead of text.
    pub json: bool,
    /// Losses, and nothing with a price, are failures.
    pub strict: bool,
    /// Rows shown of a long list.
    pub top: usize,
    /// Colour, width and character set.
    pub style: Style,
}

/// Adds up the inputs and writes what was paid to `out`.
///
/// # Errors
/// When nothing can be read, a price file is wrong, or `out` cannot be written.
pub fn cost(options: &Options, out: impl Write) -> Result<Outcome, Error> {
    let prices = options.inputs.prices()?;
    let (loaded, cost) = options.inputs.on_threads(|progress| {
        let loaded = Loaded::read(&options.inputs, progress)?;
        progress.stage("adding up");
        let cost = aggregate::cost(&loaded.dataset, &loaded.forest, &prices);
        Ok((loaded, cost))
    })?;
    let report = CostReport::assemble(&loaded.dataset, &loaded.forest, &cost, &options.by);
    if options.json {
        render::json::cost(&report, out)?;
    } else {
        let (style, top) = (options.style, options.top);
        terminal::cost(&report, terminal::Options { style, top }, out)?;
    }
    Ok(report.outcome(options.strict))
}
