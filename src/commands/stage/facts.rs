//! `agentdiag stage facts`: one file to rows by trace id.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::rows::failed;
use crate::commands::load::{self, Inputs};
use crate::dialect;
use crate::error::{Error, Outcome};
use crate::model::{Dataset, Input, Issue, IssueKind, Place};
use crate::stage::{FileFacts, Row, StreamError, Writer, number_of};

/// What to read, and under which number.
#[derive(Clone, Debug)]
pub struct Facts {
    /// One path.
    pub inputs: Inputs,
    /// Position of the input among all of the run.
    pub number: u32,
    /// What the input is called in the report, instead of its path.
    pub name: Option<String>,
    /// Why the input is given up; nothing is read.
    pub failed: Option<String>,
    /// How many parts traces are divided into.
    pub parts: u32,
    /// Folder that gets a folder for each part, instead of one stream.
    pub folder: Option<PathBuf>,
}

pub(super) fn facts(options: &Facts, out: impl Write) -> Result<Outcome, Error> {
    if number_of(options.number, 0).is_none() {
        return Err(Error::Usage(
            "--number is beyond what a run may hold: 16 million inputs".into(),
        ));
    }
    let (data, readable) = match &options.failed {
        Some(reason) => (given_up(options, reason), 0),
        None => read(options)?,
    };
    if number_of(options.number, data.inputs.len().saturating_sub(1) as u32).is_none() {
        let path = &options.inputs.paths;
        return Err(Error::Usage(format!(
            "{path:?} holds more than 256 files: unpack it, and give each a number"
        )));
    }
    let (number, parts) = (options.number, options.parts);
    match &options.folder {
        Some(folder) => divided(data, options, readable, folder)?,
        None => {
            let mut out = Writer::new(out).map_err(failed)?;
            FileFacts::rows(data, number, readable, parts, |row| out.push(row)).map_err(failed)?;
            out.finish().map_err(failed)?;
        }
    }
    Ok(Outcome::Done)
}

fn read(options: &Facts) -> Result<(Dataset, u64), Error> {
    let inputs = &options.inputs;
    let (mut data, readable) = inputs.on_threads(|progress| Ok(load::take(inputs, progress)))?;
    dialect::merge_series(&mut data);
    inputs.redact(&mut data)?;
    if let (Some(name), Some(path)) = (&options.name, inputs.paths.first()) {
        let path = path.display().to_string();
        for input in &mut data.inputs {
            // Files of an archive are called by it.
            let rest = input.path.strip_prefix(&path).unwrap_or_default();
            input.path = format!("{name}{rest}");
        }
    }
    Ok((data, readable as u64))
}

/// An input that no attempt could read to its end.
fn given_up(options: &Facts, reason: &str) -> Dataset {
    let path = options
        .inputs
        .paths
        .first()
        .map(|path| path.display().to_string());
    let mut data = Dataset::default();
    data.inputs.push(Input {
        path: options.name.clone().or(path).unwrap_or_default(),
        ..Input::default()
    });
    data.ledger.add(Issue {
        kind: IssueKind::GivenUp,
        place: Place::default(),
        offset: None,
        detail: reason.to_owned(),
    });
    data
}

fn divided(data: Dataset, options: &Facts, readable: u64, folder: &Path) -> Result<(), Error> {
    let mut parts: BTreeMap<u128, Vec<Row>> = BTreeMap::new();
    let take = |row: Row| {
        // Rows of no part go with the first.
        parts.entry(row.key.unwrap_or(0)).or_default().push(row);
        Ok(())
    };
    FileFacts::rows(data, options.number, readable, options.parts, take).map_err(failed)?;
    let digits = (options.parts - 1).max(1).ilog10() as usize + 1;
    for (part, rows) in parts {
        let folder = folder.join(format!("{part:0digits$}"));
        let path = folder.join(format!("{}.arrow", options.number));
        let wrong = |error: std::io::Error| {
            Error::File(format!("{}: cannot be written: {error}", path.display()))
        };
        fs::create_dir_all(&folder).map_err(wrong)?;
        crate::commands::output::write_file(&path, |file| {
            write(rows, BufWriter::new(file)).map_err(std::io::Error::from)
        })?;
    }
    Ok(())
}

fn write(rows: Vec<Row>, out: impl Write) -> Result<(), StreamError> {
    let mut out = Writer::new(out)?;
    rows.into_iter().try_for_each(|row| out.push(row))?;
    out.finish()
}
