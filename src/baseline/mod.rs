//! What is normal: fitted robustly on the dump's own healthy majority.

mod cache;
mod call;
mod curve;
mod fresh;
mod gap;
mod grammar;
mod healthy;
mod norms;
pub(crate) mod pairs;
mod pause;
mod price;
mod recording;
mod tool;
mod volume;
mod whole;
mod work;

use std::sync::Arc;

use hashbrown::HashMap;
use rayon::prelude::*;

pub use cache::{CacheHabits, Idle};
pub use call::{Call, CallIx, Calls};
pub use curve::Curve;
pub use gap::{GapNorm, Gaps};
pub use healthy::Healthy;
pub use norms::{Norms, Times};
pub use pause::{GapIx, GapKey, Pause, Pauses, StepName, step_name};
pub use price::{Expected, Price, Prices, log_ratio};
pub(crate) use tool::tool_name;
pub use tool::{ToolCalls, ToolTime, ToolTimes};
pub use volume::{Volume, Volumes};
pub use whole::WholePrompt;
pub use work::{Work, work};

use crate::model::Dataset;
use crate::stats::{LowSide, SpreadLimits, median};
use crate::trace::{Forest, RootState};
use crate::units::{Sym, roomy};

/// Hash map whose order repeats; nothing shown depends on it all the same.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

const TASK_SPREAD: SpreadLimits = SpreadLimits {
    least: 0.2,
    most: 0.9,
};

/// Prices are learned from calls at servers without a crowd, where there are so many.
const LEAST_ALONE: usize = 20;

/// Operations left out of the fits because an earlier pass found a fault in them.
#[derive(Clone, Debug, Default)]
pub struct Excluded {
    /// Per operation of the forest. Empty: nothing is excluded.
    pub ops: Vec<bool>,
    /// Per request. Empty: nothing is excluded.
    pub requests: Vec<bool>,
    /// Per call: made while its server is known to have been crowded with others' work, which is no measure
    /// of prices. Empty: none was.
    pub crowded: Vec<bool>,
}

impl Excluded {
    /// True when operation `op` may be used.
    #[must_use]
    pub fn keeps(&self, op: u32) -> bool {
        !self.ops.get(op as usize).copied().unwrap_or(false)
    }

    /// Operations that this leaves out and `other` does not, or the other way round.
    #[must_use]
    pub fn changed(&self, other: &Self) -> usize {
        let all = 0..self.ops.len().max(other.ops.len()) as u32;
        all.filter(|&op| self.keeps(op) != other.keeps(op)).count()
    }

    /// True when the time of call `index`, which may be used, is a measure of prices.
    #[must_use]
    pub fn keeps_price(&self, index: CallIx) -> bool {
        !self.crowded.get(index as usize).copied().unwrap_or(false)
    }

    /// True when request `index` may be used.
    #[must_use]
    pub fn keeps_request(&self, index: u32) -> bool {
        !self.requests.get(index as usize).copied().unwrap_or(false)
    }
}

/// Everything the account compares with.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Baselines {
    /// Prices of prompts and output, by model.
    pub prices: Prices,
    /// Usual sizes of prompts, of their growth, and of output.
    pub volumes: Volumes,
    /// When prompts are usually found in a cache.
    pub cache: CacheHabits,
    /// Time of each tool.
    pub tools: ToolTimes,
    /// Pauses of each service between operations, and which operation usually follows which.
    pub gaps: Gaps,
    /// Duration of each kind of request.
    #[serde(with = "pairs")]
    pub kinds: Map<Sym, LowSide>,
    /// Median duration of a request, milliseconds.
    pub median_task: f64,
    /// Median duration of an answered model call, milliseconds.
    pub median_call: f64,
}

/// Everything that is measured once and compared with what is normal in every pass.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Answered model calls.
    pub calls: Calls,
    /// Tool calls.
    pub tools: ToolCalls,
    /// Pauses of agents.
    pub pauses: Pauses,
    /// Idle time before first calls.
    pub idle: Arc<Idle>,
}

impl Measured {
    /// Measures all of `forest`.
    #[must_use]
    pub fn collect(dataset: &Dataset, forest: &Forest) -> Self {
        Self::numbered(dataset, forest, Vec::new(), Vec::new())
    }

    /// The same, with tools and pauses numbered as in these lists, and further ones behind them.
    #[must_use]
    pub fn numbered(
        dataset: &Dataset,
        forest: &Forest,
        tools: Vec<Sym>,
        pauses: Vec<GapKey>,
    ) -> Self {
        let ((calls, idle), (tools, pauses)) = rayon::join(
            || {
                let calls = Calls::collect(dataset, forest);
                let idle = Idle::before(&calls);
                (calls, Arc::new(idle))
            },
            || {
                rayon::join(
                    || ToolCalls::collect(dataset, forest, tools),
                    || Pauses::collect(dataset, forest, pauses),
                )
            },
        );
        Self {
            calls,
            tools,
            pauses,
            idle,
        }
    }
}

impl Baselines {
    /// Learns from what is not excluded.
    #[must_use]
    pub fn learn(forest: &Forest, measured: &Measured, excluded: &Excluded) -> Self {
        let calls = &measured.calls;
        let (kept, spare): (Vec<CallIx>, Vec<CallIx>) = (0..calls.all.len() as CallIx)
            .into_par_iter()
            .partition(|&i| excluded.keeps(calls.get(i).op));
        let alone = || kept.iter().copied().filter(|&i| excluded.keeps_price(i));
        let some = alone().count();
        // Prices first: they take most memory, and use all threads themselves.
        let mut all = Self {
            prices: match (LEAST_ALONE..kept.len()).contains(&some) {
                true => Prices::learn(calls, &alone().collect::<Vec<CallIx>>()),
                false => Prices::learn(calls, &kept),
            },
            ..Self::default()
        };
        let mut times = (0.0, 0.0);
        rayon::scope(|scope| {
            // The longest first: other threads take them up in this order.
            scope.spawn(|_| all.cache = CacheHabits::learn(calls, &measured.idle, &kept));
            scope.spawn(|_| all.volumes = Volumes::learn(calls, &kept, &spare));
            scope.spawn(|_| all.tools = ToolTimes::learn(forest, &measured.tools, excluded));
            scope.spawn(|_| all.gaps = Gaps::learn(forest, &measured.pauses, excluded));
            scope.spawn(|_| all.kinds = kinds(forest, excluded));
            scope.spawn(|_| times = (median_task(forest), median_call(calls, &kept)));
        });
        (all.median_task, all.median_call) = times;
        all
    }
}

fn median_task(forest: &Forest) -> f64 {
    let durations = complete(forest).map(|(_, r)| r.duration().as_millis());
    median(&mut durations.collect::<Vec<f64>>()).unwrap_or(0.0)
}

fn median_call(calls: &Calls, kept: &[CallIx]) -> f64 {
    let mut times = roomy(kept.len());
    times.extend(kept.iter().map(|&i| calls.get(i).total()));
    median(&mut times).unwrap_or(0.0)
}

fn complete(forest: &Forest) -> impl Iterator<Item = (u32, &crate::trace::Request)> {
    forest
        .requests
        .iter()
        .enumerate()
        .filter(|(_, r)| r.root_state == RootState::Complete)
        .map(|(i, r)| (i as u32, r))
}

fn kinds(forest: &Forest, excluded: &Excluded) -> Map<Sym, LowSide> {
    let mut times: Map<Sym, Vec<f64>> = Map::default();
    for (_, request) in complete(forest).filter(|(i, _)| excluded.keeps_request(*i)) {
        times
            .entry(request.kind)
            .or_default()
            .push(request.duration().as_millis());
    }
    kinds_of(times)
}

fn kinds_of(times: impl IntoIterator<Item = (Sym, Vec<f64>)>) -> Map<Sym, LowSide> {
    fit_each(times, TASK_SPREAD)
}

fn fit_each(
    times: impl IntoIterator<Item = (Sym, Vec<f64>)>,
    limits: SpreadLimits,
) -> Map<Sym, LowSide> {
    times
        .into_iter()
        .filter_map(|(name, values)| Some((name, LowSide::fit(&values, limits)?)))
        .collect()
}
