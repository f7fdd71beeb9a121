//! How long the calls of a request took, beside what a healthy period takes for the same work. Nothing is explained
//! here and nothing is too small to count: it is for means over many requests.

use super::{Calls, Healthy, Measured, Norms};
use crate::model::Dataset;
use crate::stats::Histogram;
use crate::trace::{Forest, StepKind};

/// Milliseconds of the calls of one request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Work {
    /// As they took.
    pub observed: f64,
    /// As a healthy period takes for the same models, tokens and tools.
    pub expected: f64,
}

/// The work of every request, in the order of [`Forest::requests`]; absent where `norms` know none of its calls. Calls
/// that they do not know are in neither number.
#[must_use]
pub fn work(dataset: &Dataset, forest: &Forest, norms: &Norms) -> Vec<Option<Work>> {
    let measured = Measured::collect(dataset, forest);
    let healthy = Healthy::fit(norms, dataset, &measured);
    let level = level(&healthy);
    let tools = measured.tools.names().iter();
    let tools: Vec<Option<f64>> = tools
        .map(|tool| mean(norms.tools.get(dataset.text(*tool))?))
        .collect();
    let one = |index: u32| {
        let op = forest.ops.get(index as usize)?;
        let expected = match op.kind {
            StepKind::Model => {
                let (_, call) = measured.calls.of(index)?;
                level? * healthy.base.prices.expect(&measured.calls, call)?.total()
            }
            StepKind::Tool => tools
                .get(measured.tools.number(index)? as usize)
                .copied()??,
            _ => return None,
        };
        let observed = op.window.len().as_millis();
        Some(Work { observed, expected })
    };
    let requests = forest.requests.iter();
    requests
        .map(|request| {
            let known = request.ops.clone().filter_map(one);
            known.reduce(|sum, one| Work {
                observed: sum.observed + one.observed,
                expected: sum.expected + one.expected,
            })
        })
        .map(|work| work.filter(|work| work.expected > 0.0))
        .collect()
}

/// What the calls of the healthy period took in all, over what its prices say: prices lie at the low side of what is
/// healthy. Absent where prices cannot be used.
fn level(healthy: &Healthy) -> Option<f64> {
    if healthy.lacks_signals {
        return None;
    }
    let calls: &Calls = &healthy.calls;
    let kept = healthy.kept.iter().map(|index| calls.get(*index));
    let (took, priced) = kept.fold((0.0, 0.0), |(took, priced), call| {
        match healthy.base.prices.expect(calls, call) {
            Some(expected) => (took + call.total(), priced + expected.total()),
            None => (took, priced),
        }
    });
    (priced > 0.0).then(|| took / priced)
}

fn mean(times: &Histogram) -> Option<f64> {
    let sample = times.sample(4096);
    (!sample.is_empty()).then(|| sample.iter().sum::<f64>() / sample.len() as f64 / 1e6)
}
