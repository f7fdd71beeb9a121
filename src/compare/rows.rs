//! What two sets are compared by.

use std::collections::BTreeSet;

use super::ALPHA;
use super::difference::Difference;
use super::side::{MODEL, Side};
use crate::diagnose::Cause;
use crate::quantity::{Condition, Quantity, Sample, Scope, Sides, Unit, Weigh};
use crate::stats::holm;
use crate::trace::Part;
use crate::units::human::listed;

/// Values that each side needs to be compared.
const LEAST: u64 = 8;
/// Tools and models compared at most, those with most calls.
const MOST_NAMES: usize = 25;
/// Places of the keys of a scope.
const MODEL_KEY: usize = 2;
const TOOL_KEY: usize = 3;

/// A part of the comparison.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Section {
    /// How requests went.
    Requests,
    /// Where their time went.
    Phases,
    /// Why they were slow.
    Causes,
    /// Tools, one by one.
    Tools,
    /// Models, one by one.
    Models,
    /// Money and tokens.
    Cost,
}

/// How many values become one number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Measure {
    /// The mean.
    Mean,
    /// A share of what could have counted.
    Rate,
    /// The value that this share is at most.
    Quantile(f64),
}

/// One comparison.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Where it belongs.
    pub section: Section,
    /// Tool, model, cause or phase; empty in the other sections.
    pub name: String,
    /// What is measured, as in budgets: `latency`, `rate(error)`.
    pub what: String,
    /// How.
    pub measure: Measure,
    /// In which unit.
    pub unit: Unit,
    /// The numbers.
    pub difference: Difference,
    /// Chance of so large a difference when nothing changed, all comparisons considered (Holm).
    pub p_value: Option<f64>,
    /// Values of the earlier side that were compared.
    pub n_base: u64,
    /// Values of the later side that were compared.
    pub n_new: u64,
    /// Values of the later side whose kind of task the earlier one lacks.
    pub left_out: u64,
}

impl Row {
    /// True when more than chance explains changed.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.p_value.is_some_and(|p| p <= ALPHA)
    }
}

/// Two sets compared.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Comparison {
    /// Everything that both sides show.
    pub rows: Vec<Row>,
    /// How many could be tested.
    pub comparisons: u64,
    /// Requests of the earlier and of the later side.
    pub requests: (u64, u64),
    /// What cannot be compared, and why.
    pub notes: Vec<String>,
}

/// Compares two sets.
#[must_use]
pub fn compare(base: Side<'_>, new: Side<'_>) -> Comparison {
    let mut found = Comparison {
        requests: (base.requests(), new.requests()),
        ..Comparison::default()
    };
    let mut rows = Rows {
        base,
        new,
        found: &mut found,
    };
    rows.requests();
    rows.phases();
    rows.causes();
    rows.tools();
    rows.models();
    rows.cost();
    let raw: Vec<f64> = found.rows.iter().filter_map(|row| row.p_value).collect();
    let tested = found.rows.iter_mut().filter_map(|row| row.p_value.as_mut());
    tested
        .zip(holm(&raw))
        .for_each(|(p, corrected)| *p = corrected);
    found.comparisons = raw.len() as u64;
    found
}

struct Rows<'a, 'f> {
    base: Side<'a>,
    new: Side<'a>,
    found: &'f mut Comparison,
}

impl Rows<'_, '_> {
    fn requests(&mut self) {
        use Quantity::{Latency, LlmCalls, LostTime, Retries, Rounds, Slowdown, ToolCalls};
        self.kinds();
        let all = Scope::default();
        for measure in [
            Measure::Mean,
            Measure::Quantile(0.5),
            Measure::Quantile(0.95),
        ] {
            self.quantity(Section::Requests, "", Latency, measure, &all);
        }
        for (quantity, measure) in [
            (Slowdown, Measure::Mean),
            (Slowdown, Measure::Quantile(0.5)),
            (LostTime, Measure::Mean),
        ] {
            self.quantity(Section::Requests, "", quantity, measure, &all);
        }
        for condition in [Condition::Slow, Condition::Error, Condition::Incomplete] {
            self.condition(Section::Requests, "", &condition, &all);
        }
        for quantity in [LlmCalls, Rounds, ToolCalls, Retries] {
            self.quantity(Section::Requests, "", quantity, Measure::Mean, &all);
        }
        self.condition(Section::Requests, "", &Condition::LlmError, &all);
    }

    /// Says which kinds of task only one side has.
    fn kinds(&mut self) {
        let all = Scope::default();
        let kinds = |side: Side<'_>| {
            let sample = side.sample(Quantity::LlmCalls, &all).unwrap_or_default();
            sample.strata.into_keys().collect::<BTreeSet<String>>()
        };
        let (before, after) = (kinds(self.base), kinds(self.new));
        for (these, those, which) in [(&before, &after, "earlier"), (&after, &before, "later")] {
            let only: Vec<&str> = these.difference(those).map(String::as_str).collect();
            if !only.is_empty() {
                let text = format!(
                    "Kinds of task that only the {which} set has are not compared: {}.",
                    listed(&only)
                );
                self.found.notes.push(text);
            }
        }
    }

    fn phases(&mut self) {
        let split = self.base.splits_model_time() && self.new.splits_model_time();
        let measured = |side: Side<'_>| side.phase(&[Part::Queue]).is_some_and(|s| !s.is_zero());
        if !split {
            let text = "The time of models is not split into prompt and generation on both sides: it is compared as a whole.";
            self.found.notes.push(text.to_owned());
            self.phase("model", &MODEL);
        } else if measured(self.base) == measured(self.new) {
            for part in [Part::Queue, Part::Prefill, Part::Decode] {
                self.phase(part.name(), &[part]);
            }
        } else {
            let text = "Only one side shows queues: there they are part of the wait for the first token, as on the other side.";
            self.found.notes.push(text.to_owned());
            self.phase("queue and prefill", &[Part::Queue, Part::Prefill]);
            self.phase(Part::Decode.name(), &[Part::Decode]);
        }
        for part in Part::ALL.into_iter().filter(|part| !MODEL.contains(part)) {
            self.phase(part.name(), &[part]);
        }
    }

    fn causes(&mut self) {
        let all = Scope::default();
        for cause in Cause::ALL {
            self.condition(
                Section::Causes,
                cause.label(),
                &Condition::Cause(cause),
                &all,
            );
        }
    }

    fn tools(&mut self) {
        let (before, after) = (self.base.tools(), self.new.tools());
        let names: Vec<String> = before.union(&after).cloned().collect();
        let calls = |rows: &Self, name: &str| {
            let scope = Scope::exactly(TOOL_KEY, name);
            let of = |side: Side<'_>| {
                side.sample(Quantity::ToolLatency, &scope)
                    .map_or(0, |s| s.len())
            };
            of(rows.base) + of(rows.new)
        };
        let names = self.busiest(names, "tools", calls);
        for name in names {
            let scope = Scope::exactly(TOOL_KEY, &name);
            self.condition(
                Section::Tools,
                &name,
                &Condition::Tool(name.clone()),
                &Scope::default(),
            );
            self.quantity(
                Section::Tools,
                &name,
                Quantity::ToolLatency,
                Measure::Mean,
                &scope,
            );
            self.condition(Section::Tools, &name, &Condition::ToolError, &scope);
        }
    }

    fn models(&mut self) {
        let (before, after) = (self.base.models(), self.new.models());
        let names: Vec<String> = before.union(&after).cloned().collect();
        let calls = |rows: &Self, name: &str| {
            let scope = Scope::exactly(MODEL_KEY, name);
            let of = |side: Side<'_>| {
                side.sample(Quantity::CallLatency, &scope)
                    .map_or(0, |s| s.len())
            };
            of(rows.base) + of(rows.new)
        };
        let names = self.busiest(names, "models", calls);
        for name in names {
            let scope = Scope::exactly(MODEL_KEY, &name);
            self.condition(
                Section::Models,
                &name,
                &Condition::Model(name.clone()),
                &Scope::default(),
            );
            for quantity in [
                Quantity::CallLatency,
                Quantity::Ttft,
                Quantity::Itl,
                Quantity::QueueWait,
            ] {
                self.quantity(
                    Section::Models,
                    &name,
                    quantity,
                    Measure::Quantile(0.5),
                    &scope,
                );
            }
            self.condition(Section::Models, &name, &Condition::LlmError, &scope);
        }
    }

    fn cost(&mut self) {
        use Quantity::{CachedTokens, Cost, InputTokens, OutputTokens, WastedCost};
        let all = Scope::default();
        let names = ("the earlier set", "the later set");
        let apart = self.base.cache().apart(self.new.cache(), names);
        for quantity in [Cost, WastedCost, InputTokens, CachedTokens, OutputTokens] {
            if apart.is_none() || !quantity.counts_cache() {
                self.quantity(Section::Cost, "", quantity, Measure::Mean, &all);
            }
        }
        let notes = apart.map(|why| format!("Cost cannot be compared: {why}."));
        self.found.notes.extend(notes);
        self.condition(Section::Cost, "", &Condition::Cached, &all);
    }

    fn busiest(
        &mut self,
        mut names: Vec<String>,
        what: &str,
        calls: impl Fn(&Self, &str) -> u64,
    ) -> Vec<String> {
        if names.len() > MOST_NAMES {
            names.sort_by_cached_key(|name| std::cmp::Reverse(calls(self, name)));
            let rest = names.len() - MOST_NAMES;
            self.found
                .notes
                .push(format!("{rest} {what} with few calls are not compared."));
            names.truncate(MOST_NAMES);
            names.sort();
        }
        names
    }

    fn quantity(
        &mut self,
        section: Section,
        name: &str,
        quantity: Quantity,
        measure: Measure,
        scope: &Scope,
    ) {
        let of = |side: Side<'_>| side.sample(quantity, scope);
        let meta = quantity.meta();
        let samples = (of(self.base), of(self.new));
        self.row(
            section,
            name,
            meta.name.to_owned(),
            meta.unit,
            measure,
            samples,
        );
    }

    fn condition(&mut self, section: Section, name: &str, condition: &Condition, scope: &Scope) {
        let of = |side: Side<'_>| side.share(condition, scope);
        let what = format!("rate({})", condition.text());
        let samples = (of(self.base), of(self.new));
        self.row(section, name, what, Unit::Share, Measure::Rate, samples);
    }

    fn phase(&mut self, name: &str, parts: &[Part]) {
        let samples = (self.base.phase(parts), self.new.phase(parts));
        let what = format!("{name} time");
        self.row(
            Section::Phases,
            name,
            what,
            Unit::Time,
            Measure::Mean,
            samples,
        );
    }

    /// A row where both sides show something in the same kinds of task, and not nothing but zeros.
    fn row(
        &mut self,
        section: Section,
        name: &str,
        what: String,
        unit: Unit,
        measure: Measure,
        samples: (Option<Sample>, Option<Sample>),
    ) {
        let (Some(base), Some(new)) = samples else {
            return;
        };
        if (base.is_empty() && new.is_empty()) || (base.is_zero() && new.is_zero()) {
            return;
        }
        let weigh = match measure {
            Measure::Quantile(_) => Weigh::Values,
            Measure::Mean | Measure::Rate => Weigh::Wholes,
        };
        let sides = Sides::of(&new, &base, weigh);
        let Some(difference) = Difference::of(measure, &sides) else {
            return;
        };
        if difference.base == 0.0 && difference.new == 0.0 {
            return;
        }
        let enough = sides.n.min(sides.n_baseline) >= LEAST;
        self.found.rows.push(Row {
            section,
            name: name.to_owned(),
            what,
            measure,
            unit,
            p_value: difference.p_value.filter(|_| enough),
            difference,
            n_base: sides.n_baseline,
            n_new: sides.n,
            left_out: sides.left_out,
        });
    }
}
