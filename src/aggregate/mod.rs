//! Sums over requests: cost, latency, drift of tool choice, and how much the dump can show at all.

mod columns;
mod cost;
pub mod drift;
mod latency;
mod prices;
pub mod profile;
mod readings;
mod signals;
mod sums;
#[cfg(feature = "parquet-export")]
mod tables;
mod total;

pub use columns::{Cell, Kind};
pub use cost::{
    Cost, Difference, MachineUse, PricedCall, Reconciliation, RequestCost, TableUse, ToolCost,
    UnknownModel, Waste, WasteItem, WasteReason, Worst, recost,
};
pub(crate) use cost::{agent_of, call_of, ops};
pub use drift::{Drift, Study, ToolShift};
pub use latency::{Estimate, Latency, ModelLatency, Named, Spread};
pub(crate) use latency::{inter_token, tool_name};
pub use prices::{
    BadPrice, Change, Changes, Config, Entry, Given, Machine, PriceError, Prices, STALE_DAYS,
    Service, Skipped, Source, Tariff, Terms, Usage, Vintage, Written,
};
pub use profile::Profile;
pub use readings::{Reading, SignalLayer, State};
pub use signals::{Layer, Signal};
#[cfg(feature = "parquet-export")]
pub use tables::Parquet;
pub use total::Total;

use crate::model::Dataset;
use crate::trace::{Forest, StepOp};

/// Everything that is a sum over requests.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Aggregates {
    /// What it cost.
    pub cost: Cost,
    /// How long it took.
    pub latency: Latency,
    /// Whether tools were chosen differently in the course of the dump.
    pub drift: Drift,
    /// What the dump shows and what not, by layer.
    pub signals: Vec<Signal>,
    /// The signals an operator watches, with their values.
    pub readings: Vec<Reading>,
    /// Cost of each request, in the order of [`Forest::requests`].
    pub per_request: Vec<RequestCost>,
}

/// Sums over all requests of a dump. The same dump gives the same answer, in whatever order its
/// spans and names were read.
#[must_use]
pub fn summarise(data: &Dataset, forest: &Forest, prices: &Prices) -> Aggregates {
    let ((cost, per_request), ((latency, counts), (drift, signals))) = rayon::join(
        || cost::summarise(data, forest, prices),
        || {
            rayon::join(
                || {
                    rayon::join(
                        || latency::summarise(data, forest),
                        || readings::Counts::of(data, forest),
                    )
                },
                || {
                    rayon::join(
                        || drift::within(data, forest),
                        || signals::summarise(data, forest),
                    )
                },
            )
        },
    );
    Aggregates {
        readings: readings::summarise(data, counts, &cost, &drift),
        cost,
        latency,
        drift,
        signals,
        per_request,
    }
}

/// Every model call with token counts and what it cost, in the order of operations.
#[must_use]
pub fn priced_calls(data: &Dataset, forest: &Forest, prices: &Prices) -> Vec<PricedCall> {
    cost::calls(data, forest, prices)
}

/// The tool of a tool operation and whether it failed.
#[must_use]
pub fn tool_called<'a>(data: &'a Dataset, op: &StepOp) -> Option<(&'a str, bool)> {
    let span = data.spans.get(op.span as usize)?;
    let tool = data.tool_of(span)?;
    let name = data.text(tool.tool.or(span.name));
    Some((name, span.failed() || tool.said_failed))
}

/// What each request cost, in the order of [`Forest::requests`]. On machines that are paid by the hour that depends on
/// what else ran: where `forest` may lack some of it, such a cost is left out.
#[must_use]
pub fn request_costs(data: &Dataset, forest: &Forest, prices: &Prices) -> Vec<RequestCost> {
    let known = cost::requests(data, forest, prices);
    known.unwrap_or_else(|| vec![RequestCost::default(); forest.requests.len()])
}

/// What all requests cost, and nothing else.
#[must_use]
pub fn cost(data: &Dataset, forest: &Forest, prices: &Prices) -> Cost {
    cost::summarise(data, forest, prices).0
}

#[cfg(test)]
mod tests;
