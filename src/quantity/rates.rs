//! Conditions kept in a saved period: counted by the same rules as in a dump, and drawn again as a sample that has
//! the same share and varies as much.

use std::collections::BTreeSet;

use super::{Condition, Sample, Scope, Source};
use crate::aggregate::Profile;
use crate::aggregate::profile::{Rate, TaskProfile};
use crate::diagnose::Cause;
use crate::stats::Unit;

/// Clusters drawn from one rate at most.
const MOST: u64 = 200_000;
/// Parts of a dollar that shares of money are kept in.
const NANO: f64 = 1e9;

/// Keeps in `profile` how often everything was true of the requests it was learned from.
pub fn keep(profile: &mut Profile, source: &Source<'_>) {
    for condition in kept(profile) {
        let scale = match condition {
            Condition::Wasted => NANO,
            _ => 1.0,
        };
        let sample = source.share(&condition, &Scope::default());
        for (kind, units) in sample.strata {
            let rate = rate_of(&units, scale);
            let rates = &mut profile.tasks.entry(kind).or_default().rates;
            if let Some(family) = condition.family() {
                rates.entry(family.to_owned()).or_insert(rate.never());
            }
            if rate.part > 0 || condition.family().is_none() {
                rates.insert(condition.text(), rate);
            }
        }
    }
}

/// Conditions that are kept here; those of the root and of tools have places of their own.
fn kept(profile: &Profile) -> Vec<Condition> {
    let names = |of: fn(&TaskProfile) -> Vec<&String>| {
        let all: BTreeSet<&String> = profile.tasks.values().flat_map(of).collect();
        all.into_iter().cloned().collect::<Vec<String>>()
    };
    let mut all = vec![
        Condition::Slow,
        Condition::Incomplete,
        Condition::Retried,
        Condition::LlmError,
        Condition::Cached,
        Condition::Wasted,
    ];
    all.extend(Cause::ALL.map(Condition::Cause));
    let finishes = names(|task| task.finishes.tools.keys().collect());
    all.extend(finishes.into_iter().map(Condition::Finish));
    let models = names(|task| task.models.tools.keys().collect());
    all.extend(models.into_iter().map(Condition::Model));
    all.extend(profile.tools.keys().cloned().map(Condition::Tool));
    all
}

fn rate_of(units: &[Unit], scale: f64) -> Rate {
    let mut rate = Rate::default();
    for cluster in units.chunk_by(|a, b| a.cluster == b.cluster) {
        let sum = |of: fn(&Unit) -> f64| cluster.iter().map(of).sum::<f64>();
        let whole = |number: f64| (number * scale).round().max(0.0) as u64;
        rate.add(whole(sum(|unit| unit.part)), whole(sum(|unit| unit.whole)));
    }
    rate
}

/// How often a condition was true in one kind of task.
///
/// # Errors
/// When the file comes from a version that kept no rates.
fn found(task: &TaskProfile, condition: &Condition) -> Result<Option<Rate>, String> {
    if task.rates.is_empty() && task.requests > 0 {
        return Err("this baseline was saved without rates: learn it again with `agentdiag baseline`, or compare with a dump (--baseline DUMP)".to_owned());
    }
    let own = task.rates.get(&condition.text()).copied();
    let Some(family) = condition.family() else {
        return Ok(own);
    };
    let all = task.rates.get(family).copied();
    Ok(all.map(|all| own.unwrap_or_default().of_whole(&all)))
}

/// What counts in a saved period, by kind of task.
///
/// # Errors
/// When it does not keep rates.
pub(super) fn draw(
    profile: &Profile,
    condition: &Condition,
    scope: &Scope,
) -> Result<Sample, String> {
    let mut sample = Sample::default();
    for (name, task) in profile.tasks.iter().filter(|(name, _)| scope.task(name)) {
        sample.of += task.requests;
        if let Some(rate) = found(task, condition)?.filter(|rate| rate.whole > 0) {
            let units = units(&rate, sample.next_cluster());
            sample.strata.insert(name.clone(), units);
        }
    }
    Ok(sample)
}

/// As many clusters as there were requests, all of the same size, some of which count: so many that share and
/// spread are those of the rate.
fn units(rate: &Rate, from: u32) -> Vec<Unit> {
    let size = rate.requests.clamp(1, MOST);
    let scale = size as f64 / rate.requests.max(1) as f64;
    let mean = rate.part as f64 * scale / size as f64;
    let spread = rate.spread() * scale / size as f64;
    let counting = match mean * mean / (mean * mean + spread) {
        share if share.is_finite() => (share * size as f64).round().max(1.0),
        _ => 0.0,
    };
    let part = rate.part as f64 * scale / counting.max(1.0);
    let units = (0..size).zip(from..).map(|(place, cluster)| Unit {
        cluster,
        part: if (place as f64) < counting { part } else { 0.0 },
        whole: rate.whole as f64 * scale / size as f64,
    });
    units.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::stats::{SurveyStratum, mean_and_variance};

    fn all(units: &[Unit]) -> (f64, f64, usize) {
        let stratum = SurveyStratum { weight: 1.0, units };
        mean_and_variance(&[stratum]).unwrap()
    }

    #[test]
    fn a_rate_is_drawn_with_its_share_and_spread() {
        for shape in [
            |i: u64| (u64::from(i.is_multiple_of(10)), 1),
            |i: u64| (i % 7, 3 + i % 7),
            |i: u64| (4000 * u64::from(i.is_multiple_of(3)), 4000 + 100 * (i % 5)),
            |_: u64| (0, 3),
            |_: u64| (2, 3),
        ] {
            let mut rate = Rate::default();
            let mut own = Vec::new();
            for i in 0..400 {
                let (part, whole) = shape(i);
                rate.add(part, whole);
                let (part, whole) = (part as f64, whole as f64);
                own.push(Unit {
                    cluster: i as u32,
                    part,
                    whole,
                });
            }
            let (share, variance, n) = all(&own);
            let (drawn, of_drawn, drawn_n) = all(&units(&rate, 0));
            assert!((share - drawn).abs() < 1e-12, "{share} {drawn}");
            assert!(
                (variance - of_drawn).abs() <= 0.05 * variance,
                "{variance} {of_drawn}"
            );
            assert_eq!(n, drawn_n);
        }
    }

    #[test]
    fn conditions_of_one_family_share_their_whole() {
        let mut task = TaskProfile {
            requests: 8,
            ..TaskProfile::default()
        };
        assert!(found(&task, &Condition::Slow).is_err());
        let mut rate = Rate::default();
        (0..8).for_each(|_| rate.add(1, 2));
        let rates = [("finish", rate.never()), ("finish=stop", rate)];
        task.rates = BTreeMap::from(rates.map(|(name, rate)| (name.to_owned(), rate)));
        // Others, in which nothing ended so.
        (0..4).for_each(|_| task.rates.get_mut("finish").unwrap().add(0, 3));
        let finish = |reason: &str| {
            let rate = found(&task, &Condition::Finish(reason.to_owned())).unwrap();
            rate.map(|rate| (rate.requests, rate.part, rate.whole))
        };
        assert_eq!(finish("length"), Some((12, 0, 28)));
        assert_eq!(finish("stop"), Some((12, 8, 28)));
        assert_eq!(found(&task, &Condition::Cached).unwrap(), None);
    }
}
