//! The replay: every rule at every instant, in the order Prometheus would evaluate them.

use hashbrown::HashSet;

use super::labels::{LabelId, NAME};
use super::query::{Instant, Sample};
use super::rule::{Group, Rule, RuleKind};
use super::state::{Alerts, Episode, Held, Patience};
use super::store::{STALE, Store};
use super::template::{Context, Template};

/// From when to when, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// First instant, Unix milliseconds.
    pub from: i64,
    /// Last instant, included.
    pub to: i64,
    /// Between instants, milliseconds, where a group does not say.
    pub interval: i64,
}

/// What became of one rule.
#[derive(Clone, Debug)]
pub struct RuleRun {
    /// Position of its group among all groups.
    pub group: usize,
    /// Position in the group.
    pub rule: usize,
    /// Alerts in the order they became pending; empty for a recording rule.
    pub episodes: Vec<Episode>,
    /// Instants at which it was evaluated.
    pub evaluations: u64,
    /// Instants at which the evaluation failed, with what Prometheus would have logged the first time.
    pub failures: u64,
    /// The first failure: when, and why.
    pub failed: Option<(i64, String)>,
    /// Metric names it reads of which no series exists.
    pub unseen: Vec<String>,
}

/// Evaluates all groups over their schedule. Every rule comes out, in the order of the files.
pub fn replay(groups: &mut [Group], store: &mut Store, schedule: Schedule) -> Vec<RuleRun> {
    let mut states: Vec<Vec<Running>> = groups
        .iter()
        .map(|g| g.rules.iter().map(|_| Running::default()).collect())
        .collect();
    let watched = alerts_are_read(groups);
    for at in instants(groups, schedule) {
        for (group, states) in groups.iter_mut().zip(&mut states) {
            let interval = group.interval.unwrap_or(schedule.interval).max(1);
            if at.rem_euclid(interval) != 0 {
                continue;
            }
            let now = Instant {
                at: at.saturating_sub(group.offset),
                step: schedule.interval.max(1),
            };
            for (rule, state) in group.rules.iter_mut().zip(states) {
                state.evaluations += 1;
                if let Err(why) = state.step(rule, store, (at, now), group.limit, watched) {
                    state.failures += 1;
                    state.failed.get_or_insert((at, why));
                }
            }
        }
    }
    let mut runs = Vec::new();
    for (g, (group, states)) in groups.iter().zip(states).enumerate() {
        for (r, (rule, state)) in group.rules.iter().zip(states).enumerate() {
            runs.push(state.finish((g, r), rule, store));
        }
    }
    runs
}

/// Multiples of every interval in use, so that a group is evaluated at multiples of its own.
fn instants(groups: &[Group], schedule: Schedule) -> Vec<i64> {
    let own = groups.iter().filter_map(|g| g.interval);
    let mut intervals: Vec<i64> = own.chain([schedule.interval]).map(|i| i.max(1)).collect();
    intervals.sort_unstable();
    intervals.dedup();
    let mut all: Vec<i64> = Vec::new();
    for interval in intervals {
        let mut at = -(-schedule.from).div_euclid(interval) * interval;
        while at <= schedule.to {
            all.push(at);
            at += interval;
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// True when a rule reads the series that Prometheus writes about alerts themselves.
fn alerts_are_read(groups: &[Group]) -> bool {
    let rules = groups.iter().flat_map(|g| &g.rules);
    let mut reads = rules.flat_map(|r| &r.query.reads);
    reads.any(|name| name.is_empty() || name.starts_with("ALERTS"))
}

#[derive(Default)]
struct Running {
    alerts: Alerts,
    /// Series written at the last evaluation: those missing at the next one end there.
    written: HashSet<LabelId, foldhash::fast::FixedState>,
    evaluations: u64,
    failures: u64,
    failed: Option<(i64, String)>,
}

impl Running {
    fn step(
        &mut self,
        rule: &mut Rule,
        store: &mut Store,
        (at, now): (i64, Instant),
        limit: usize,
        watched: bool,
    ) -> Result<(), String> {
        let samples = rule.query.eval(store, now)?.into_vector(store);
        let name = store.labels.text(NAME);
        match &rule.kind {
            RuleKind::Record => {
                let value = store.labels.text(&rule.name);
                let mut out = Vec::with_capacity(samples.len());
                for (labels, sample) in samples {
                    let labels = store.labels.with(labels, name, value);
                    let labels = put(&rule.labels, labels, (labels, sample), store);
                    out.push((labels, sample));
                }
                if limit > 0 && out.len() > limit {
                    return Err(format!("more than {limit} series, the limit of the group"));
                }
                self.write(out, store, now.at)
            }
            RuleKind::Alert {
                hold,
                keep,
                annotations,
            } => {
                let (held, sources) = self.held(rule, samples, store)?;
                let patience = Patience {
                    hold: *hold,
                    keep: *keep,
                };
                let texts = |index: usize| annotated(annotations, sources[index], store);
                self.alerts.step(at, &held, patience, texts);
                if limit > 0 && self.alerts.len() > limit {
                    self.alerts.forget();
                    return Err(format!("more than {limit} alerts, the limit of the group"));
                }
                match watched {
                    true => self.write_alerts(store, now.at),
                    false => Ok(()),
                }
            }
        }
    }

    /// The elements of an answer with the labels of their alerts.
    fn held(
        &self,
        rule: &Rule,
        samples: Vec<Sample>,
        store: &mut Store,
    ) -> Result<(Vec<Held>, Vec<Sample>), String> {
        let name = store.labels.text(NAME);
        let (label, alert) = (
            store.labels.text("alertname"),
            store.labels.text(&rule.name),
        );
        let mut held = Vec::with_capacity(samples.len());
        let mut seen = HashSet::<LabelId, foldhash::fast::FixedState>::default();
        for sample in &samples {
            let bare = store.labels.without(sample.0, &[name]);
            let labels = put(&rule.labels, bare, *sample, store);
            let labels = store.labels.with(labels, label, alert);
            if !seen.insert(labels) {
                let labels = store.labels.show(labels);
                return Err(format!(
                    "vector contains metrics with the same labelset after applying alert labels: {labels}"
                ));
            }
            held.push(Held {
                labels,
                value: sample.1,
            });
        }
        Ok((held, samples))
    }

    fn write_alerts(&mut self, store: &mut Store, at: i64) -> Result<(), String> {
        let active: Vec<_> = self.alerts.active().collect();
        let name = store.labels.text(NAME);
        let state = store.labels.text("alertstate");
        let (pending, firing) = (store.labels.text("pending"), store.labels.text("firing"));
        let (alerts, since) = (
            store.labels.text("ALERTS"),
            store.labels.text("ALERTS_FOR_STATE"),
        );
        let mut out = Vec::with_capacity(active.len() * 2);
        for (labels, fires, from) in active {
            let which = if fires { firing } else { pending };
            let named = store.labels.with(labels, name, alerts);
            out.push((store.labels.with(named, state, which), 1.0));
            let named = store.labels.with(labels, name, since);
            out.push((named, (from as f64 / 1000.0).trunc()));
        }
        self.write(out, store, at)
    }

    fn write(&mut self, samples: Vec<Sample>, store: &mut Store, at: i64) -> Result<(), String> {
        let mut written = HashSet::default();
        for (labels, _) in &samples {
            if !written.insert(*labels) {
                let labels = store.labels.show(*labels);
                return Err(format!(
                    "vector contains metrics with the same labelset after applying rule labels: {labels}"
                ));
            }
        }
        let mut ended: Vec<LabelId> = self.written.difference(&written).copied().collect();
        ended.sort_unstable();
        for labels in ended {
            store.append(labels, at, STALE);
        }
        for (labels, value) in samples {
            store.append(labels, at, value);
        }
        self.written = written;
        Ok(())
    }

    fn finish(self, (group, index): (usize, usize), rule: &Rule, store: &mut Store) -> RuleRun {
        let mut unseen: Vec<String> = rule
            .query
            .reads
            .iter()
            .filter(|name| !name.is_empty() && !store.has(name))
            .cloned()
            .collect();
        unseen.sort();
        unseen.dedup();
        RuleRun {
            group,
            rule: index,
            episodes: self.alerts.finish(),
            evaluations: self.evaluations,
            failures: self.failures,
            failed: self.failed,
            unseen,
        }
    }
}

/// `labels` with those of the rule put in.
fn put(
    own: &[(String, Template)],
    labels: LabelId,
    (of, value): Sample,
    store: &mut Store,
) -> LabelId {
    let mut labels = labels;
    for (name, template) in own {
        let with = Context {
            labels: &store.labels,
            of,
            value,
        };
        let text = template.fill(with);
        let (name, text) = (store.labels.text(name), store.labels.text(&text));
        labels = store.labels.with(labels, name, text);
    }
    labels
}

fn annotated(
    annotations: &[(String, Template)],
    (of, value): Sample,
    store: &Store,
) -> Vec<(String, String)> {
    let with = Context {
        labels: &store.labels,
        of,
        value,
    };
    let fill = |(name, text): &(String, Template)| (name.clone(), text.fill(with));
    annotations.iter().map(fill).collect()
}

/// First and last sample of all, Unix milliseconds; `None` without samples.
#[must_use]
pub fn covered(store: &Store) -> Option<(i64, i64)> {
    let mut covered: Option<(i64, i64)> = None;
    for (_, times, _) in store.iter() {
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
            continue;
        };
        covered = Some(covered.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
    }
    covered
}
