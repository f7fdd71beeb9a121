//! A claim is an entry in the account: a cause, the time it explains, and the evidence for it.

use super::Cause;
use super::word::{Word, word, words};
use crate::model::SpanIx;
use crate::units::Nanos;

/// One observation that speaks for or against a cause.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fact {
    /// Span it was seen on.
    pub span: Option<SpanIx>,
    /// What was measured: a stable lower-case name such as `uncached_tokens`.
    #[serde(deserialize_with = "word")]
    pub fact: Word,
    /// The value seen.
    pub observed: f64,
    /// The value this step normally has, when there is a normal one.
    pub expected: Option<f64>,
    /// Unit of both values: `ms`, `tokens`, `ms/token`, `ratio`, `calls`, …
    #[serde(deserialize_with = "word")]
    pub unit: Word,
    /// How it became known: `attribute`, `event`, `child`, `derived`, `fit`, `metric`, `log`.
    #[serde(deserialize_with = "word")]
    pub via: Word,
    /// One sentence for the reader; structure only, no content.
    pub note: String,
}

/// Evidence: never empty, by construction.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// The strongest fact.
    pub first: Fact,
    /// Further facts.
    pub rest: Vec<Fact>,
}

impl Evidence {
    /// Evidence that rests on one fact.
    #[must_use]
    pub fn new(first: Fact) -> Self {
        Self {
            first,
            rest: Vec::new(),
        }
    }

    /// All facts, strongest first.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

/// A cause that holds for a request.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Claim {
    /// The cause.
    pub cause: Cause,
    /// The share of the excess it explains.
    pub explains: Nanos,
    /// Why it is believed.
    pub evidence: Evidence,
}

/// What became of one cause for one request.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// It explains time.
    Holds(Claim),
    /// It was tested and speaks against itself.
    Refuted(Cause, Fact),
    /// It could not be tested: these signals are missing.
    CannotTell(Cause, #[serde(deserialize_with = "words")] Vec<Word>),
}
