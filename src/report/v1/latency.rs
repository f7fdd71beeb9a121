//! `latency`.

use serde::Serialize;

use crate::aggregate::{self, Estimate, ModelLatency, Named};
use crate::units::Nanos;

/// How long things took.
#[derive(Serialize)]
pub(super) struct Latency<'a> {
    requests: Option<Spread>,
    tasks: Vec<NamedSpread<'a>>,
    models: Vec<Model<'a>>,
    tools: Vec<NamedSpread<'a>>,
}

/// Quantiles of one quantity.
#[derive(Serialize)]
struct Spread {
    n: u64,
    p50_ms: f64,
    p90_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    intervals_ms: Intervals,
}

/// 95 % intervals of the quantiles; null where the sample is too small for one.
#[derive(Serialize)]
struct Intervals {
    p50: Option<(f64, f64)>,
    p90: Option<(f64, f64)>,
    p95: Option<(f64, f64)>,
    p99: Option<(f64, f64)>,
}

/// A spread and what it is of.
#[derive(Serialize)]
struct NamedSpread<'a> {
    name: Option<&'a str>,
    #[serde(flatten)]
    spread: Spread,
}

/// Times of one model; null where no call shows them.
#[derive(Serialize)]
struct Model<'a> {
    model: Option<&'a str>,
    call: Spread,
    first_token: Option<Spread>,
    inter_token: Option<Spread>,
}

impl<'a> From<&'a aggregate::Latency> for Latency<'a> {
    fn from(latency: &'a aggregate::Latency) -> Self {
        Self {
            requests: latency.requests.as_ref().map(Spread::from),
            tasks: latency.by_task.iter().map(NamedSpread::from).collect(),
            models: latency.models.iter().map(Model::from).collect(),
            tools: latency.tools.iter().map(NamedSpread::from).collect(),
        }
    }
}

impl From<&aggregate::Spread> for Spread {
    fn from(spread: &aggregate::Spread) -> Self {
        let value = |estimate: &Estimate| estimate.value.as_millis();
        Self {
            n: spread.n,
            p50_ms: value(&spread.p50),
            p90_ms: value(&spread.p90),
            p95_ms: value(&spread.p95),
            p99_ms: value(&spread.p99),
            max_ms: spread.max.as_millis(),
            intervals_ms: Intervals {
                p50: interval(&spread.p50),
                p90: interval(&spread.p90),
                p95: interval(&spread.p95),
                p99: interval(&spread.p99),
            },
        }
    }
}

fn interval(estimate: &Estimate) -> Option<(f64, f64)> {
    let millis = |(low, high): (Nanos, Nanos)| (low.as_millis(), high.as_millis());
    estimate.interval.map(millis)
}

impl<'a> From<&'a Named> for NamedSpread<'a> {
    fn from(named: &'a Named) -> Self {
        Self {
            name: known(&named.name),
            spread: (&named.spread).into(),
        }
    }
}

impl<'a> From<&'a ModelLatency> for Model<'a> {
    fn from(model: &'a ModelLatency) -> Self {
        Self {
            model: known(&model.model),
            call: (&model.call).into(),
            first_token: model.first_token.as_ref().map(Spread::from),
            inter_token: model.inter_token.as_ref().map(Spread::from),
        }
    }
}

fn known(name: &str) -> Option<&str> {
    (!name.is_empty()).then_some(name)
}
