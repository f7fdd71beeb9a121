//! What is normal, as it is saved: integer state that merges. Folding parts and merging them equals
//! folding the whole, to the byte, as long as no trace is divided.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::recording::Recording;
use super::{Measured, StepName};
use crate::model::Dataset;
use crate::stats::Histogram;
use crate::trace::{Forest, RootState, StepKind};

/// A histogram of nanoseconds for each name; the empty name where the dump gives none.
pub type Times = BTreeMap<String, Histogram>;

/// Pauses by what came before and what came after.
type Transitions = BTreeMap<String, Times>;

/// What a healthy period tells about what is normal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Norms {
    /// Requests seen.
    pub requests: u64,
    /// Answered model calls seen.
    pub model_calls: u64,
    /// Durations of requests with a complete root, by kind of task.
    pub tasks: Times,
    /// Durations of tool calls, by tool.
    pub tools: Times,
    /// Pauses of agents by service, operation before and operation after.
    pub(super) pauses: BTreeMap<String, Transitions>,
    /// Model calls: all of a short period, a sample of a long one.
    pub(super) calls: Recording,
}

impl Norms {
    /// Folds the requests of `forest`.
    #[must_use]
    pub fn learn(dataset: &Dataset, forest: &Forest) -> Self {
        Self::learn_some(dataset, forest, |_| true)
    }

    /// Folds the requests that `keeps` allows, by number.
    #[must_use]
    pub fn learn_some(
        dataset: &Dataset,
        forest: &Forest,
        keeps: impl Fn(u32) -> bool + Copy,
    ) -> Self {
        let measured = Measured::collect(dataset, forest);
        let calls = measured.calls.all.iter().filter(|c| keeps(c.request));
        let mut norms = Self {
            model_calls: calls.count() as u64,
            calls: Recording::of(dataset, forest, &measured.calls, keeps),
            ..Self::default()
        };
        for index in (0..forest.requests.len() as u32).filter(|r| keeps(*r)) {
            norms.request(dataset, forest, &measured, index);
        }
        norms
    }

    fn request(&mut self, dataset: &Dataset, forest: &Forest, measured: &Measured, index: u32) {
        let request = &forest.requests[index as usize];
        self.requests += 1;
        if request.root_state == RootState::Complete {
            let times = self.tasks.entry(dataset.text(request.kind).to_owned());
            times.or_default().add(request.duration().0);
        }
        for op in &forest.ops[request.ops.start as usize..request.ops.end as usize] {
            if op.kind == StepKind::Tool {
                let name = dataset.text(super::tool::tool_name(dataset, op.span));
                let times = self.tools.entry(name.to_owned()).or_default();
                times.add(op.window.len().0);
            }
        }
        for pause in measured.pauses.of(forest, index) {
            let (service, before, after) = measured.pauses.key_of(&pause);
            let follows = self.pauses.entry(dataset.text(service).to_owned());
            let follows = follows.or_default().entry(label(dataset, before));
            let lengths = follows.or_default().entry(label(dataset, after));
            lengths
                .or_default()
                .add((pause.length() * 1e6).max(0.0) as u64);
        }
    }

    /// Takes in what another period tells.
    pub fn merge(&mut self, other: Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.model_calls = self.model_calls.saturating_add(other.model_calls);
        merge_times(&mut self.tasks, &other.tasks);
        merge_times(&mut self.tools, &other.tools);
        for (service, follows) in &other.pauses {
            let own = self.pauses.entry(service.clone()).or_default();
            for (before, after) in follows {
                merge_times(own.entry(before.clone()).or_default(), after);
            }
        }
        self.calls.merge(other.calls);
    }

    /// Model calls kept of those seen.
    #[must_use]
    pub fn calls_kept(&self) -> u64 {
        self.calls.len() as u64
    }
}

fn merge_times(own: &mut Times, other: &Times) {
    for (name, times) in other {
        own.entry(name.clone()).or_default().merge(times);
    }
}

/// Name of a step as it is saved: `model:stop` is a model call that ended with `stop`.
pub(super) fn label(dataset: &Dataset, step: StepName) -> String {
    let plain = match step {
        StepName::Start => "start",
        StepName::Model(finish) => return format!("model:{}", dataset.text(finish)),
        StepName::Failed => "failed",
        StepName::Tool => "tool",
        StepName::Group => "group",
        StepName::Human => "human",
        StepName::Open => "open",
        StepName::End => "end",
    };
    plain.to_owned()
}
