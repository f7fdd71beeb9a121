//! What the requests of a period were like, as integer counts that merge: what another period is held
//! against, for drift of tool choice and for budgets. Folding parts and merging them equals folding the
//! whole, as long as no trace is divided.

mod amounts;
mod choice;
mod rate;

use std::collections::BTreeMap;

pub use amounts::Amounts;
pub use choice::{Choices, ToolChoice};
pub use rate::Rate;
use serde::{Deserialize, Serialize};

use super::RequestCost;
use super::drift::observe;
use super::latency::tool_name;
use crate::model::Dataset;
use crate::trace::{Forest, Request, RootState, StepKind};

/// Requests of a period by kind of task, and tools by name. The empty name stands for what the dump does
/// not name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// By kind of task.
    pub tasks: BTreeMap<String, TaskProfile>,
    /// By tool, retrievals and embeddings included.
    pub tools: BTreeMap<String, ToolProfile>,
}

/// Requests of one kind. What a request does not show is in no sample, and not there as zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskProfile {
    /// How many, unfinished ones and those without a root included.
    pub requests: u64,
    /// Of these: requests whose root ended in error.
    pub failed: u64,
    /// Durations of those with a complete root, nanoseconds.
    pub duration: Amounts,
    /// The same by part of the critical path, a sample for every such request; names as in `parts_ms`.
    pub parts: BTreeMap<String, Amounts>,
    /// Cost, nano-dollars, of requests with all tokens priced.
    pub cost: Amounts,
    /// Requests of which some tokens or all could not be priced.
    pub unpriced: u64,
    /// Prompt tokens, cached ones included.
    pub input_tokens: Amounts,
    /// Of these: served from a cache.
    pub cached_tokens: Amounts,
    /// Generated tokens.
    pub output_tokens: Amounts,
    /// Model calls, failed attempts included.
    pub llm_calls: Amounts,
    /// Tool calls.
    pub tool_calls: Amounts,
    /// Failed model attempts, hidden resends and repeated tool calls.
    pub retries: Amounts,
    /// Tools chosen, by the agent that chose.
    pub choices: BTreeMap<String, Choices>,
    /// Which tool followed which, by agent.
    #[serde(default)]
    pub order: BTreeMap<String, Choices>,
    /// Models that answered.
    #[serde(default)]
    pub models: Choices,
    /// Why generation ended.
    #[serde(default)]
    pub finishes: Choices,
    /// Whether requests ended well.
    #[serde(default)]
    pub ends: Choices,
    /// Model calls that answered, of requests with one.
    #[serde(default)]
    pub rounds: Amounts,
    /// Mean output tokens of a request's calls.
    #[serde(default)]
    pub output_per_call: Amounts,
    /// How often what budgets limit was true, by its name in budgets. Whether a request was slow, and why, was
    /// judged among those it was learned with.
    #[serde(default)]
    pub rates: BTreeMap<String, Rate>,
}

/// Calls of one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolProfile {
    /// How long they took, nanoseconds.
    pub duration: Amounts,
    /// Calls that failed.
    pub failed: u64,
}

impl Profile {
    /// Folds the requests of `forest`; `costs` are in the order of [`Forest::requests`].
    #[must_use]
    pub fn learn(data: &Dataset, forest: &Forest, costs: &[RequestCost]) -> Self {
        Self::learn_some(data, forest, costs, |_| true)
    }

    /// Folds the requests that `keeps` allows, by number.
    #[must_use]
    pub fn learn_some(
        data: &Dataset,
        forest: &Forest,
        costs: &[RequestCost],
        keeps: impl Fn(u32) -> bool,
    ) -> Self {
        let mut profile = Self::default();
        let requests = forest.requests.iter().zip(0..);
        for (request, index) in requests.filter(|(_, index)| keeps(*index)) {
            let cost = costs.get(index as usize).copied().unwrap_or_default();
            let name = data.text(request.kind).to_owned();
            let task = profile.tasks.entry(name).or_default();
            task.add(data, forest, request, cost);
            profile.add_tools(data, forest, request);
        }
        profile
    }

    /// Takes in what another period was like.
    pub fn merge(&mut self, other: &Self) {
        for (name, task) in &other.tasks {
            self.tasks.entry(name.clone()).or_default().merge(task);
        }
        for (name, theirs) in &other.tools {
            let tool = self.tools.entry(name.clone()).or_default();
            tool.duration.merge(&theirs.duration);
            tool.failed = tool.failed.saturating_add(theirs.failed);
        }
    }

    /// All kinds of tasks together.
    #[must_use]
    pub fn all_tasks(&self) -> TaskProfile {
        let mut all = TaskProfile::default();
        self.tasks.values().for_each(|task| all.merge(task));
        all
    }

    fn add_tools(&mut self, data: &Dataset, forest: &Forest, request: &Request) {
        for op in super::cost::ops(forest, request) {
            if op.kind == StepKind::Tool {
                let tool = self
                    .tools
                    .entry(tool_name(data, op).to_owned())
                    .or_default();
                tool.duration.add(op.window.len().0);
                let span = data.spans.get(op.span as usize);
                let said = span.and_then(|s| data.tool_of(s));
                let failed =
                    span.is_some_and(|s| s.failed()) || said.is_some_and(|t| t.said_failed);
                tool.failed += u64::from(failed);
            }
        }
    }
}

impl TaskProfile {
    fn add(&mut self, data: &Dataset, forest: &Forest, request: &Request, cost: RequestCost) {
        self.requests += 1;
        let root = data.spans.get(request.root as usize);
        self.failed += u64::from(root.is_some_and(|span| span.failed()));
        if request.root_state == RootState::Complete {
            self.duration.add(request.duration().0);
            for (name, time) in request.parts.named() {
                self.parts.entry(name.to_owned()).or_default().add(time.0);
            }
        }
        let priced = cost.priced.part == cost.priced.whole && cost.unmetered == 0;
        match cost.cost.map(|cost| u64::try_from(cost.0)) {
            Some(Ok(cost)) if priced => self.cost.add(cost),
            _ => self.unpriced += 1,
        }
        let shown = [
            (&mut self.input_tokens, request.input_tokens),
            (&mut self.cached_tokens, request.cached_tokens),
            (&mut self.output_tokens, request.output_tokens),
            (&mut self.llm_calls, Some(request.llm_calls.into())),
            (&mut self.tool_calls, Some(request.tool_calls.into())),
            (&mut self.retries, Some(request.retries.into())),
        ];
        for (amounts, value) in shown {
            value.into_iter().for_each(|value| amounts.add(value));
        }
        for (own, picked) in [
            (&mut self.choices, observe::tools(data, forest, request)),
            (&mut self.order, observe::order(data, forest, request)),
        ] {
            for one in picked {
                own.entry(one.agent.to_owned())
                    .or_default()
                    .add(&one.chosen);
            }
        }
        for (own, picked) in [
            (&mut self.models, observe::models(data, forest, request)),
            (&mut self.finishes, observe::finishes(data, forest, request)),
            (&mut self.ends, observe::ends(data, forest, request)),
        ] {
            picked.iter().for_each(|one| own.add(&one.chosen));
        }
        for (own, number) in [
            (&mut self.rounds, observe::rounds(data, forest, request)),
            (
                &mut self.output_per_call,
                observe::output(data, forest, request),
            ),
        ] {
            let number = number.map(|number| number.round() as u64);
            number.into_iter().for_each(|number| own.add(number));
        }
    }

    /// Takes in what other requests were like.
    pub fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.failed = self.failed.saturating_add(other.failed);
        self.unpriced = self.unpriced.saturating_add(other.unpriced);
        for (own, theirs) in [
            (&mut self.duration, &other.duration),
            (&mut self.cost, &other.cost),
            (&mut self.input_tokens, &other.input_tokens),
            (&mut self.cached_tokens, &other.cached_tokens),
            (&mut self.output_tokens, &other.output_tokens),
            (&mut self.llm_calls, &other.llm_calls),
            (&mut self.tool_calls, &other.tool_calls),
            (&mut self.retries, &other.retries),
            (&mut self.rounds, &other.rounds),
            (&mut self.output_per_call, &other.output_per_call),
        ] {
            own.merge(theirs);
        }
        for (name, part) in &other.parts {
            self.parts.entry(name.clone()).or_default().merge(part);
        }
        for (name, rate) in &other.rates {
            self.rates.entry(name.clone()).or_default().merge(rate);
        }
        for (own, theirs) in [
            (&mut self.choices, &other.choices),
            (&mut self.order, &other.order),
        ] {
            for (agent, choices) in theirs {
                own.entry(agent.clone()).or_default().merge(choices);
            }
        }
        for (own, theirs) in [
            (&mut self.models, &other.models),
            (&mut self.finishes, &other.finishes),
            (&mut self.ends, &other.ends),
        ] {
            own.merge(theirs);
        }
    }
}
