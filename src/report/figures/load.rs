//! Model calls by how many ran at the same server and how fast tokens came.

use std::collections::BTreeMap;

use super::thin;
use crate::report::Report;
use crate::stats::quantile;
use crate::trace::StepKind;
use crate::units::{Nanos, Window};

/// Calls drawn at most, evenly spread over time.
const POINTS: usize = 1_200;
/// A model with fewer calls has no usual speed.
const LEAST: usize = 8;
/// A step of company with fewer calls has no quantiles.
const LEAST_IN_STEP: usize = 5;

/// One model call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Crowding {
    /// Mean number of calls of the dump in flight at the same server while it ran, itself included.
    pub in_flight: f64,
    /// Its time per further token, as a multiple of its model's median.
    pub slowdown: f64,
    /// True when it belongs to a slow request.
    pub slow: bool,
}

/// Calls with about the same company.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    /// Calls in flight, rounded.
    pub in_flight: u64,
    /// Calls in this step.
    pub calls: u64,
    /// First, second and third quartile of the slowdown.
    pub quartiles: [f64; 3],
}

/// Model calls by company and speed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Load {
    /// Some of the calls.
    pub points: Vec<Crowding>,
    /// All calls that show it.
    pub calls: u64,
    /// All calls, by company.
    pub steps: Vec<Step>,
}

/// One call that shows its time per further token.
struct Call<'a> {
    server: &'a str,
    model: &'a str,
    window: Window,
    per_token: f64,
    slow: bool,
}

impl Load {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let calls = calls(report);
        let usual = usual(&calls);
        let busy = Busy::of(&calls);
        let mut points = Vec::with_capacity(calls.len());
        let mut steps: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for call in &calls {
            let Some(usual) = usual.get(call.model) else {
                continue;
            };
            let point = Crowding {
                in_flight: busy.mean(call),
                slowdown: call.per_token / usual,
                slow: call.slow,
            };
            let step = point.in_flight.round() as u64;
            steps.entry(step).or_default().push(point.slowdown);
            points.push(point);
        }
        Self {
            calls: points.len() as u64,
            points: thin(points, POINTS),
            steps: steps.into_iter().filter_map(step).collect(),
        }
    }
}

fn calls<'a>(report: &Report<'a>) -> Vec<Call<'a>> {
    let data = report.dataset();
    let mut calls = Vec::new();
    for row in report.rows() {
        for op in row.ops().iter().filter(|op| op.kind == StepKind::Model) {
            let facts = data
                .spans
                .get(op.span as usize)
                .and_then(|span| data.llm_of(span));
            let Some(call) = facts else { continue };
            let first = call.first_token.map(|first| first.value);
            let generation = call.decode.map(|decode| decode.value);
            let generation = generation.or(first.map(|first| op.window.len() - first));
            let further = call
                .output
                .map_or(0, |tokens| tokens.value.saturating_sub(1));
            let (Some(time), 1..) = (generation.filter(|t| *t > Nanos::ZERO), further) else {
                continue;
            };
            calls.push(Call {
                server: data.text(call.endpoint.or(call.model())),
                model: data.text(call.model()),
                window: op.window,
                per_token: time.as_millis() / f64::from(further),
                slow: row.slow(),
            });
        }
    }
    calls
}

/// Median time per further token of each model with enough calls.
fn usual<'a>(calls: &[Call<'a>]) -> BTreeMap<&'a str, f64> {
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for call in calls {
        times.entry(call.model).or_default().push(call.per_token);
    }
    let enough = times.into_iter().filter(|(_, times)| times.len() >= LEAST);
    let median = |mut times: Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        quantile(&times, 0.5).filter(|usual| *usual > 0.0)
    };
    enough
        .filter_map(|(model, times)| Some((model, median(times)?)))
        .collect()
}

fn step((in_flight, mut slowdowns): (u64, Vec<f64>)) -> Option<Step> {
    slowdowns.sort_unstable_by(f64::total_cmp);
    let calls = slowdowns.len();
    (calls >= LEAST_IN_STEP).then_some(())?;
    Some(Step {
        in_flight,
        calls: calls as u64,
        quartiles: [
            quantile(&slowdowns, 0.25)?,
            quantile(&slowdowns, 0.5)?,
            quantile(&slowdowns, 0.75)?,
        ],
    })
}

/// Per server: instants at which calls start or end, with the calls in flight from then on and the
/// time spent by all calls until then.
struct Busy<'a>(BTreeMap<&'a str, Vec<(u64, i64, i128)>>);

impl<'a> Busy<'a> {
    fn of(calls: &[Call<'a>]) -> Self {
        let mut edges: BTreeMap<&str, Vec<(u64, i64)>> = BTreeMap::new();
        for call in calls {
            let server = edges.entry(call.server).or_default();
            server.push((call.window.start.0, 1));
            server.push((call.window.end.0, -1));
        }
        Self(
            edges
                .into_iter()
                .map(|(server, edges)| (server, sweep(edges)))
                .collect(),
        )
    }

    fn mean(&self, call: &Call<'_>) -> f64 {
        let (start, end) = (call.window.start.0, call.window.end.0);
        let spent = self.spent(call.server, end) - self.spent(call.server, start);
        spent as f64 / call.window.len().0.max(1) as f64
    }

    fn spent(&self, server: &str, at: u64) -> i128 {
        let Some(edges) = self.0.get(server) else {
            return 0;
        };
        let after = edges.partition_point(|edge| edge.0 <= at);
        let before = after.checked_sub(1).and_then(|index| edges.get(index));
        before.map_or(0, |(since, running, spent)| {
            spent + i128::from(*running) * i128::from(at - since)
        })
    }
}

fn sweep(mut edges: Vec<(u64, i64)>) -> Vec<(u64, i64, i128)> {
    edges.sort_unstable();
    let (mut running, mut spent, mut last) = (0, 0, 0);
    let each = edges.into_iter().map(|(at, change)| {
        spent += i128::from(running) * i128::from(at - last);
        running += change;
        last = at;
        (at, running, spent)
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_is_a_mean_over_time() {
        let call = |start, end| Call {
            server: "",
            model: "",
            window: Window {
                start: Nanos(start),
                end: Nanos(end),
            },
            per_token: 1.0,
            slow: false,
        };
        let calls = [call(0, 100), call(50, 100), call(200, 300)];
        let busy = Busy::of(&calls);
        let mean: Vec<f64> = calls.iter().map(|call| busy.mean(call)).collect();
        assert_eq!(mean, [1.5, 2.0, 1.0]);
    }
}
