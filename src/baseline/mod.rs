//! What is normal: fitted robustly on the dump's own healthy majority.

mod cache;
mod call;
mod curve;
mod gap;
mod price;
mod volume;

use hashbrown::HashMap;

pub use cache::{CacheHabits, IDLE_BINS};
pub use call::{Call, CallIx, Calls};
pub use curve::Curve;
pub use gap::{GapKey, GapNorm, Gaps, Pause, Pauses, StepName};
pub use price::{Expected, Price, Prices, log_ratio, uncached};
pub use volume::{Volume, Volumes};

use crate::model::Dataset;
use crate::stats::{LowSide, SpreadLimits, median};
use crate::trace::{Forest, RootState, StepKind};
use crate::units::Sym;

/// Hash map whose order repeats; nothing shown depends on it all the same.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// Spread of tool times: below a fifth of a factor e nothing is known to that precision on a busy
/// host; above .7 the name stands for several kinds of work.
const TOOL_SPREAD: SpreadLimits = SpreadLimits {
    least: 0.2,
    most: 0.7,
};
const TASK_SPREAD: SpreadLimits = SpreadLimits {
    least: 0.2,
    most: 0.9,
};

/// Operations left out of the fits because an earlier pass found a fault in them.
#[derive(Clone, Debug, Default)]
pub struct Excluded {
    /// Per operation of the forest. Empty: nothing is excluded.
    pub ops: Vec<bool>,
    /// Per request. Empty: nothing is excluded.
    pub requests: Vec<bool>,
}

impl Excluded {
    /// True when operation `op` may be used.
    #[must_use]
    pub fn keeps(&self, op: u32) -> bool {
        !self.ops.get(op as usize).copied().unwrap_or(false)
    }

    /// True when request `index` may be used.
    #[must_use]
    pub fn keeps_request(&self, index: u32) -> bool {
        !self.requests.get(index as usize).copied().unwrap_or(false)
    }
}

/// Everything the account compares with.
#[derive(Clone, Debug, Default)]
pub struct Baselines {
    /// Prices of prompts and output, by model.
    pub prices: Prices,
    /// Usual sizes of prompts, of their growth, and of output.
    pub volumes: Volumes,
    /// When prompts are usually found in a cache.
    pub cache: CacheHabits,
    /// Time of each tool.
    pub tools: Map<Sym, LowSide>,
    /// Pauses of each service between operations, and which operation usually follows which.
    pub gaps: Gaps,
    /// Duration of each kind of request.
    pub kinds: Map<Sym, LowSide>,
    /// Median duration of a request, milliseconds.
    pub median_task: f64,
    /// Median duration of an answered model call, milliseconds.
    pub median_call: f64,
}

impl Baselines {
    /// Learns from what is not excluded.
    #[must_use]
    pub fn learn(
        dataset: &Dataset,
        forest: &Forest,
        calls: &Calls,
        pauses: &Pauses,
        excluded: &Excluded,
    ) -> Self {
        let kept: Vec<CallIx> = (0..calls.all.len() as CallIx)
            .filter(|&i| excluded.keeps(calls.get(i).op))
            .collect();
        let mut durations: Vec<f64> = complete(forest)
            .map(|(_, r)| r.duration().as_millis())
            .collect();
        let mut call_times: Vec<f64> = kept.iter().map(|&i| calls.get(i).total()).collect();
        Self {
            prices: Prices::learn(calls, &kept),
            volumes: Volumes::learn(calls, &kept),
            cache: CacheHabits::learn(calls, &kept),
            tools: tools(dataset, forest, excluded),
            gaps: Gaps::learn(pauses, excluded),
            kinds: kinds(forest, excluded),
            median_task: median(&mut durations).unwrap_or(0.0),
            median_call: median(&mut call_times).unwrap_or(0.0),
        }
    }
}

fn complete(forest: &Forest) -> impl Iterator<Item = (u32, &crate::trace::Request)> {
    forest
        .requests
        .iter()
        .enumerate()
        .filter(|(_, r)| r.root_state == RootState::Complete)
        .map(|(i, r)| (i as u32, r))
}

fn tools(dataset: &Dataset, forest: &Forest, excluded: &Excluded) -> Map<Sym, LowSide> {
    let mut times: Map<Sym, Vec<f64>> = Map::default();
    for (index, op) in forest.ops.iter().enumerate() {
        if op.kind == StepKind::Tool && excluded.keeps(index as u32) {
            times
                .entry(tool_name(dataset, forest, index as u32))
                .or_default()
                .push(op.window.len().as_millis());
        }
    }
    fit_each(times, TOOL_SPREAD)
}

/// Name of the tool behind an operation: the tool's own, else the span's.
#[must_use]
pub fn tool_name(dataset: &Dataset, forest: &Forest, op: u32) -> Sym {
    let span = &dataset.spans[forest.ops[op as usize].span as usize];
    dataset
        .tool_of(span)
        .map_or(Sym::NONE, |t| t.tool)
        .or(span.name)
}

fn kinds(forest: &Forest, excluded: &Excluded) -> Map<Sym, LowSide> {
    let mut times: Map<Sym, Vec<f64>> = Map::default();
    for (_, request) in complete(forest).filter(|(i, _)| excluded.keeps_request(*i)) {
        times
            .entry(request.kind)
            .or_default()
            .push(request.duration().as_millis());
    }
    fit_each(times, TASK_SPREAD)
}

fn fit_each(times: Map<Sym, Vec<f64>>, limits: SpreadLimits) -> Map<Sym, LowSide> {
    times
        .into_iter()
        .filter_map(|(name, values)| Some((name, LowSide::fit(&values, limits)?)))
        .collect()
}
