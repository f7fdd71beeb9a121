//! `cost`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::PriceTable;
use crate::aggregate::{Total, UnknownModel};
use crate::report::Report;
use crate::report::cost::notes;
use crate::units::Usd;

/// What was paid, and for what.
#[derive(Serialize)]
pub(super) struct Cost<'a> {
    total_usd: Option<f64>,
    slow_usd: Option<f64>,
    priced_share: Option<f64>,
    models: Vec<Sum<'a>>,
    tasks: Vec<Sum<'a>>,
    agents: Vec<Sum<'a>>,
    tenants: Vec<Sum<'a>>,
    days: Vec<Sum<'a>>,
    unpriced_models: Vec<Unpriced<'a>>,
    calls_without_tokens: u64,
    calls_by_price_source: BTreeMap<&'static str, u64>,
    cached_tokens_at_full_price: u64,
    calls_with_assumed_provider: u64,
    calls_at_assumed_standard_rate: u64,
    wasted_usd: Option<f64>,
    wasted_by_reason_usd: BTreeMap<&'static str, Option<f64>>,
    price_tables: Vec<PriceTable<'a>>,
    notes: Vec<String>,
}

/// Sums over the calls of one group.
#[derive(Serialize)]
struct Sum<'a> {
    name: Option<&'a str>,
    requests: u64,
    calls: u64,
    input_tokens: u64,
    /// Null where no call of the dump shows any: absent is not zero.
    cached_tokens: Option<u64>,
    output_tokens: u64,
    cost_usd: Option<f64>,
    wasted_usd: Option<f64>,
    priced_share: Option<f64>,
}

/// A model without a price.
#[derive(Serialize)]
struct Unpriced<'a> {
    model: Option<&'a str>,
    provider: Option<&'a str>,
    calls: u64,
    tokens: u64,
}

impl<'a> From<&'a Report<'a>> for Cost<'a> {
    fn from(report: &'a Report<'a>) -> Self {
        let (summary, cost) = (report.summary(), &report.sums().cost);
        let cached = summary.cached_tokens.is_some();
        let list = |totals: &'a [Total]| totals.iter().map(|t| Sum::of(t, cached)).collect();
        let wasted = cost.waste.items.iter();
        let wasted = wasted.map(|item| (item.reason.label(), item.cost.map(Usd::as_dollars)));
        let sources = cost.sources.iter().map(|(s, calls)| (s.label(), *calls));
        Self {
            total_usd: summary.cost.map(Usd::as_dollars),
            slow_usd: summary.slow_cost.map(Usd::as_dollars),
            priced_share: summary.priced.share(),
            models: list(&cost.by_model),
            tasks: list(&cost.by_task),
            agents: list(&cost.by_agent),
            tenants: list(&cost.by_tenant),
            days: list(&cost.by_day),
            unpriced_models: cost.unknown.iter().map(Unpriced::from).collect(),
            calls_without_tokens: cost.unmetered,
            calls_by_price_source: sources.collect(),
            cached_tokens_at_full_price: cost.undiscounted_tokens,
            calls_with_assumed_provider: cost.provider_assumed,
            calls_at_assumed_standard_rate: cost.standard_rate_assumed,
            wasted_usd: cost.waste.cost.map(Usd::as_dollars),
            wasted_by_reason_usd: wasted.collect(),
            price_tables: cost.tables.iter().map(PriceTable::from).collect(),
            notes: notes(cost),
        }
    }
}

impl<'a> Sum<'a> {
    fn of(total: &'a Total, cached: bool) -> Self {
        Self {
            name: known(&total.key),
            requests: total.requests,
            calls: total.calls,
            input_tokens: total.input_tokens,
            cached_tokens: cached.then_some(total.cached_tokens),
            output_tokens: total.output_tokens,
            cost_usd: total.cost.map(Usd::as_dollars),
            wasted_usd: total.wasted.map(Usd::as_dollars),
            priced_share: total.priced.share(),
        }
    }
}

impl<'a> From<&'a UnknownModel> for Unpriced<'a> {
    fn from(unknown: &'a UnknownModel) -> Self {
        Self {
            model: known(&unknown.model),
            provider: known(&unknown.provider),
            calls: unknown.calls,
            tokens: unknown.tokens,
        }
    }
}

fn known(name: &str) -> Option<&str> {
    (!name.is_empty()).then_some(name)
}
