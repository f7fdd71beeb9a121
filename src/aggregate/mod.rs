//! Sums over requests: cost, latency, drift of tool choice, and how much the dump can show at all.

mod cost;
pub mod drift;
mod frame;
mod latency;
mod prices;
pub mod profile;
mod signals;
mod total;

pub use cost::{Cost, RequestCost, UnknownModel};
pub use drift::{Drift, ToolShift};
pub use frame::FrameError;
pub use latency::{Estimate, Latency, ModelLatency, Named, Spread};
pub use prices::{PriceError, Prices, Source, Tariff, Usage};
pub use profile::Profile;
pub use signals::{Layer, Signal};
pub use total::Total;

use crate::model::Dataset;
use crate::trace::Forest;

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
    /// Cost of each request, in the order of [`Forest::requests`].
    pub per_request: Vec<RequestCost>,
}

/// Sums over all requests of a dump. The same dump gives the same answer, in whatever order its
/// spans and names were read.
///
/// # Errors
/// When the table of calls cannot be summed: a fault of the program, not of the dump.
pub fn summarise(
    data: &Dataset,
    forest: &Forest,
    prices: &Prices,
) -> Result<Aggregates, FrameError> {
    let (cost, per_request) = cost::summarise(data, forest, prices)?;
    Ok(Aggregates {
        cost,
        latency: latency::summarise(data, forest),
        drift: drift::within(data, forest),
        signals: signals::summarise(data, forest),
        per_request,
    })
}

#[cfg(test)]
mod tests;
