//! From the answers of a rule to alerts: pending, firing, resolved.
//!
//! Source: Prometheus, `rules/alerting.go` (`AlertingRule.Eval`).

use hashbrown::HashMap;

use super::labels::LabelId;

/// One alert from the first instant its condition held to the one it no longer did.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Labels of the alert, its name among them.
    pub labels: LabelId,
    /// Since when the condition held, Unix milliseconds.
    pub pending: i64,
    /// When it fired; `None` when the condition did not hold long enough.
    pub fired: Option<i64>,
    /// When it resolved; `None` when it had not by the end.
    pub resolved: Option<i64>,
    /// Value of the expression when it fired, or at the last instant before.
    pub value: f64,
    /// Its largest value while it was active.
    pub peak: f64,
    /// Annotations as they read when it fired, by name.
    pub annotations: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Active {
    episode: Episode,
    /// Since when it only stays because of `keep_firing_for`.
    kept_since: Option<i64>,
}

/// The alerts of one rule.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    active: HashMap<LabelId, Active, foldhash::fast::FixedState>,
    /// Keys of `active` in order of arrival.
    order: Vec<LabelId>,
    pub(super) done: Vec<Episode>,
}

/// An element of the answer: its labels, its value.
pub(super) struct Held {
    pub(super) labels: LabelId,
    pub(super) value: f64,
}

/// How long a condition must hold, and how long an alert stays, milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) hold: i64,
    pub(super) keep: i64,
}

impl Alerts {
    /// Takes in what holds at `at`; `annotate` gives the texts of an alert that fires.
    pub(super) fn step(
        &mut self,
        at: i64,
        held: &[Held],
        patience: Patience,
        annotate: impl Fn(usize) -> Vec<(String, String)>,
    ) {
        let mut now: HashMap<LabelId, usize, foldhash::fast::FixedState> = HashMap::default();
        for (index, element) in held.iter().enumerate() {
            now.insert(element.labels, index);
            let known = self.active.entry(element.labels).or_insert_with(|| {
                self.order.push(element.labels);
                Active {
                    episode: Episode {
                        labels: element.labels,
                        pending: at,
                        fired: None,
                        resolved: None,
                        value: element.value,
                        peak: element.value,
                        annotations: Vec::new(),
                    },
                    kept_since: None,
                }
            });
            let episode = &mut known.episode;
            if episode.fired.is_none() {
                episode.value = element.value;
            }
            if element.value > episode.peak || episode.peak.is_nan() {
                episode.peak = element.value;
            }
        }
        let (active, done) = (&mut self.active, &mut self.done);
        self.order.retain(|labels| {
            let Some(alert) = active.get_mut(labels) else {
                return false;
            };
            let holds = now.get(labels);
            let keeps = holds.is_some() || alert.stays(at, patience.keep);
            if !keeps {
                if let Some(mut ended) = active.remove(labels) {
                    ended.episode.resolved = Some(at);
                    done.push(ended.episode);
                }
                return false;
            }
            if let Some(index) = holds {
                alert.kept_since = None;
                let episode = &mut alert.episode;
                if episode.fired.is_none() && at - episode.pending >= patience.hold {
                    episode.fired = Some(at);
                    episode.annotations = annotate(*index);
                }
            }
            true
        });
    }

    /// Number of alerts pending or firing.
    pub(super) fn len(&self) -> usize {
        self.active.len()
    }

    /// Forgets what is active, as Prometheus does when a rule exceeds its limit.
    pub(super) fn forget(&mut self) {
        self.active.clear();
        self.order.clear();
    }

    /// Labels of each active alert, whether it fires, and since when it is active.
    pub(super) fn active(&self) -> impl Iterator<Item = (LabelId, bool, i64)> {
        let all = self
            .order
            .iter()
            .filter_map(|labels| self.active.get(labels));
        all.map(|a| {
            (
                a.episode.labels,
                a.episode.fired.is_some(),
                a.episode.pending,
            )
        })
    }

    /// All alerts; those still active have no end.
    pub(super) fn finish(mut self) -> Vec<Episode> {
        let open = self.order.iter().filter_map(|l| self.active.remove(l));
        self.done.extend(open.map(|a| a.episode));
        self.done.sort_by_key(|e| e.pending);
        self.done
    }
}

impl Active {
    /// True while a firing alert stays although its condition no longer holds.
    fn stays(&mut self, at: i64, keep: i64) -> bool {
        if self.episode.fired.is_none() || keep <= 0 {
            return false;
        }
        at - *self.kept_since.get_or_insert(at) < keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs one alert over instants a minute apart; the condition holds where `pattern` has an `x`.
    fn run(pattern: &str, hold: i64, keep: i64) -> Vec<(i64, Option<i64>, Option<i64>)> {
        let mut alerts = Alerts::default();
        for (minute, mark) in (0i64..).zip(pattern.chars()) {
            let held = [Held {
                labels: 0,
                value: 1.0,
            }];
            let held = if mark == 'x' { &held[..] } else { &[] };
            let patience = Patience {
                hold: hold * 60_000,
                keep: keep * 60_000,
            };
            alerts.step(minute * 60_000, held, patience, |_| Vec::new());
        }
        let all = alerts.finish().into_iter();
        let minutes = |t: i64| t / 60_000;
        all.map(|e| {
            (
                minutes(e.pending),
                e.fired.map(minutes),
                e.resolved.map(minutes),
            )
        })
        .collect()
    }

    #[test]
    fn an_alert_waits_fires_and_resolves() {
        assert_eq!(run(".xxx.", 2, 0), [(1, Some(3), Some(4))]);
        assert_eq!(run(".xx.x", 2, 0), [(1, None, Some(3)), (4, None, None)]);
        assert_eq!(run("x.", 0, 0), [(0, Some(0), Some(1))]);
    }

    #[test]
    fn a_firing_alert_stays_as_long_as_it_is_told_to() {
        assert_eq!(run("x....", 0, 2), [(0, Some(0), Some(3))]);
        assert_eq!(run("x.x.....", 0, 2), [(0, Some(0), Some(5))]);
        assert_eq!(run("x..", 5, 2), [(0, None, Some(1))]);
    }
}
