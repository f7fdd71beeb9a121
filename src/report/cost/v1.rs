//! The frozen JSON shape `agentdiag.cost.v1`. Keys may be added; none is renamed, retyped or removed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{By, CostReport};
use crate::aggregate::{Difference, MachineUse, TableUse, ToolCost, Total, WasteItem};
use crate::report::v1::{Input, Integrity, PriceTable};
use crate::units::Usd;
use crate::units::human::rfc3339;

/// Name and version of the shape.
pub const SCHEMA: &str = "agentdiag.cost.v1";

/// The whole object.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    tool_version: &'static str,
    inputs: Vec<Input<'a>>,
    integrity: Integrity<'a>,
    start: Option<String>,
    end: Option<String>,
    total: Sum<'a>,
    coverage: Coverage<'a>,
    by: BTreeMap<&'static str, Rows<'a>>,
    waste: Waste,
    calls_by_service: BTreeMap<&'static str, u64>,
    self_hosted: Vec<Machine<'a>>,
    reconciliation: Reconciliation<'a>,
    price_tables: Vec<PriceTable<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rows<'a> {
    Sums(Vec<Sum<'a>>),
    Tools(Vec<Tool<'a>>),
}

/// Sums over the calls of one group. Money in US dollars; null where nothing could be priced.
#[derive(Serialize)]
struct Sum<'a> {
    name: Option<&'a str>,
    requests: u64,
    calls: u64,
    input_tokens: u64,
    cached_tokens: Option<u64>,
    output_tokens: u64,
    cost_usd: Option<f64>,
    wasted_usd: Option<f64>,
    priced_share: Option<f64>,
    usd_per_1k_requests: Option<f64>,
    tokens_per_usd: Option<f64>,
}

/// What the results of one tool cost as part of later prompts.
#[derive(Serialize)]
struct Tool<'a> {
    name: Option<&'a str>,
    calls: u64,
    calls_seen_in_prompts: u64,
    added_tokens: u64,
    carried_tokens: u64,
    cost_usd: Option<f64>,
}

#[derive(Serialize)]
struct Coverage<'a> {
    priced_share: Option<f64>,
    calls_without_tokens: u64,
    unpriced_models: Vec<Unpriced<'a>>,
    cached_tokens_at_full_price: u64,
    calls_with_assumed_provider: u64,
    calls_at_assumed_standard_rate: u64,
}

#[derive(Serialize)]
struct Unpriced<'a> {
    model: Option<&'a str>,
    provider: Option<&'a str>,
    calls: u64,
    tokens: u64,
}

#[derive(Serialize)]
struct Waste {
    cost_usd: Option<f64>,
    share: Option<f64>,
    reasons: Vec<Reason>,
}

#[derive(Serialize)]
struct Reason {
    reason: &'static str,
    why: &'static str,
    calls: u64,
    requests: u64,
    tokens: u64,
    cost_usd: Option<f64>,
    unpriced_calls: u64,
}

#[derive(Serialize)]
struct Machine<'a> {
    model: &'a str,
    gpus: u32,
    usd_per_gpu_hour: f64,
    busy_s: f64,
    window_s: f64,
    cost_usd: f64,
    idle_cost_usd: f64,
}

#[derive(Serialize)]
struct Reconciliation<'a> {
    calls: u64,
    differing_calls: u64,
    reported_usd: f64,
    computed_usd: f64,
    unpriced_calls: u64,
    unpriced_reported_usd: f64,
    differences: Vec<Differing<'a>>,
}

#[derive(Serialize)]
struct Differing<'a> {
    model: Option<&'a str>,
    calls: u64,
    reported_usd: f64,
    computed_usd: f64,
    worst: Worst,
}

#[derive(Serialize)]
struct Worst {
    trace_id: String,
    span_id: String,
    reported_usd: f64,
    computed_usd: f64,
}

impl<'a> From<&'a CostReport<'a>> for Document<'a> {
    fn from(report: &'a CostReport<'a>) -> Self {
        let cost = report.cost;
        let sum = |total: &'a Total| Sum::of(total, cost.shows_cache);
        let rows = |by: By| match by {
            By::Tool => Rows::Tools(cost.by_tool.iter().map(Tool::from).collect()),
            _ => Rows::Sums(report.totals(by).iter().map(sum).collect()),
        };
        let window = (cost.window.end.0 > 0).then_some(cost.window);
        let unknown = cost.unknown.iter().map(|model| Unpriced {
            model: known(&model.model),
            provider: known(&model.provider),
            calls: model.calls,
            tokens: model.tokens,
        });
        let found = &cost.reconciliation;
        Self {
            schema: SCHEMA,
            tool_version: env!("CARGO_PKG_VERSION"),
            inputs: report
                .inputs()
                .iter()
                .zip(report.taken())
                .map(Input::from)
                .collect(),
            integrity: (&report.integrity).into(),
            start: window.map(|w| rfc3339(w.start)),
            end: window.map(|w| rfc3339(w.end)),
            total: sum(&cost.total),
            coverage: Coverage {
                priced_share: cost.total.priced.share(),
                calls_without_tokens: cost.unmetered,
                unpriced_models: unknown.collect(),
                cached_tokens_at_full_price: cost.undiscounted_tokens,
                calls_with_assumed_provider: cost.provider_assumed,
                calls_at_assumed_standard_rate: cost.standard_rate_assumed,
            },
            by: report.by.iter().map(|by| (by.label(), rows(*by))).collect(),
            waste: Waste {
                cost_usd: cost.waste.cost.map(Usd::as_dollars),
                share: report.wasted_share(),
                reasons: cost.waste.items.iter().map(Reason::from).collect(),
            },
            calls_by_service: cost.services.iter().map(|(s, n)| (s.label(), *n)).collect(),
            self_hosted: cost.machines.iter().map(Machine::from).collect(),
            reconciliation: Reconciliation {
                calls: found.calls,
                differing_calls: found.differing,
                reported_usd: found.reported.as_dollars(),
                computed_usd: found.computed.as_dollars(),
                unpriced_calls: found.unpriced_calls,
                unpriced_reported_usd: found.unpriced.as_dollars(),
                differences: found
                    .differences
                    .iter()
                    .map(|d| Differing::of(report, d))
                    .collect(),
            },
            price_tables: cost
                .tables
                .iter()
                .map(|t: &TableUse| PriceTable::from(t))
                .collect(),
            notes: &report.notes,
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
            usd_per_1k_requests: total.per_thousand_requests().map(Usd::as_dollars),
            tokens_per_usd: total.tokens_per_dollar(),
        }
    }
}

impl<'a> From<&'a ToolCost> for Tool<'a> {
    fn from(tool: &'a ToolCost) -> Self {
        Self {
            name: known(&tool.tool),
            calls: tool.calls,
            calls_seen_in_prompts: tool.seen,
            added_tokens: tool.added_tokens,
            carried_tokens: tool.carried_tokens,
            cost_usd: tool.cost.map(Usd::as_dollars),
        }
    }
}

impl From<&WasteItem> for Reason {
    fn from(item: &WasteItem) -> Self {
        Self {
            reason: item.reason.label(),
            why: item.reason.why(),
            calls: item.calls,
            requests: item.requests,
            tokens: item.tokens,
            cost_usd: item.cost.map(Usd::as_dollars),
            unpriced_calls: item.unpriced_calls,
        }
    }
}

impl<'a> From<&'a MachineUse> for Machine<'a> {
    fn from(machine: &'a MachineUse) -> Self {
        Self {
            model: &machine.model,
            gpus: machine.machine.gpus,
            usd_per_gpu_hour: machine.machine.gpu_hour.as_dollars(),
            busy_s: machine.busy.as_secs(),
            window_s: machine.window.as_secs(),
            cost_usd: machine.cost.as_dollars(),
            idle_cost_usd: machine.idle_cost.as_dollars(),
        }
    }
}

impl<'a> Differing<'a> {
    fn of(report: &CostReport<'_>, difference: &'a Difference) -> Self {
        let worst = difference.worst;
        Self {
            model: known(&difference.model),
            calls: difference.calls,
            reported_usd: difference.reported.as_dollars(),
            computed_usd: difference.computed.as_dollars(),
            worst: Worst {
                trace_id: worst.trace.to_string(),
                span_id: report.span_of(&worst).to_string(),
                reported_usd: worst.reported.as_dollars(),
                computed_usd: worst.computed.as_dollars(),
            },
        }
    }
}

fn known(name: &str) -> Option<&str> {
    (!name.is_empty()).then_some(name)
}
