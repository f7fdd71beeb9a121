//! Thresholds of tool choice: each over the shortest range in which the share of the tool is steady enough for one, and
//! only where the agent calls so many tools in it that some calls of this one are due.

use super::calibrate::{Levels, Named, Points, Threshold, choose, normal, trouble_instants};
use super::duration;
use super::measure::Measure;
use super::replay::Schedule;
use super::store::Store;
use crate::units::Window;

/// Ranges looked at, in multiples of the usual one: so many as a quarter of the dump holds.
const RANGES: [i64; 6] = [1, 2, 4, 6, 12, 24];
/// Calls of a tool that are due in a range by its share, before its share says anything.
const DUE: f64 = 5.0;
/// Whose calls a share is of.
const WHOSE: &str = "agent_id";

/// Thresholds of `measure`, each with the measure over its own range. `trouble` is when tools were chosen otherwise.
///
/// # Errors
/// Says why the measure cannot be evaluated over these series.
pub(super) fn thresholds(
    measure: &Measure,
    store: &mut Store,
    schedule: Schedule,
    trouble: &[Window],
) -> Result<Vec<(Measure, Threshold)>, String> {
    let longest = (schedule.to - schedule.from) / 4;
    let mut all: Vec<(Measure, Threshold)> = Vec::new();
    for times in RANGES {
        let over = Measure {
            window: measure.window * times,
            ..*measure
        };
        if times > 1 && (over.window > longest || !all.iter().any(|(_, t)| t.is_faint())) {
            break;
        }
        for found in over_range(&over, store, schedule, trouble)? {
            let known = all.iter_mut().find(|(_, t)| t.labels == found.labels);
            match known {
                None => all.push((over, found)),
                Some(known) if known.1.is_faint() && found.value.is_some() => {
                    *known = (over, found);
                }
                Some(_) => {}
            }
        }
    }
    all.sort_by(|a, b| a.1.labels.cmp(&b.1.labels));
    Ok(all)
}

fn over_range(
    measure: &Measure,
    store: &mut Store,
    schedule: Schedule,
    trouble: &[Window],
) -> Result<Vec<Threshold>, String> {
    let mut read = |text: &str| -> Result<_, String> {
        Ok(Levels::of(measure, text, store, schedule)?.named(store))
    };
    let shares = read(&measure.of(""))?;
    let calls = read(&measure.events())?;
    let totals = read(&total(measure, ""))?;
    let out_of_order = trouble_instants(measure, trouble);
    let of_choice = |(labels, points): (Named, Points)| {
        let agent = labels.iter().find(|(name, _)| name == WHOSE);
        let total = totals.iter().find(|(of, _)| of.first() == agent);
        let total = total.map_or(&[][..], |(_, points)| points);
        let least = least(&points, total, &out_of_order);
        let busy = |(at, _): &(i64, f64)| at_least(total, *at, least);
        let points: Points = points.into_iter().filter(busy).collect();
        let normal = normal(measure, &points, &[], &out_of_order, schedule);
        let volume = calls.iter().find(|(of, _)| *of == labels);
        let volume = volume.map_or(&[][..], |(_, points)| points);
        let mut found = choose(measure, labels, &normal, volume, schedule);
        found.least = Some(least);
        found
    };
    Ok(shares.into_iter().map(of_choice).collect())
}

/// How many calls of the agent make [`DUE`] of the tool due, by its share while nothing was wrong.
fn least(shares: &[(i64, f64)], totals: &[(i64, f64)], trouble: &[(i64, i64)]) -> f64 {
    let (mut part, mut whole) = (0.0, 0.0);
    for (at, share) in shares {
        let good = !trouble.iter().any(|(from, to)| (*from..=*to).contains(at));
        if let Some(total) = value(totals, *at).filter(|_| good) {
            part += share * total;
            whole += total;
        }
    }
    match part > 0.0 {
        true => (DUE * whole / part).ceil(),
        false => f64::INFINITY,
    }
}

fn value(points: &[(i64, f64)], at: i64) -> Option<f64> {
    let found = points.binary_search_by_key(&at, |(at, _)| *at).ok()?;
    points.get(found).map(|(_, value)| *value)
}

fn at_least(points: &[(i64, f64)], at: i64, least: f64) -> bool {
    value(points, at).is_some_and(|value| value >= least)
}

/// The expression of all tool calls of the agents that `matchers` pick.
pub(super) fn total(measure: &Measure, matchers: &str) -> String {
    let matchers = match matchers {
        "" => String::new(),
        some => format!("{{{some}}}"),
    };
    let range = duration::show(measure.window);
    format!("sum by ({WHOSE}) (increase(agent_tool_calls_total{matchers}[{range}]))")
}

/// What an expression over [`total`] needs beside its comparison: that the agent calls that many tools at all.
pub(super) fn guard(measure: &Measure, threshold: &Threshold, least: f64) -> String {
    let agent = threshold.labels.iter().find(|(name, _)| name == WHOSE);
    let agent = agent.map_or_else(String::new, |(name, value)| format!("{name}={value:?}"));
    format!(" and on ({WHOSE}) {} >= {least}", total(measure, &agent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_tools_need_many_calls_of_their_agent() {
        let totals = [(0, 10.0), (1, 30.0), (2, 100.0)];
        let shares = [(0, 0.3), (1, 0.1), (2, 0.9)];
        // 6 of 40 calls while nothing was wrong.
        assert_eq!(least(&shares, &totals, &[(2, 9)]), 34.0);
        assert_eq!(least(&[(0, 0.0)], &totals, &[]), f64::INFINITY);
        assert!(at_least(&totals, 1, 30.0) && !at_least(&totals, 3, 0.0));
    }
}
