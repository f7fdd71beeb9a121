//! A healthy period in a file: what is normal in it, for diagnosis, and what its requests were like, for
//! drift and budgets.
//!
//! The file is JSON of schema `agentdiag.baseline.v1`. All of its state is integer counts and sums, keyed
//! by names in order, so that merging the files of parts (days, clusters, anything that keeps traces
//! whole) gives the file of the whole, to the byte; only rates of verdicts (slow, cause, wasted) are of requests judged
//! part by part.

mod error;

use std::io::Write;
use std::path::Path;

pub use error::SavedError;
use serde::{Deserialize, Deserializer, Serialize};

use crate::aggregate::Profile;
use crate::baseline::Norms;

/// Name and version of the file's shape.
pub const SCHEMA: &str = "agentdiag.baseline.v1";

/// What is looked for at the start of a file to tell a baseline from a dump.
const MARK: &[u8] = b"agentdiag.baseline.";

/// A healthy period, saved or to be saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object written by `agentdiag baseline`")]
pub struct Saved {
    schema: Schema,
    /// What is normal: prices of model calls, tool times, pauses, durations of tasks.
    pub norms: Norms,
    /// What requests were like: latency, cost, tokens, errors and tool choice by kind of task.
    pub profile: Profile,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Schema;

impl Serialize for Schema {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(SCHEMA)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let found = String::deserialize(from)?;
        if found == SCHEMA {
            return Ok(Self);
        }
        let text = format!("schema is `{found}`; this version reads `{SCHEMA}`");
        Err(serde::de::Error::custom(text))
    }
}

impl Saved {
    /// A period as it was folded.
    #[must_use]
    pub fn new(norms: Norms, profile: Profile) -> Self {
        let schema = Schema;
        Self {
            schema,
            norms,
            profile,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is not a baseline of this version: with line and column.
    pub fn read(path: &Path) -> Result<Self, SavedError> {
        let name = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&name, &bytes),
            Err(source) => Err(SavedError::Read { path: name, source }),
        }
    }

    /// Reads the bytes of a file called `name`.
    ///
    /// # Errors
    /// When they are not a baseline of this version.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, SavedError> {
        serde_json::from_slice(bytes).map_err(|error| SavedError::parse(name, bytes, &error))
    }

    /// True when a file that starts with `head` is a baseline, of whatever version, whole or not.
    #[must_use]
    pub fn is_one(head: &[u8]) -> bool {
        let head = head.get(..256).unwrap_or(head);
        head.trim_ascii_start().starts_with(b"{") && memchr::memmem::find(head, MARK).is_some()
    }

    /// Takes in another period.
    pub fn merge(&mut self, other: Self) {
        self.norms.merge(other.norms);
        self.profile.merge(&other.profile);
    }

    /// Writes the file: one line.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut out, self)?;
        out.write_all(b"\n")
    }
}
