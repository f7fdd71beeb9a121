//! One of two sets: a dump, or a saved period as far as that keeps what is asked for.

use std::collections::BTreeSet;

use crate::aggregate::{self, Profile};
use crate::quantity::{CacheView, Condition, Quantity, Sample, Scope, Source};
use crate::trace::{Part, StepKind};

/// One of two sets.
#[derive(Clone, Copy)]
pub enum Side<'a> {
    /// The requests themselves.
    Dump(&'a Source<'a>),
    /// What is kept of them.
    Saved(&'a Profile),
}

/// Parts of the time that a model takes.
pub(super) const MODEL: [Part; 4] = [Part::Queue, Part::Prefill, Part::Decode, Part::ModelUnsplit];

/// From this share of model time on, split times of two sets cannot be compared.
const UNSPLIT: f64 = 0.05;

impl Side<'_> {
    /// How many requests there are.
    #[must_use]
    pub fn requests(self) -> u64 {
        match self {
            Self::Dump(source) => source.len() as u64,
            Self::Saved(profile) => profile.tasks.values().map(|task| task.requests).sum(),
        }
    }

    /// The values of a quantity; `None` where this side does not keep them.
    pub(super) fn sample(self, quantity: Quantity, scope: &Scope) -> Option<Sample> {
        match self {
            Self::Dump(source) => Some(source.sample(quantity, scope)),
            Self::Saved(profile) => Sample::saved(profile, quantity, scope).ok(),
        }
    }

    /// What counts; `None` where this side does not keep it.
    pub(super) fn share(self, condition: &Condition, scope: &Scope) -> Option<Sample> {
        match self {
            Self::Dump(source) => Some(source.share(condition, scope)),
            Self::Saved(profile) => Sample::saved_share(profile, condition, scope).ok(),
        }
    }

    /// How far it shows cached tokens.
    pub(super) fn cache(self) -> CacheView {
        let of = |quantity| self.sample(quantity, &Scope::default()).unwrap_or_default();
        CacheView::of(&of(Quantity::CachedTokens), &of(Quantity::InputTokens))
    }

    /// Time on the critical path.
    pub(super) fn phase(self, parts: &[Part]) -> Option<Sample> {
        match (self, parts) {
            (Self::Dump(source), parts) => Some(source.phase(parts)),
            (Self::Saved(profile), [part]) => Some(Sample::saved_phase(profile, part.name())),
            (Self::Saved(_), _) => None,
        }
    }

    /// True when the time of models is divided into prompt and generation.
    pub(super) fn splits_model_time(self) -> bool {
        let sum = |part: Part| self.phase(&[part]).map_or(0.0, |sample| sample.sum());
        let all: f64 = MODEL.into_iter().map(sum).sum();
        sum(Part::ModelUnsplit) <= UNSPLIT * all
    }

    /// Names of the tools that were called.
    pub(super) fn tools(self) -> BTreeSet<String> {
        match self {
            Self::Saved(profile) => profile.tools.keys().cloned().collect(),
            Self::Dump(source) => {
                let tools = source
                    .forest
                    .ops
                    .iter()
                    .filter(|op| op.kind == StepKind::Tool);
                tools
                    .map(|op| aggregate::tool_name(source.data, op).to_owned())
                    .collect()
            }
        }
    }

    /// Names of the models that answered.
    pub(super) fn models(self) -> BTreeSet<String> {
        let Self::Dump(source) = self else {
            return BTreeSet::new();
        };
        let ops = source
            .forest
            .ops
            .iter()
            .filter(|op| op.kind == StepKind::Model);
        let calls = ops.filter_map(|op| aggregate::call_of(source.data, op));
        let names = calls.filter_map(|call| source.data.names.known(call.model()));
        names.map(str::to_owned).collect()
    }
}
