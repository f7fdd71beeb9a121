//! Whether budgets are kept: the value behind `agentdiag check`.

mod message;
pub mod v1;

use super::{Integrity, Taken};
use crate::budget::{Budget, Budgets, Check, Finding};
pub use crate::budget::{Level, Verdict, Worst};
use crate::error::Outcome;
use crate::model::{Dataset, Input};
use crate::trace::Forest;

/// What the user wants done about broken budgets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Exit code of a broken budget.
    pub exit_code: u8,
    /// Broken budgets do not fail the run.
    pub warn_only: bool,
    /// Losses and budgets that cannot be told are failures.
    pub strict: bool,
}

/// Everything there is to show of a check.
pub struct CheckReport<'a> {
    dataset: &'a Dataset,
    budgets: &'a Budgets,
    check: &'a Check,
    policy: Policy,
    /// Requests that were held to budgets.
    pub requests: u64,
    /// What they were compared with, as the user named it.
    pub baseline: Option<String>,
    /// What was lost, mended or guessed in the inputs.
    pub integrity: Integrity,
}

/// One budget with what was found.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// The budget.
    pub budget: &'a Budget,
    /// What was found.
    pub finding: &'a Finding,
}

impl<'a> CheckReport<'a> {
    /// Puts together what is shown; `baseline` names what was compared with.
    #[must_use]
    pub fn assemble(
        (dataset, forest): (&'a Dataset, &Forest),
        (budgets, check): (&'a Budgets, &'a Check),
        baseline: Option<String>,
        policy: Policy,
    ) -> Self {
        Self {
            dataset,
            budgets,
            check,
            policy,
            requests: forest.requests.len() as u64,
            baseline,
            integrity: Integrity::of(dataset, forest),
        }
    }

    /// The budget file, as the user named it.
    #[must_use]
    pub fn file(&self) -> &'a str {
        &self.budgets.file
    }

    /// How often a healthy set may fail, all budgets together.
    #[must_use]
    pub fn false_alarms(&self) -> f64 {
        self.budgets.false_alarms
    }

    /// The budgets in the order of the file.
    pub fn lines(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        let budgets = self.budgets.budgets.iter();
        let lines = budgets.zip(&self.check.findings);
        lines.map(|(budget, finding)| Line { budget, finding })
    }

    /// The same, what matters most first.
    #[must_use]
    pub fn by_weight(&self) -> Vec<Line<'a>> {
        let mut lines: Vec<Line<'a>> = self.lines().collect();
        lines.sort_by_key(|line| line.finding.verdict);
        lines
    }

    /// How many budgets came out so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.check.count(verdict)
    }

    /// True when budgets that cannot be told, and losses, are failures.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.policy.strict
    }

    /// How the run went: everything that says so comes from this value.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let strict = self.policy.strict;
        match self.policy.warn_only {
            _ if strict && self.integrity.weakens() => Outcome::Damaged,
            false if self.count(Verdict::Broken) > 0 => Outcome::BrokenAs(self.policy.exit_code),
            _ if strict && self.count(Verdict::CannotTell) > 0 => Outcome::TooLittle,
            _ => Outcome::Done,
        }
    }

    /// The outcome in a word or two, in capitals.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        let told = self.count(Verdict::Kept) + self.count(Verdict::WithinNoise);
        let bad = self.count(Verdict::Broken) + self.count(Verdict::Warned);
        match self.outcome() {
            Outcome::Damaged => "DAMAGED",
            Outcome::Broken | Outcome::BrokenAs(_) => "FAIL",
            Outcome::Done if bad > 0 => "WARN",
            Outcome::Done if told > 0 => "PASS",
            Outcome::TooLittle | Outcome::Done => "CANNOT TELL",
        }
    }

    /// The whole in one line that programs can look for.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = [
            ("broken", Verdict::Broken),
            ("warned", Verdict::Warned),
            ("cannot_tell", Verdict::CannotTell),
            ("within_noise", Verdict::WithinNoise),
            ("kept", Verdict::Kept),
            ("off", Verdict::Off),
        ];
        let counts = counts.map(|(name, verdict)| format!("{name}={}", self.count(verdict)));
        format!(
            "check: {} {} exit={}",
            self.verdict(),
            counts.join(" "),
            self.outcome().code()
        )
    }

    /// The inputs, in the order given.
    #[must_use]
    pub fn inputs(&self) -> &'a [Input] {
        &self.dataset.inputs
    }

    /// What was found in each.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        Taken::of(self.dataset)
    }
}

/// A verdict as in JSON and everywhere else.
#[must_use]
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Broken => "broken",
        Verdict::Warned => "warned",
        Verdict::CannotTell => "cannot_tell",
        Verdict::WithinNoise => "within_noise",
        Verdict::Kept => "kept",
        Verdict::Off => "off",
    }
}

/// A level as in the file.
#[must_use]
pub fn level(level: Level) -> &'static str {
    match level {
        Level::Off => "off",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}
