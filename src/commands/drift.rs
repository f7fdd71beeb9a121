//! `agentdiag drift`: whether agents choose other tools than before, and what else changed.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::load::{Inputs, Loaded};
use crate::aggregate::{Study, drift as study};
use crate::error::{Error, Outcome};
use crate::render::{self, Style, terminal};
use crate::report::drift::DriftReport;
use crate::saved::Saved;
use crate::units::Nanos;
use crate::units::human::instant;

/// What the requests are compared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Against {
    /// Earlier ones of the same dump, wherever the change is.
    Themselves,
    /// Those of the same dump that started before an instant.
    Before(Nanos),
    /// Another dump, or a period saved by `agentdiag baseline`.
    Dump(PathBuf),
}

/// What to compare, and how to show it.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to read.
    pub inputs: Inputs,
    /// What to compare with.
    pub against: Against,
    /// One JSON object instead of text.
    pub json: bool,
    /// Losses and too little data are failures.
    pub strict: bool,
    /// Rows shown of a long list.
    pub top: usize,
    /// Colour, width and character set.
    pub style: Style,
}

/// Compares and writes what changed to `out`.
///
/// # Errors
/// When nothing can be read, or `out` cannot be written.
pub fn drift(options: &Options, out: impl Write) -> Result<Outcome, Error> {
    let (loaded, found) = options.inputs.on_threads(|progress| {
        let before = match &options.against {
            Against::Dump(path) if is_saved(path) => {
                let saved = Saved::read(path).map_err(|error| Error::File(error.to_string()))?;
                let loaded = Loaded::read(&options.inputs, progress)?;
                let part = (&loaded.dataset, &loaded.forest);
                let found = study::against_saved(part, &saved.profile);
                return Ok((loaded, found));
            }
            Against::Dump(path) => {
                let inputs = Inputs {
                    paths: vec![path.clone()],
                    ..options.inputs.clone()
                };
                Some(Loaded::read(&inputs, progress)?)
            }
            Against::Themselves | Against::Before(_) => None,
        };
        let loaded = Loaded::read(&options.inputs, progress)?;
        progress.stage("comparing");
        let split = match options.against {
            Against::Before(at) => Some(at),
            Against::Themselves | Against::Dump(_) => None,
        };
        let baseline = before.as_ref().map(|b| (&b.dataset, &b.forest));
        let found: Study = study::study((&loaded.dataset, &loaded.forest), baseline, split);
        Ok((loaded, found))
    })?;
    let against = match &options.against {
        Against::Themselves => "earlier ones of the same dump".to_owned(),
        Against::Before(at) => format!("that started before {} UTC", instant(*at)),
        Against::Dump(path) if found.own_before > 0 => {
            format!("of {} and earlier ones of the same dump", path.display())
        }
        Against::Dump(path) => format!("of {}", path.display()),
    };
    let report = DriftReport::assemble(&loaded.dataset, &loaded.forest, &found, against);
    if options.json {
        render::json::drift(&report, out)?;
    } else {
        let (style, top) = (options.style, options.top);
        terminal::drift(&report, terminal::Options { style, top }, out)?;
    }
    Ok(report.outcome(options.strict))
}

/// True for a file that `agentdiag baseline` wrote.
pub(super) fn is_saved(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut head));
    read.is_ok() && Saved::is_one(&head)
}
