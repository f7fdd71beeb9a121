//! Sums over requests: cost, latency, drift of tool choice, and how much the dump can show at all.

mod prices;

pub use prices::{PriceError, Prices, Source, Tariff, Usage};
