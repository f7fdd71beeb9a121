//! Figures that come with the verdicts: what was paid, and for what.

use crate::units::{Ratio, Usd};

/// What one request cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestCost {
    /// Sum over its priced calls; `None` when none of its calls could be priced.
    pub usd: Option<Usd>,
    /// How many of its calls could be priced.
    pub priced: Ratio,
}

/// What all calls of one model cost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ModelCost {
    /// The model as the dump names it.
    pub model: String,
    /// Vendor, empty where not named.
    pub provider: String,
    /// Calls, failed attempts included.
    pub calls: u64,
    /// Prompt tokens, cached ones included.
    pub input_tokens: u64,
    /// Prompt tokens served from a cache.
    pub cached_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// Sum over its priced calls; `None` when the price list does not know it.
    pub usd: Option<Usd>,
}

/// Figures over the whole dump.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Per request, in the order of [`Forest::requests`](crate::trace::Forest::requests); empty when
    /// costs were not computed.
    pub request_costs: Vec<RequestCost>,
    /// Per model, most expensive first.
    pub models: Vec<ModelCost>,
    /// Which price list was used, for the reader.
    pub price_list: String,
}
