//! `summary` and `incidents`.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Millis;
use crate::report::{CauseTotal, Change, IncidentRow, Report, WhatIf};
use crate::units::human::rfc3339;
use crate::units::{Nanos, Usd};

/// Sums over all requests.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    headline: Vec<String>,
    slow_rule: SlowRule<'a>,
    notes: &'a [String],
    requests: u64,
    judged: u64,
    not_judged: u64,
    slow: u64,
    slow_share: Option<f64>,
    excess_ms: f64,
    median_excess_ms: Option<f64>,
    confidence: Option<f64>,
    start: Option<String>,
    end: Option<String>,
    causes: Vec<CauseShare>,
    mean_parts_ms: BySpeed,
    missing_signals: BTreeMap<&'static str, u64>,
    spans: u64,
    traces: u64,
    roots: u64,
    orphans: u64,
    errors: u64,
    llm_calls: u64,
    llm_calls_failed: u64,
    tool_calls: u64,
    retries: u64,
    input_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cost_usd: Option<f64>,
    slow_cost_usd: Option<f64>,
    cost_priced_share: Option<f64>,
}

/// The rule that made a request slow. `over_ms` or `top_share` replace factor and floor.
#[derive(Serialize)]
struct SlowRule<'a> {
    text: &'a str,
    factor: f64,
    floor_ms: f64,
    over_ms: Option<f64>,
    top_share: Option<f64>,
}

impl<'a> From<&'a Report<'a>> for SlowRule<'a> {
    fn from(report: &'a Report<'a>) -> Self {
        let rule = report.rule();
        Self {
            text: &report.headline().rule,
            factor: rule.slow_factor,
            floor_ms: rule.floor(),
            over_ms: rule.slow_over.map(Nanos::as_millis),
            top_share: rule.slow_top,
        }
    }
}

/// What one cause did to the dump.
#[derive(Serialize)]
struct CauseShare {
    cause: &'static str,
    requests: u64,
    requests_touched: u64,
    excess_ms: f64,
    excess_share: Option<f64>,
    confidence: Option<f64>,
}

/// Mean time per request in each part; null where there is no such request.
#[derive(Serialize)]
struct BySpeed {
    slow: Option<Millis<10>>,
    normal: Option<Millis<10>>,
}

impl<'a> From<&'a Report<'a>> for Summary<'a> {
    fn from(report: &'a Report<'a>) -> Self {
        let sum = report.summary();
        let missing = sum.missing.iter();
        let window = (sum.requests > 0).then_some(sum.window);
        Self {
            headline: report.headline().sentences().collect(),
            slow_rule: report.into(),
            notes: report.notes(),
            requests: sum.requests,
            judged: sum.judged,
            not_judged: sum.not_judged(),
            slow: sum.slow,
            slow_share: sum.slow_share(),
            excess_ms: sum.excess.as_millis(),
            median_excess_ms: (sum.slow > 0).then(|| sum.median_excess.as_millis()),
            confidence: sum.confidence,
            start: window.map(|w| rfc3339(w.start)),
            end: window.map(|w| rfc3339(w.end)),
            causes: sum.causes.iter().map(CauseShare::from).collect(),
            mean_parts_ms: BySpeed {
                slow: (sum.slow_parts.requests > 0).then(|| Millis(sum.slow_parts.means())),
                normal: (sum.normal_parts.requests > 0).then(|| Millis(sum.normal_parts.means())),
            },
            missing_signals: missing.map(|m| (m.signal, m.requests)).collect(),
            spans: sum.spans,
            traces: sum.traces,
            roots: sum.roots,
            orphans: sum.orphans,
            errors: sum.errors,
            llm_calls: sum.llm_calls,
            llm_calls_failed: sum.failed_calls,
            tool_calls: sum.tool_calls,
            retries: sum.retries,
            input_tokens: sum.input_tokens,
            cached_tokens: sum.cached_tokens,
            output_tokens: sum.output_tokens,
            cost_usd: sum.cost.map(Usd::as_dollars),
            slow_cost_usd: sum.slow_cost.map(Usd::as_dollars),
            cost_priced_share: sum.priced.share(),
        }
    }
}

impl From<&CauseTotal> for CauseShare {
    fn from(total: &CauseTotal) -> Self {
        Self {
            cause: total.cause.label(),
            requests: total.requests,
            requests_touched: total.touched,
            excess_ms: total.excess.as_millis(),
            excess_share: total.share.share(),
            confidence: total.confidence,
        }
    }
}

/// One disturbance over many requests.
#[derive(Serialize)]
pub(super) struct Incident<'a> {
    cause: &'static str,
    scope: Option<&'a str>,
    scope_kind: &'static str,
    onset: String,
    start: String,
    end: String,
    duration_ms: f64,
    requests: u64,
    excess_ms: f64,
    cost_usd: Option<f64>,
    without: Option<Without>,
    next_checks: &'static [&'static str],
    #[serde(serialize_with = "trace_ids")]
    trace_ids: IncidentRow<'a>,
}

impl<'a> From<IncidentRow<'a>> for Incident<'a> {
    fn from(row: IncidentRow<'a>) -> Self {
        let window = row.window();
        Self {
            cause: row.cause(),
            scope: row.scope_name(),
            scope_kind: row.incident.scope_kind,
            onset: rfc3339(row.incident.onset),
            start: rfc3339(window.start),
            end: rfc3339(window.end),
            duration_ms: window.len().as_millis(),
            requests: row.count(),
            excess_ms: row.excess().as_millis(),
            cost_usd: row.cost().map(Usd::as_dollars),
            without: row.what_if().map(Without::from),
            next_checks: row.incident.cause.meta().next_checks,
            trace_ids: row,
        }
    }
}

/// Requests that started while the incident lasted, as they were and as they would have been without it.
#[derive(Serialize)]
struct Without {
    requests: u64,
    p50_ms: Figures,
    p95_ms: Figures,
    cost_usd: Option<Figures>,
}

#[derive(Serialize)]
struct Figures {
    observed: f64,
    without: f64,
}

impl Figures {
    fn of<T>(change: Change<T>, value: impl Fn(T) -> f64) -> Self {
        Self {
            observed: value(change.observed),
            without: value(change.without),
        }
    }
}

impl From<WhatIf> for Without {
    fn from(what: WhatIf) -> Self {
        Self {
            requests: what.requests,
            p50_ms: Figures::of(what.p50, Nanos::as_millis),
            p95_ms: Figures::of(what.p95, Nanos::as_millis),
            cost_usd: what.cost.map(|cost| Figures::of(cost, Usd::as_dollars)),
        }
    }
}

fn trace_ids<S: Serializer>(row: &IncidentRow<'_>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(row.requests().map(|r| r.request.trace.to_string()))
}
