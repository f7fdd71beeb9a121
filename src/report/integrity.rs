//! The ledger as it is shown: every kind of loss with its count, an example and a hint.

use super::loss;
use crate::model::{Dataset, IssueKind, Severity, Tally};
use crate::trace::{Forest, Loss};

/// One kind of issue in one input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Stable identifier.
    pub id: &'static str,
    /// How much it weakens the conclusions.
    pub severity: &'static str,
    /// How often.
    pub count: u64,
    /// The input, as the user named it; empty when it belongs to none.
    pub file: String,
    /// Where the earliest example stands, in the unpacked input.
    pub byte_offset: u64,
    /// What the example says.
    pub detail: String,
    /// What the reader can do about it.
    pub hint: &'static str,
}

/// What was lost, mended or guessed, and how the input was understood.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Integrity {
    /// The worst severity present.
    pub worst: Option<Severity>,
    /// Records lost.
    pub lost: u64,
    /// Records mended or guessed.
    pub repaired: u64,
    /// Inputs of which nothing could be read.
    pub unreadable: u64,
    /// Everything in the ledger, worst first.
    pub problems: Vec<Problem>,
    /// Vocabularies seen, with how many spans spoke each, most spoken first.
    pub dialects: Vec<(&'static str, u64)>,
    /// Attribute keys that look relevant and were not understood, most frequent first.
    pub strange_keys: Vec<(String, u64)>,
    /// What is known to be missing.
    pub loss: Loss,
    /// What that does to the figures, one sentence each.
    pub effects: Vec<String>,
}

/// Unknown keys listed at most.
const STRANGE_KEYS: usize = 20;

impl Integrity {
    /// Resolves the ledger of a dataset.
    #[must_use]
    pub fn of(dataset: &Dataset, forest: &Forest) -> Self {
        let sum = |severity| {
            let entries = dataset.ledger.iter().filter(|e| e.0.severity() == severity);
            entries.map(|(.., tally)| tally.count).sum()
        };
        Self {
            worst: dataset.ledger.worst(),
            lost: sum(Severity::DataLoss),
            repaired: sum(Severity::Repaired),
            unreadable: sum(Severity::Error),
            problems: problems(dataset),
            dialects: dialects(dataset),
            strange_keys: strange_keys(dataset),
            loss: forest.loss,
            effects: loss::effects(&forest.loss, forest.requests.len() as u64),
        }
    }
}

impl Integrity {
    /// True when part of the input is missing from the result.
    #[must_use]
    pub fn weakens(&self) -> bool {
        self.worst >= Some(Severity::DataLoss)
    }
}

fn problems(dataset: &Dataset) -> Vec<Problem> {
    let mut entries: Vec<_> = dataset.ledger.iter().collect();
    entries.sort_by_key(|(kind, file, _)| (std::cmp::Reverse(kind.severity()), *kind, *file));
    let resolve = |(kind, file, tally)| problem(dataset, kind, file, tally);
    entries.into_iter().map(resolve).collect()
}

fn problem(dataset: &Dataset, kind: IssueKind, file: u32, tally: &Tally) -> Problem {
    let input = dataset.inputs.get(file as usize);
    Problem {
        id: kind.id(),
        severity: kind.severity().as_str(),
        count: tally.count,
        file: input.map_or(String::new(), |input| input.path.clone()),
        byte_offset: tally
            .offset
            .unwrap_or_else(|| u64::from(tally.place.block) * 256),
        detail: tally.detail.clone(),
        hint: kind.hint(),
    }
}

fn dialects(dataset: &Dataset) -> Vec<(&'static str, u64)> {
    let mut seen: Vec<_> = dataset.dialects.iter().map(|(k, v)| (*k, *v)).collect();
    seen.sort_unstable_by_key(|&(name, spans)| (std::cmp::Reverse(spans), name));
    seen
}

fn strange_keys(dataset: &Dataset) -> Vec<(String, u64)> {
    let mut keys: Vec<(&str, u64)> = dataset
        .strange_keys
        .iter()
        .map(|(key, spans)| (dataset.text(*key), *spans))
        .collect();
    keys.sort_unstable_by_key(|&(name, spans)| (std::cmp::Reverse(spans), name));
    keys.truncate(STRANGE_KEYS);
    keys.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}
