//! A recorded session: rounds as JSON lines, in the driver's units, to be played back.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answers, Driver, Round, Silent, Unavailable};
use crate::units::Nanos;
use crate::units::human::rfc3339;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// RFC 3339.
    time: String,
    #[serde(default)]
    driver: Option<String>,
    #[serde(default)]
    devices: Vec<Answers>,
    #[serde(default)]
    silent: Vec<Silent>,
    /// Nobody answered, and this is why.
    #[serde(default)]
    nobody: Option<String>,
}

/// Plays back a recorded session.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    lines: std::io::Lines<BufReader<File>>,
    number: usize,
}

impl Session {
    /// Opens a recorded session.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(path: &Path) -> Result<Self, Unavailable> {
        let file = File::open(path)
            .map_err(|error| Unavailable(format!("{}: cannot be read: {error}", path.display())))?;
        Ok(Self {
            path: path.to_owned(),
            lines: BufReader::new(file).lines(),
            number: 0,
        })
    }

    fn wrong(&self, what: &dyn std::fmt::Display) -> Unavailable {
        let path = self.path.display();
        Unavailable(format!("{path}: line {}: {what}", self.number))
    }
}

impl Driver for Session {
    fn round(&mut self) -> Result<Option<Round>, Unavailable> {
        loop {
            let Some(line) = self.lines.next() else {
                return Ok(None);
            };
            self.number += 1;
            let line = line.map_err(|error| self.wrong(&error))?;
            if line.trim().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_str(&line).map_err(|error| self.wrong(&error))?;
            let time: jiff::Timestamp = line.time.parse().map_err(|error| self.wrong(&error))?;
            let time = u64::try_from(time.as_nanosecond()).map_err(|error| self.wrong(&error))?;
            return Ok(Some(Round {
                time: Nanos(time),
                driver: line.driver,
                devices: line.devices,
                silent: line.silent,
                nobody: line.nobody,
            }));
        }
    }
}

/// Writes down what another driver answers.
pub struct Saver {
    inner: Box<dyn Driver>,
    file: File,
}

impl Saver {
    /// Everything that `inner` answers is also written to the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn new(inner: Box<dyn Driver>, path: &Path) -> Result<Self, Unavailable> {
        let file = File::create(path);
        let file =
            file.map_err(|e| Unavailable(format!("{}: cannot be written: {e}", path.display())))?;
        Ok(Self { inner, file })
    }
}

impl Driver for Saver {
    fn round(&mut self) -> Result<Option<Round>, Unavailable> {
        let round = self.inner.round()?;
        if let Some(round) = &round {
            let line = Line {
                time: rfc3339(round.time),
                driver: round.driver.clone(),
                devices: round.devices.clone(),
                silent: round.silent.clone(),
                nobody: round.nobody.clone(),
            };
            let value = serde_json::to_value(&line).map(without_nulls);
            let value = value.map_err(|error| Unavailable(error.to_string()))?;
            writeln!(self.file, "{value}")
                .map_err(|e| Unavailable(format!("the session cannot be written: {e}")))?;
        }
        Ok(round)
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            kept.map(|(key, value)| (key, without_nulls(value)))
                .collect()
        }
        Value::Array(list) => list.into_iter().map(without_nulls).collect(),
        other => other,
    }
}
