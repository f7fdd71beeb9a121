//! What was paid: the value behind `agentdiag cost`.

pub mod v1;

use super::{Integrity, Taken};
use crate::aggregate::{Cost, Total, Vintage, Worst};
use crate::error::Outcome;
use crate::model::{Dataset, Input, SpanId};
use crate::trace::Forest;
use crate::units::Usd;
use crate::units::human::{count, counted, money, percent, plain};

/// What cost is listed by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum By {
    /// Model that answered.
    Model,
    /// Kind of task.
    Task,
    /// Agent that made the call.
    Agent,
    /// Tool whose results filled the prompts.
    Tool,
    /// Tenant.
    Tenant,
    /// UTC day of the request's start.
    Day,
}

impl By {
    /// All of them, in the order shown.
    pub const ALL: [Self; 6] = [
        Self::Model,
        Self::Task,
        Self::Agent,
        Self::Tool,
        Self::Tenant,
        Self::Day,
    ];

    /// As one lower-case word.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Task => "task",
            Self::Agent => "agent",
            Self::Tool => "tool",
            Self::Tenant => "tenant",
            Self::Day => "day",
        }
    }
}

/// Everything there is to show of cost.
pub struct CostReport<'a> {
    dataset: &'a Dataset,
    /// The sums.
    pub cost: &'a Cost,
    /// What it is listed by, in the order shown.
    pub by: Vec<By>,
    /// What was lost, mended or guessed.
    pub integrity: Integrity,
    /// What the reader should know about the prices.
    pub notes: Vec<String>,
}

impl<'a> CostReport<'a> {
    /// The span of a call whose reported cost differs.
    #[must_use]
    pub fn span_of(&self, worst: &Worst) -> SpanId {
        self.dataset.id_of(worst.span)
    }

    /// Adds up what is shown.
    #[must_use]
    pub fn assemble(dataset: &'a Dataset, forest: &Forest, cost: &'a Cost, by: &[By]) -> Self {
        let mut by = by.to_vec();
        by.sort_unstable();
        by.dedup();
        Self {
            dataset,
            cost,
            by,
            integrity: Integrity::of(dataset, forest),
            notes: notes(cost),
        }
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

    /// The sums by something other than tools.
    #[must_use]
    pub fn totals(&self, by: By) -> &'a [Total] {
        match by {
            By::Model => &self.cost.by_model,
            By::Task => &self.cost.by_task,
            By::Agent => &self.cost.by_agent,
            By::Tenant => &self.cost.by_tenant,
            By::Day => &self.cost.by_day,
            By::Tool => &[],
        }
    }

    /// The share of the cost that was wasted.
    #[must_use]
    pub fn wasted_share(&self) -> Option<f64> {
        let (wasted, cost) = (self.cost.waste.cost?, self.cost.total.cost?);
        (cost.0 > 0).then(|| wasted.0 as f64 / cost.0 as f64)
    }

    /// The answer in sentences, with a word before each.
    #[must_use]
    pub fn headline(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("Total", self.total()), ("Wasted", self.wasted())];
        lines.push(("Coverage", self.coverage()));
        lines.extend(self.reported().map(|text| ("Reported", text)));
        let tables = self.cost.tables.iter().filter(|t| t.calls > 0);
        let tables: Vec<String> = tables
            .map(|t| format!("{} for {}", table(&t.vintage), counted(t.calls, "call")))
            .collect();
        if !tables.is_empty() {
            lines.push(("Prices", tables.join("; ")));
        }
        lines.extend(self.notes.iter().map(|note| ("Note", note.clone())));
        lines
    }

    fn total(&self) -> String {
        let total = &self.cost.total;
        let Some(cost) = total.cost else {
            return "no call has a price".to_owned();
        };
        let each = total
            .per_thousand_requests()
            .map_or_else(String::new, |each| {
                format!(", {} per 1,000 requests", money(each))
            });
        let bought = total
            .tokens_per_dollar()
            .map_or_else(String::new, |tokens| {
                format!(", {} tokens per dollar", plain(tokens))
            });
        format!("{}{each}{bought}", money(cost))
    }

    fn wasted(&self) -> String {
        let waste = &self.cost.waste;
        let reasons = waste.items.iter().filter_map(|item| {
            let cost = item.cost.filter(|cost| cost.0 > 0)?;
            let label = item.reason.label();
            Some(format!(
                "{label} {} in {}",
                money(cost),
                counted(item.calls - item.unpriced_calls, "call")
            ))
        });
        let reasons: Vec<String> = reasons.collect();
        let hidden: u64 = waste.items.iter().map(|item| item.unpriced_calls).sum();
        let mut text = match (waste.cost.filter(|cost| cost.0 > 0), reasons.is_empty()) {
            (Some(cost), false) => {
                let share = self
                    .wasted_share()
                    .map_or_else(String::new, |s| format!(" ({})", percent(s)));
                format!("{}{share}: {}", money(cost), reasons.join(", "))
            }
            _ => "nothing that the dump shows".to_owned(),
        };
        if hidden > 0 {
            let verb = if hidden == 1 { "shows" } else { "show" };
            text.push_str(&format!(
                "; {} more {verb} no tokens",
                counted(hidden, "failed or repeated call")
            ));
        }
        text
    }

    fn coverage(&self) -> String {
        let cost = self.cost;
        let mut text = match cost.total.priced.share() {
            Some(share) => format!("{} of tokens have a price", percent(share)),
            None => "no call shows token counts".to_owned(),
        };
        let unknown: u64 = cost.unknown.iter().map(|model| model.calls).sum();
        if unknown > 0 {
            text.push_str(&format!(
                ", {} of {} have none",
                counted(unknown, "call"),
                counted(cost.unknown.len() as u64, "model")
            ));
        }
        if cost.unmetered > 0 {
            text.push_str(&format!(
                ", {} without token counts",
                counted(cost.unmetered, "call")
            ));
        }
        text
    }

    fn reported(&self) -> Option<String> {
        let found = &self.cost.reconciliation;
        let mut parts = Vec::new();
        if found.calls > 0 {
            parts.push(format!(
                "{} reported for {}, {} computed for the same; {} differ",
                money(found.reported),
                counted(found.calls, "call"),
                money(found.computed),
                count(found.differing)
            ));
        }
        if found.unpriced_calls > 0 {
            let calls = counted(found.unpriced_calls, "call");
            parts.push(format!(
                "{} reported for {calls} without a price here",
                money(found.unpriced)
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// How the run went: the exit code comes from the same value as the text.
    #[must_use]
    pub fn outcome(&self, strict: bool) -> Outcome {
        match strict {
            true if self.integrity.weakens() => Outcome::Damaged,
            true if self.cost.total.cost.is_none() => Outcome::TooLittle,
            _ => Outcome::Done,
        }
    }
}

/// A table with its version and its day.
#[must_use]
pub fn table(vintage: &Vintage) -> String {
    let mut text = vintage.source.label().to_owned();
    if let Some(path) = &vintage.path {
        text = format!("{text} {path}");
    }
    if let Some(version) = &vintage.version {
        text = format!("{text} {}", version.chars().take(12).collect::<String>());
    }
    match vintage.day() {
        Some(day) => format!("{text} of {day}"),
        None => text,
    }
}

/// What the reader should know about prices, the same in every report that shows cost.
#[must_use]
pub fn notes(cost: &Cost) -> Vec<String> {
    let mut notes: Vec<String> = cost
        .tables
        .iter()
        .filter_map(|t| t.warning.clone())
        .collect();
    if cost.standard_rate_assumed > 0 {
        notes.push(format!(
            "{} of another class of service (batch, flex, priority) had no price of its own at the time and cost the standard rate here.",
            counted(cost.standard_rate_assumed, "call")
        ));
    }
    if cost.undiscounted_tokens > 0 {
        notes.push(format!(
            "{} read from a cache cost the full price here, because no price of cached input is listed.",
            counted(cost.undiscounted_tokens, "token")
        ));
    }
    for machine in cost.machines.iter().filter(|m| m.idle_cost > Usd::ZERO) {
        notes.push(format!(
            "The machine of {} was busy {} of the time; the rest cost {}, which is in no sum.",
            machine.model,
            percent(machine.busy.0 as f64 / machine.window.0.max(1) as f64),
            money(machine.idle_cost)
        ));
    }
    notes
}
