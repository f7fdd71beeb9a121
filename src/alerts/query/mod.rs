//! `PromQL`, evaluated at one instant after another, as Prometheus evaluates it.
//!
//! The parser is `promql-parser`; what is evaluated is checked here before anything runs, so that an
//! expression is either understood as a whole or refused with the word that is not supported.
//!
//! Source: Prometheus, `promql/engine.go`, `promql/functions.go`, `promql/quantile.go`.

mod aggregate;
mod binary;
mod call;
mod compile;
mod node;
mod points;
mod quantile;
mod range;
mod select;

use self::node::Node;
use super::labels::LabelId;
use super::store::Store;

/// One element of an instant vector.
pub(super) type Sample = (LabelId, f64);

/// What an expression gives at an instant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Scalar(f64),
    Vector(Vec<Sample>),
    Text(String),
}

impl Value {
    /// Elements of a vector; a scalar is an element without labels.
    pub(super) fn into_vector(self, store: &mut Store) -> Vec<Sample> {
        match self {
            Self::Vector(samples) => samples,
            Self::Scalar(value) => vec![(store.labels.intern([]), value)],
            Self::Text(_) => Vec::new(),
        }
    }

    fn scalar(&self) -> f64 {
        match self {
            Self::Scalar(value) => *value,
            _ => f64::NAN,
        }
    }
}

/// Why an expression cannot be evaluated at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What is wrong, and what was expected.
    pub(super) why: String,
    pub(super) at: Blame,
}

/// The part of an expression that is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// A byte offset in its text.
    At(usize),
    /// A word in it.
    Word(String),
    /// It is not known which.
    Whole,
}

impl Refusal {
    fn at(word: &str, why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            at: Blame::Word(word.to_owned()),
        }
    }

    /// Byte offset in `text` of what is to blame; 0 where that is not known.
    pub(super) fn offset(&self, text: &str) -> usize {
        match &self.at {
            Blame::At(at) => *at,
            Blame::Whole => 0,
            Blame::Word(word) => whole_word(text, word)
                .or_else(|| text.find(word.as_str()))
                .unwrap_or(0),
        }
    }
}

/// Where `word` stands in `text` and is not part of a longer one.
fn whole_word(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = text.match_indices(word);
    found.find_map(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(part);
        let after = text[at + word.len()..].chars().next().is_some_and(part);
        (!before && !after).then_some(at)
    })
}

/// An expression ready to be evaluated.
#[derive(Debug)]
pub(super) struct Query {
    root: Node,
    /// Metric names it reads; empty names stand for selectors without one.
    pub(super) reads: Vec<String>,
}

/// When an expression is evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    /// Unix milliseconds.
    pub(super) at: i64,
    /// Step of subqueries that give none, milliseconds.
    pub(super) step: i64,
}

impl Query {
    /// Understands `text`.
    pub(super) fn parse(text: &str, store: &mut Store) -> Result<Self, Refusal> {
        let (root, reads) = compile::compile(text, store)?;
        Ok(Self { root, reads })
    }

    /// Its value at an instant; instants must not go back. The error is one that Prometheus
    /// would log, such as series that match more than once.
    pub(super) fn eval(&mut self, store: &mut Store, now: Instant) -> Result<Value, String> {
        self.root.eval(store, now)
    }
}

#[cfg(test)]
mod tests;
