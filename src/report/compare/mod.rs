//! Two sets side by side: the value behind `agentdiag compare`.

mod sentence;
pub mod v1;

use super::{Integrity, Taken};
use crate::compare::{Comparison, Row};
pub use crate::compare::{Measure, Section};
use crate::error::Outcome;
use crate::model::{Dataset, Input};
use crate::trace::Forest;

/// Everything there is to show of a comparison.
pub struct CompareReport<'a> {
    dataset: Option<&'a Dataset>,
    /// What was found.
    pub found: &'a Comparison,
    /// The earlier set, as the user named it.
    pub base: String,
    /// The later set, as the user named it.
    pub new: String,
    /// What was lost, mended or guessed in the later set; absent for a saved period.
    pub integrity: Option<Integrity>,
}

/// Sections in the order shown.
pub const SECTIONS: [Section; 6] = [
    Section::Requests,
    Section::Phases,
    Section::Causes,
    Section::Tools,
    Section::Models,
    Section::Cost,
];

impl<'a> CompareReport<'a> {
    /// Puts together what is shown; the later set is a dump, or a saved period without one.
    #[must_use]
    pub fn assemble(
        dump: Option<(&'a Dataset, &Forest)>,
        found: &'a Comparison,
        (base, new): (String, String),
    ) -> Self {
        Self {
            dataset: dump.map(|(dataset, _)| dataset),
            found,
            base,
            new,
            integrity: dump.map(|(dataset, forest)| Integrity::of(dataset, forest)),
        }
    }

    /// The rows of a section.
    pub fn rows(&self, section: Section) -> impl Iterator<Item = &'a Row> + use<'a> {
        self.found
            .rows
            .iter()
            .filter(move |row| row.section == section)
    }

    /// The rows that changed by more than chance explains: in the order of their sections, the clearest first.
    #[must_use]
    pub fn changed(&self) -> Vec<&'a Row> {
        let mut rows: Vec<&Row> = self.found.rows.iter().filter(|row| row.changed()).collect();
        let clear = |row: &Row| row.p_value.unwrap_or(1.0);
        rows.sort_by(|a, b| {
            let order = a.section.cmp(&b.section);
            order.then(clear(a).total_cmp(&clear(b)))
        });
        rows
    }

    /// The inputs of the later set, in the order given.
    #[must_use]
    pub fn inputs(&self) -> &'a [Input] {
        self.dataset.map_or(&[], |dataset| &dataset.inputs)
    }

    /// What was found in each.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        self.dataset.map(Taken::of).unwrap_or_default()
    }

    /// How the run went: the exit code comes from the same value as the text.
    #[must_use]
    pub fn outcome(&self, strict: bool) -> Outcome {
        let weakens = self.integrity.as_ref().is_some_and(Integrity::weakens);
        match strict {
            true if weakens => Outcome::Damaged,
            true if self.found.comparisons == 0 => Outcome::TooLittle,
            _ => Outcome::Done,
        }
    }
}

/// A section in one word, as in JSON.
#[must_use]
pub fn section(section: Section) -> &'static str {
    match section {
        Section::Requests => "requests",
        Section::Phases => "phases",
        Section::Causes => "causes",
        Section::Tools => "tools",
        Section::Models => "models",
        Section::Cost => "cost",
    }
}
