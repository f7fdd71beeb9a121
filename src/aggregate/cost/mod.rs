//! What requests cost: per request, and by model, task, agent, tool, tenant and day; how much of it was
//! wasted, and why. Each call is counted once; what cannot be priced is listed and never taken for free.

mod lost;
mod machine;
mod pricer;
mod reconcile;
mod tools;
mod waste;

pub use machine::MachineUse;
pub use pricer::recost;
pub(crate) use pricer::{agent_of, call_of, ops};
pub use reconcile::{Difference, Reconciliation, Worst};
pub use tools::ToolCost;
pub use waste::{Waste, WasteItem, WasteReason};

use super::prices::{Prices, Service, Source, Vintage};
use super::total::Total;
use crate::model::Dataset;
use crate::trace::Forest;
use crate::units::{Ratio, Usd, Window};

/// What one request cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestCost {
    /// US dollars for the calls that could be priced; `None` when none could.
    pub cost: Option<Usd>,
    /// Tokens of the calls that could be priced, of all tokens seen.
    pub priced: Ratio,
    /// Calls that answered and show no token counts: their cost is not in `cost`.
    pub unmetered: u32,
    /// Of `cost`: paid for nothing.
    pub wasted: Usd,
    /// Cost as the emitter estimated it, where it did: for comparison only.
    pub reported: Option<Usd>,
}

/// A model without a price.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct UnknownModel {
    /// Vendor as the dump names it.
    pub provider: String,
    /// Model as the dump names it.
    pub model: String,
    /// Calls with token counts.
    pub calls: u64,
    /// Their tokens, in and out.
    pub tokens: u64,
}

/// A table of prices and what it was used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableUse {
    /// Which table, its version and its day.
    pub vintage: Vintage,
    /// Calls priced from it.
    pub calls: u64,
    /// Days from the table to the last request; negative when the table is younger.
    pub age_days: Option<i32>,
    /// What a reader should know about its age.
    pub warning: Option<String>,
}

/// All sums of cost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Over all requests.
    pub total: Total,
    /// By model, dearest first.
    pub by_model: Vec<Total>,
    /// By kind of task, dearest first.
    pub by_task: Vec<Total>,
    /// By the agent that made the call, dearest first.
    pub by_agent: Vec<Total>,
    /// By the tool whose results filled the prompts, dearest first: part of the cost of models.
    pub by_tool: Vec<ToolCost>,
    /// By tenant, dearest first.
    pub by_tenant: Vec<Total>,
    /// By UTC day of the request's start, in order.
    pub by_day: Vec<Total>,
    /// What was paid for nothing.
    pub waste: Waste,
    /// Models without a price, most tokens first.
    pub unknown: Vec<UnknownModel>,
    /// Calls that answered and show no token counts.
    pub unmetered: u64,
    /// Calls priced from each source.
    pub sources: Vec<(Source, u64)>,
    /// Tables of prices that were used, and those of the user whether used or not.
    pub tables: Vec<TableUse>,
    /// Calls by class of service, other than the standard one.
    pub services: Vec<(Service, u64)>,
    /// Calls of such a class that has no price at their time: priced at the standard rate.
    pub standard_rate_assumed: u64,
    /// Cached tokens paid at the full input price because no cache price is listed.
    pub undiscounted_tokens: u64,
    /// True when any call shows how much of its prompt came from a cache.
    pub shows_cache: bool,
    /// Calls whose vendor had to be told from the model's name.
    pub provider_assumed: u64,
    /// Models priced by the machine they run on.
    pub machines: Vec<MachineUse>,
    /// Cost as emitters reported it against cost as computed here.
    pub reconciliation: Reconciliation,
    /// From the first start to the last end of a request.
    pub window: Window,
}

/// A call and what it cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PricedCall {
    /// Index into [`Forest::ops`].
    pub op: u32,
    /// What it cost; `None` without a price.
    pub cost: Option<Usd>,
    /// Of that: paid for nothing.
    pub wasted: Usd,
}

/// Every call with token counts, in the order of operations.
pub(super) fn calls(data: &Dataset, forest: &Forest, prices: &Prices) -> Vec<PricedCall> {
    let mut pricer = pricer::Pricer::new(data, forest, prices);
    pricer.read();
    pricer.calls()
}

/// Prices every call and sums.
pub(super) fn summarise(
    data: &Dataset,
    forest: &Forest,
    prices: &Prices,
) -> (Cost, Vec<RequestCost>) {
    let mut pricer = pricer::Pricer::new(data, forest, prices);
    pricer.read();
    pricer.finish()
}

/// What each request cost; nothing where that depends on what else ran.
pub(super) fn requests(
    data: &Dataset,
    forest: &Forest,
    prices: &Prices,
) -> Option<Vec<RequestCost>> {
    let mut pricer = pricer::Pricer::new(data, forest, prices);
    pricer.read();
    pricer.requests()
}
