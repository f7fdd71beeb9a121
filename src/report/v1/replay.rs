//! The frozen JSON shape `agentdiag.replay.v1`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::input::Input;
use crate::report::{Burn, Firing, Replay, RuleRow, Seen};
use crate::units::{Nanos, human};

/// Name and version of the shape.
pub const REPLAY_SCHEMA: &str = "agentdiag.replay.v1";

/// The whole object.
#[derive(Serialize)]
pub struct ReplayDocument<'a> {
    schema: &'static str,
    tool_version: &'static str,
    inputs: Vec<Input<'a>>,
    from: String,
    to: String,
    interval_s: f64,
    series: usize,
    summary: Summary,
    alerts: Vec<Alert<'a>>,
    incidents: Vec<Incident<'a>>,
    burn_rate: Vec<BurnRate<'a>>,
    rules: Vec<Rule<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Summary {
    alert_rules: usize,
    alert_rules_fired: usize,
    firings: usize,
    firings_without_incident: usize,
    incidents: usize,
    incidents_unseen: usize,
    failed_rules: usize,
}

#[derive(Serialize)]
struct Alert<'a> {
    rule: usize,
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
    pending_since: String,
    fired_at: String,
    resolved_at: Option<String>,
    /// Not a number is null.
    value: Option<f64>,
    peak: Option<f64>,
    annotations: BTreeMap<&'a str, &'a str>,
    incidents: &'a [usize],
}

#[derive(Serialize)]
struct Incident<'a> {
    cause: &'static str,
    scope: &'a str,
    start: String,
    end: String,
    requests: u64,
    alerts: &'a [usize],
    alerted_after_s: Option<f64>,
}

#[derive(Serialize)]
struct BurnRate<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    start: String,
    end: Option<String>,
    peak: Option<f64>,
}

#[derive(Serialize)]
struct Rule<'a> {
    file: &'a str,
    line: usize,
    group: &'a str,
    name: &'a str,
    kind: &'static str,
    expr: &'a str,
    evaluations: u64,
    firings: u64,
    only_pending: u64,
    failures: u64,
    first_failure: Option<Failure<'a>>,
    missing_metrics: &'a [String],
}

#[derive(Serialize)]
struct Failure<'a> {
    at: String,
    error: &'a str,
}

impl<'a> From<&'a Replay<'a>> for ReplayDocument<'a> {
    fn from(replay: &'a Replay<'a>) -> Self {
        let (alert_rules, alert_rules_fired) = replay.alerts();
        let failed = replay.rules.iter().filter(|r| r.failures > 0).count();
        Self {
            schema: REPLAY_SCHEMA,
            tool_version: replay.tool_version(),
            inputs: replay
                .inputs
                .iter()
                .zip(replay.taken.iter().cloned())
                .map(Input::from)
                .collect(),
            from: human::rfc3339(replay.window.start),
            to: human::rfc3339(replay.window.end),
            interval_s: replay.interval.as_secs(),
            series: replay.series,
            summary: Summary {
                alert_rules,
                alert_rules_fired,
                firings: replay.firings.len(),
                firings_without_incident: replay.without_incident(),
                incidents: replay.incidents.len(),
                incidents_unseen: replay.unseen(),
                failed_rules: failed,
            },
            alerts: replay
                .firings
                .iter()
                .map(|firing| alert(replay, firing))
                .collect(),
            incidents: replay.incidents.iter().map(incident).collect(),
            burn_rate: replay.burns.iter().map(burn).collect(),
            rules: replay.rules.iter().map(rule).collect(),
            notes: &replay.notes,
        }
    }
}

fn map(pairs: &[(String, String)]) -> BTreeMap<&str, &str> {
    let pairs = pairs.iter();
    pairs.map(|(n, v)| (n.as_str(), v.as_str())).collect()
}

fn time(at: Option<Nanos>) -> Option<String> {
    at.map(human::rfc3339)
}

fn number(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn alert<'a>(replay: &'a Replay<'_>, firing: &'a Firing) -> Alert<'a> {
    Alert {
        rule: firing.rule,
        name: &replay.rules[firing.rule].name,
        labels: map(&firing.labels),
        pending_since: human::rfc3339(firing.pending),
        fired_at: human::rfc3339(firing.fired),
        resolved_at: time(firing.resolved),
        value: number(firing.value),
        peak: number(firing.peak),
        annotations: map(&firing.annotations),
        incidents: &firing.covers,
    }
}

fn incident(seen: &Seen) -> Incident<'_> {
    Incident {
        cause: seen.cause,
        scope: &seen.scope,
        start: human::rfc3339(seen.window.start),
        end: human::rfc3339(seen.window.end),
        requests: seen.requests,
        alerts: &seen.by,
        alerted_after_s: seen.after.map(Nanos::as_secs),
    }
}

fn burn(burn: &Burn) -> BurnRate<'_> {
    BurnRate {
        labels: map(&burn.labels),
        start: human::rfc3339(burn.from),
        end: time(burn.to),
        peak: number(burn.peak),
    }
}

fn rule(row: &RuleRow) -> Rule<'_> {
    Rule {
        file: &row.file,
        line: row.line,
        group: &row.group,
        name: &row.name,
        kind: if row.alert { "alert" } else { "record" },
        expr: &row.expr,
        evaluations: row.evaluations,
        firings: row.firings,
        only_pending: row.only_pending,
        failures: row.failures,
        first_failure: row.failed.as_ref().map(|(at, why)| Failure {
            at: human::rfc3339(*at),
            error: why,
        }),
        missing_metrics: &row.unseen,
    }
}
