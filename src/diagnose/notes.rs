//! What the reader must know about where "normal" came from.

use std::collections::BTreeSet;

use super::{Cause, Diagnosis};
use crate::baseline::{Healthy, Norms};
use crate::model::Dataset;
use crate::trace::{Forest, StepKind};
use crate::units::human::{count, counted};

/// Without a baseline, contention as the verdict of this share of the requests judged calls for a word.
const UNDER_LOAD: f64 = 0.15;
/// Fewer requests than this have no half.
const LEAST_JUDGED: usize = 12;
/// Names listed before the rest are only counted.
const NAMED: usize = 4;

/// What the reader must know, as far as it does not depend on verdicts.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Remarks {
    /// Where normal came from.
    pub(super) normal: Vec<String>,
    /// It came from the dump itself.
    pub(super) by_itself: bool,
    /// Why little can be told from normal.
    pub(super) contrast: Option<String>,
}

impl Remarks {
    /// All there is to say, the verdicts known.
    pub(super) fn with(self, diagnoses: &[Diagnosis]) -> Vec<String> {
        let mut notes = self.normal;
        if self.by_itself {
            if notes.is_empty() {
                notes.extend(mostly_slow(diagnoses));
            }
            notes.extend(under_load(diagnoses));
            notes.extend(self.contrast);
        }
        notes
    }
}

/// Where normal came from when there was a baseline, and what that did not know.
pub(super) fn on_baseline(
    dataset: &Dataset,
    forest: &Forest,
    norms: &Norms,
    healthy: &Healthy,
) -> Vec<String> {
    let mut notes = vec![format!(
        "What is normal comes from the baseline: {}, {}.",
        counted(norms.requests, "request"),
        counted(norms.model_calls, "model call"),
    )];
    let unknown = unknown(dataset, forest, norms, healthy);
    if !unknown.is_empty() {
        notes.push(format!(
            "Not in the baseline, and judged by the healthier part of this dump: {}.",
            unknown.join("; ")
        ));
    }
    if healthy.lacks_signals {
        notes.push(
            "The baseline lacks times to first token or cached tokens, which this dump shows: what model calls cost in time was learned from this dump. A baseline recorded with the same instrumentation would be surer."
                .to_owned(),
        );
    }
    notes
}

/// Kinds of tasks, models and tools of the dump that the baseline has not seen.
fn unknown(dataset: &Dataset, forest: &Forest, norms: &Norms, healthy: &Healthy) -> Vec<String> {
    let kinds = forest.requests.iter().map(|r| dataset.text(r.kind));
    let ops = || forest.ops.iter();
    let tools = ops().filter(|op| op.kind == StepKind::Tool);
    let tools = tools.map(|op| dataset.text(crate::baseline::tool_name(dataset, op.span)));
    let known: BTreeSet<&str> = healthy
        .calls
        .all
        .iter()
        .map(|c| dataset.text(c.model))
        .collect();
    let models = ops().filter(|op| op.kind == StepKind::Model);
    let models = models.filter_map(|op| dataset.llm_of(dataset.spans.get(op.span as usize)?));
    let models = models.map(|call| dataset.text(call.model()));
    [
        list(
            "kind of task",
            kinds.filter(|k| !norms.tasks.contains_key(*k)).collect(),
        ),
        list("model", models.filter(|m| !known.contains(m)).collect()),
        list(
            "tool",
            tools.filter(|t| !norms.tools.contains_key(*t)).collect(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn list(what: &str, mut names: BTreeSet<&str>) -> Option<String> {
    names.remove("");
    let first: Vec<&str> = names.iter().take(NAMED).copied().collect();
    let more = names.len().saturating_sub(NAMED) as u64;
    let text = match more {
        0 => first.join(", "),
        _ => format!("{} and {} more", first.join(", "), count(more)),
    };
    (!names.is_empty()).then(|| format!("{what} {text}"))
}

/// Without a baseline, a dump of which most is slow has no healthy half to hold against.
fn mostly_slow(diagnoses: &[Diagnosis]) -> Option<String> {
    let judged = diagnoses.iter().filter(|d| d.expected.is_some()).count();
    let slow = diagnoses.iter().filter(|d| d.slow).count();
    (judged >= LEAST_JUDGED && 2 * slow > judged).then(|| {
        "More than half of the requests are slow: what is normal was learned from the rest, and a slowness that all of them share cannot be told. A baseline of a healthy period would be surer.".to_owned()
    })
}

/// Without a baseline, a dump that is under load as a whole does not show what its servers do at rest.
fn under_load(diagnoses: &[Diagnosis]) -> Option<String> {
    let judged = diagnoses.iter().filter(|d| d.expected.is_some()).count();
    let contended = diagnoses
        .iter()
        .filter(|d| d.primary == Some(Cause::NoisyNeighbour))
        .count();
    (judged > 0 && contended as f64 > UNDER_LOAD * judged as f64).then(|| {
        "Much of this dump was recorded under load. Without a baseline of a healthy period, natural swings of load and the load of neighbours cannot be told apart: take `noisy_neighbour` here for \"slowed together with others\".".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::units::Nanos;

    fn judged(count: u32, change: impl Fn(u32, &mut Diagnosis)) -> Vec<Diagnosis> {
        let all = (0..count).map(|request| {
            let mut diagnosis = Diagnosis {
                request,
                expected: Some(Nanos::SECOND),
                excess: Nanos::ZERO,
                slow: false,
                primary: None,
                confidence: 0.0,
                claims: Vec::new(),
                considered: Vec::new(),
                missing: Vec::new(),
            };
            change(request, &mut diagnosis);
            diagnosis
        });
        all.collect()
    }

    fn slow(count: u32, of: u32, cause: Cause) -> Vec<Diagnosis> {
        judged(of, |n, d| {
            if n < count {
                (d.slow, d.primary) = (true, Some(cause));
            }
        })
    }

    #[test]
    fn more_than_half_slow_leaves_no_healthy_half() {
        let says = |count, of| mostly_slow(&slow(count, of, Cause::ColdCache)).is_some();
        assert!(says(7, 12) && !says(6, 12));
        assert!(!says(11, 11), "eleven have no half");
        let unjudged = judged(20, |n, d| {
            d.slow = n < 10;
            d.expected = d.expected.filter(|_| n < 12);
        });
        assert!(
            mostly_slow(&unjudged).is_some(),
            "of those that could be judged"
        );
    }

    #[test]
    fn much_contention_without_a_baseline_is_load() {
        let says = |count, cause| under_load(&slow(count, 20, cause)).is_some();
        assert!(says(4, Cause::NoisyNeighbour) && !says(3, Cause::NoisyNeighbour));
        assert!(!says(20, Cause::ColdCache));
        assert!(under_load(&judged(0, |_, _| {})).is_none());
    }

    #[test]
    fn what_is_said_of_verdicts_depends_on_where_normal_came_from() {
        let notes = |by_itself, normal: &[&str]| {
            let notes = Remarks {
                normal: normal.iter().map(|&n| n.to_owned()).collect(),
                by_itself,
                contrast: Some("contrast".to_owned()),
            };
            notes.with(&slow(12, 12, Cause::NoisyNeighbour)).len()
        };
        assert_eq!(notes(true, &[]), 3);
        assert_eq!(notes(true, &["told already"]), 3);
        assert_eq!(notes(false, &["a baseline"]), 1);
    }

    #[test]
    fn four_names_are_listed_and_the_rest_counted() {
        let names = |names: &[&'static str]| list("tool", names.iter().copied().collect());
        assert_eq!(names(&["", "b", "a"]).unwrap(), "tool a, b");
        assert_eq!(names(&["d", "b", "a", "c"]).unwrap(), "tool a, b, c, d");
        let six = names(&["d", "b", "a", "c", "f", "e"]).unwrap();
        assert_eq!(six, "tool a, b, c, d and 2 more");
        assert_eq!(names(&[""]), None);
    }
}
