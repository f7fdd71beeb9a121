//! One value with everything a renderer shows. Renderers format it and compute nothing.
//!
//! A dump may hold hundreds of thousands of requests, so the report borrows what the stages found
//! and keeps only sums and indices; a [`Row`] is made when it is shown.

mod around;
pub mod check;
pub mod compare;
pub mod cost;
mod coverage;
pub mod drift;
pub mod figures;
mod find;
mod headline;
mod integrity;
mod loss;
mod otlp;
pub mod prices;
mod replay;
mod rival;
mod row;
mod summary;
pub mod tables;
mod taken;
pub mod v1;
pub mod waterfall;
mod whatif;

pub use around::{Around, EventLine, ExemplarLine, LogLine, MetricLine};
pub use coverage::Coverage;
pub use find::{Found, Wanted};
pub use headline::{Headline, Why};
pub use integrity::{Integrity, Problem};
pub use replay::{Burn, Firing, Replay, ReplayFindings, RuleRow, Seen};
pub use rival::{Fate, Rival};
pub use row::{Contributions, Entry, Row};
pub use summary::{CauseTotal, Cohort, MissingSignal, Summary};
pub use taken::Taken;
pub use waterfall::{Line, Piece, SpanLine, Waterfall, What};

/// An input as it was taken.
pub use crate::model::Input;
pub use whatif::{Change, WhatIf};

use crate::aggregate::Aggregates;
pub use crate::diagnose::{Cause, Fact};
use crate::diagnose::{Diagnosis, Incident, Options};
use crate::error::Outcome;
use crate::model::{Dataset, Span, SpanIx};
pub use crate::trace::Part;
use crate::trace::{Forest, StepOp};
use crate::units::{Nanos, Usd, Window};

/// What the stages found, as handed over for showing.
#[derive(Clone, Copy)]
pub struct Findings<'a> {
    /// All that was read.
    pub dataset: &'a Dataset,
    /// The requests.
    pub forest: &'a Forest,
    /// Their accounts; a request without one was not judged.
    pub diagnoses: &'a [Diagnosis],
    /// Disturbances over many requests.
    pub incidents: &'a [Incident],
    /// What the diagnosis wants the reader to know about itself.
    pub notes: &'a [String],
    /// Cost, latency, drift of tool choice, and what the dump shows.
    pub sums: &'a Aggregates,
    /// The rule that made a request slow.
    pub rule: &'a Options,
}

/// Everything there is to show.
pub struct Report<'a> {
    found: Findings<'a>,
    /// Position in `found.diagnoses` by request, `u32::MAX` where not judged.
    accounts: Vec<u32>,
    /// Slow requests, most time lost first.
    slowest: Vec<u32>,
    summary: Summary,
    integrity: Integrity,
    headline: Headline,
}

/// One disturbance as it is shown.
#[derive(Clone, Copy)]
pub struct IncidentRow<'a> {
    report: &'a Report<'a>,
    /// The incident.
    pub incident: &'a Incident,
}

impl<'a> Report<'a> {
    /// Adds up what the stages found.
    #[must_use]
    pub fn assemble(found: Findings<'a>) -> Self {
        let mut report = Self {
            accounts: accounts(found.forest.requests.len(), found.diagnoses),
            slowest: Vec::new(),
            summary: Summary::default(),
            integrity: Integrity::of(found.dataset, found.forest),
            headline: Headline::default(),
            found,
        };
        report.slowest = slowest(&report);
        report.summary = Summary::of(&report);
        report.headline = Headline::of(&report);
        report
    }

    /// Version of the program that made the report.
    #[must_use]
    pub fn tool_version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Number of requests.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.forest.requests.len()
    }

    /// True when the dump holds no request.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every request, by start and trace id.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len() as u32).filter_map(|index| self.row(index))
    }

    /// One request.
    #[must_use]
    pub fn row(&self, index: u32) -> Option<Row<'_>> {
        let position = index as usize;
        let account = *self.accounts.get(position)? as usize;
        Some(Row {
            report: self,
            request: self.found.forest.requests.get(position)?,
            diagnosis: self.found.diagnoses.get(account),
            cost: self
                .found
                .sums
                .per_request
                .get(position)
                .copied()
                .unwrap_or_default(),
        })
    }

    /// Slow requests, most time lost first.
    pub fn slowest(&self) -> impl Iterator<Item = Row<'_>> {
        self.slowest.iter().filter_map(|&index| self.row(index))
    }

    /// Disturbances over many requests, as found.
    pub fn incidents(&self) -> impl Iterator<Item = IncidentRow<'_>> {
        self.found.incidents.iter().map(|incident| IncidentRow {
            report: self,
            incident,
        })
    }

    /// Sums over all requests.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What was lost, mended or guessed.
    #[must_use]
    pub fn integrity(&self) -> &Integrity {
        &self.integrity
    }

    /// The answer in sentences.
    #[must_use]
    pub fn headline(&self) -> &Headline {
        &self.headline
    }

    /// Cost, latency, drift of tool choice, and what the dump shows.
    #[must_use]
    pub fn sums(&self) -> &'a Aggregates {
        self.found.sums
    }

    /// The inputs, in the order given.
    #[must_use]
    pub fn inputs(&self) -> &'a [Input] {
        &self.found.dataset.inputs
    }

    /// What was found in each input, in the order given.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        Taken::of(self.found.dataset)
    }

    /// How often each signal that a diagnosis rests on is there.
    #[must_use]
    pub fn coverage(&self) -> Vec<Coverage> {
        Coverage::of(self.found.dataset, self.found.forest)
    }

    /// What the diagnosis wants the reader to know about itself.
    #[must_use]
    pub fn notes(&self) -> &'a [String] {
        self.found.notes
    }

    /// The rule that made a request slow.
    #[must_use]
    pub fn rule(&self) -> &'a Options {
        self.found.rule
    }

    /// How the run went: the exit code comes from the same value as the text.
    #[must_use]
    pub fn outcome(&self, strict: bool) -> Outcome {
        match strict {
            false => Outcome::Done,
            true if self.integrity.weakens() => Outcome::Damaged,
            true if self.summary.judged == 0 => Outcome::TooLittle,
            true => Outcome::Done,
        }
    }

    fn dataset(&self) -> &'a Dataset {
        self.found.dataset
    }

    fn forest(&self) -> &'a Forest {
        self.found.forest
    }

    /// The tool's name, else the span's.
    fn tool_name(&self, op: &StepOp) -> &'a str {
        let Some(span) = self.span(op.span) else {
            return "";
        };
        let data = self.dataset();
        let tool = data.tool_of(span).map(|call| call.tool).unwrap_or_default();
        data.text(tool.or(span.name))
    }

    fn span(&self, index: SpanIx) -> Option<&'a Span> {
        self.found.dataset.spans.get(index as usize)
    }
}

impl<'a> IncidentRow<'a> {
    /// The label of its cause.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        self.incident.cause.label()
    }

    /// What it concerned: `search_docs tool`, or `all`.
    #[must_use]
    pub fn scope(&self) -> String {
        match self.scope_name() {
            Some(name) => format!("{name} {}", self.incident.scope_kind),
            None => self.incident.scope_kind.to_owned(),
        }
    }

    /// The name of what it concerned; absent when it is spread over all.
    #[must_use]
    pub fn scope_name(&self) -> Option<&'a str> {
        self.report.dataset().names.known(self.incident.scope)
    }

    /// From the first to the last request touched.
    #[must_use]
    pub fn window(&self) -> Window {
        self.incident.window
    }

    /// The requests touched.
    pub fn requests(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let report = self.report;
        let indices = self.incident.requests.iter();
        indices.filter_map(|&index| report.row(index))
    }

    /// How many requests it touched.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.incident.requests.len() as u64
    }

    /// Total time lost.
    #[must_use]
    pub fn excess(&self) -> Nanos {
        self.incident.excess
    }

    /// What would have been without it, where worked out.
    #[must_use]
    pub fn what_if(&self) -> Option<WhatIf> {
        WhatIf::of(self)
    }

    /// What the requests touched cost, where priced.
    #[must_use]
    pub fn cost(&self) -> Option<Usd> {
        self.incident.cost.or_else(|| {
            let priced: Vec<Usd> = self.requests().filter_map(|row| row.cost.cost).collect();
            (!priced.is_empty()).then(|| priced.into_iter().sum())
        })
    }
}

fn accounts(requests: usize, diagnoses: &[Diagnosis]) -> Vec<u32> {
    let mut accounts = vec![u32::MAX; requests];
    for (position, diagnosis) in diagnoses.iter().enumerate() {
        if let Some(slot) = accounts.get_mut(diagnosis.request as usize) {
            *slot = position as u32;
        }
    }
    accounts
}

fn slowest(report: &Report<'_>) -> Vec<u32> {
    let mut slow: Vec<(std::cmp::Reverse<Nanos>, u32)> = (0..report.len() as u32)
        .filter_map(|index| Some((report.row(index)?, index)))
        .filter(|(row, _)| row.slow())
        .map(|(row, index)| (std::cmp::Reverse(row.excess()), index))
        .collect();
    slow.sort_unstable();
    slow.into_iter().map(|(_, index)| index).collect()
}
