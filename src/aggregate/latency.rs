//! How long things took: requests, first tokens, tokens after that, tools.

use hashbrown::HashMap;

use super::cost::{call_of, ops};
use crate::model::{Dataset, LlmCall};
use crate::stats::{Ordered, quantile_interval};
use crate::trace::{Forest, RootState, StepKind, StepOp};
use crate::units::{Nanos, Sym};

/// A quantile with its 95 % interval from order statistics, where the sample is large enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Estimate {
    /// The quantile (type 7).
    pub value: Nanos,
    /// Lower and upper end.
    pub interval: Option<(Nanos, Nanos)>,
}

/// Quantiles of one quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spread {
    /// How many were measured.
    pub n: u64,
    /// Median.
    pub p50: Estimate,
    /// 90th percentile.
    pub p90: Estimate,
    /// 95th percentile.
    pub p95: Estimate,
    /// 99th percentile.
    pub p99: Estimate,
    /// The longest.
    pub max: Nanos,
}

/// A spread and what it is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// Kind of task, or tool; empty where the dump does not name it.
    pub name: String,
    /// Its durations.
    pub spread: Spread,
}

/// Times of one model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelLatency {
    /// Model that answered, else the one asked for.
    pub model: String,
    /// Whole calls that answered.
    pub call: Spread,
    /// From the start of a call to its first token; `None` where no call shows it.
    pub first_token: Option<Spread>,
    /// Mean time per further token of a call; `None` where no call shows it.
    pub inter_token: Option<Spread>,
}

/// All latencies. Lists are in order of name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    /// Requests whose root is complete; `None` without any.
    pub requests: Option<Spread>,
    /// The same by kind of task.
    pub by_task: Vec<Named>,
    /// Models.
    pub models: Vec<ModelLatency>,
    /// Tools, retrievals and embeddings.
    pub tools: Vec<Named>,
}

#[derive(Default)]
struct ModelTimes {
    call: Vec<f64>,
    first_token: Vec<f64>,
    inter_token: Vec<f64>,
}

/// Collects and sorts all durations.
pub(super) fn summarise(data: &Dataset, forest: &Forest) -> Latency {
    let mut all = Vec::new();
    let mut tasks: ByName<Vec<f64>> = ByName::default();
    let mut tools: ByName<Vec<f64>> = ByName::default();
    let mut models: ByName<ModelTimes> = ByName::default();
    for request in &forest.requests {
        if request.root_state == RootState::Complete {
            let duration = request.duration().0 as f64;
            all.push(duration);
            tasks.entry(request.kind).or_default().push(duration);
        }
        for op in ops(forest, request) {
            match (op.kind, call_of(data, op)) {
                (StepKind::Model, Some(call)) => {
                    let times = models.entry(call.model()).or_default();
                    times.add(&call, op);
                }
                (StepKind::Tool, _) => {
                    let times = tools.entry(tool_of(data, op)).or_default();
                    times.push(op.window.len().0 as f64);
                }
                _ => {}
            }
        }
    }
    Latency {
        requests: spread(all),
        by_task: named(data, tasks),
        models: sorted(data, models)
            .into_iter()
            .filter_map(|(model, times)| times.finish(model))
            .collect(),
        tools: named(data, tools),
    }
}

impl ModelTimes {
    fn add(&mut self, call: &LlmCall, op: &StepOp) {
        let whole = op.window.len();
        self.call.push(whole.0 as f64);
        let first = call.first_token.map(|first| first.value);
        self.first_token.extend(first.map(|first| first.0 as f64));
        self.inter_token.extend(inter_token(call, whole));
    }

    fn finish(self, model: &str) -> Option<ModelLatency> {
        Some(ModelLatency {
            model: model.to_owned(),
            call: spread(self.call)?,
            first_token: spread(self.first_token),
            inter_token: spread(self.inter_token),
        })
    }
}

/// Mean time per token after the first, in nanoseconds, of a call that took `whole`; `None` where it does not show
/// when the first came or how many followed.
pub(crate) fn inter_token(call: &LlmCall, whole: Nanos) -> Option<f64> {
    let first = call.first_token.map(|first| first.value);
    let generation = match (call.decode, first) {
        (Some(decode), _) => decode.value,
        (None, Some(first)) if first < whole => whole - first,
        _ => return None,
    };
    let further = call.output?.value.saturating_sub(1);
    (further > 0).then(|| generation.0 as f64 / f64::from(further))
}

/// The tool of a tool operation; the span's name where the tool has none.
pub(super) fn tool_sym(data: &Dataset, op: &StepOp) -> Option<Sym> {
    let span = data.spans.get(op.span as usize)?;
    let tool = data.tool_of(span)?.tool;
    Some(tool.or(span.name))
}

/// The tool's name, else the span's.
pub(super) fn tool_of(data: &Dataset, op: &StepOp) -> Sym {
    let Some(span) = data.spans.get(op.span as usize) else {
        return Sym::NONE;
    };
    let tool = data.tool_of(span).map(|call| call.tool).unwrap_or_default();
    tool.or(span.name)
}

/// As [`tool_of`], as text.
pub(crate) fn tool_name<'a>(data: &'a Dataset, op: &StepOp) -> &'a str {
    data.text(tool_of(data, op))
}

type ByName<T> = HashMap<Sym, T, foldhash::fast::FixedState>;

/// In order of name.
fn sorted<T>(data: &Dataset, groups: ByName<T>) -> Vec<(&str, T)> {
    let groups = groups.into_iter();
    let mut groups: Vec<_> = groups.map(|(sym, t)| (data.text(sym), t)).collect();
    groups.sort_unstable_by_key(|(name, _)| *name);
    groups
}

fn named(data: &Dataset, groups: ByName<Vec<f64>>) -> Vec<Named> {
    let one = |(name, sample): (&str, Vec<f64>)| {
        Some(Named {
            name: name.to_owned(),
            spread: spread(sample)?,
        })
    };
    sorted(data, groups).into_iter().filter_map(one).collect()
}

fn spread(sample: Vec<f64>) -> Option<Spread> {
    let mut sample = Ordered::new(sample);
    let max = sample.at(sample.len().checked_sub(1)?)?;
    let nanos = |value: f64| Nanos(value.max(0.0).round() as u64);
    let mut estimate = |q| {
        let interval = quantile_interval(&mut sample, q, 0.95);
        Estimate {
            value: nanos(sample.quantile(q).unwrap_or(max)),
            interval: interval.map(|i| (nanos(i.low), nanos(i.high))),
        }
    };
    let [p50, p90, p95, p99] = [0.50, 0.90, 0.95, 0.99].map(&mut estimate);
    Some(Spread {
        n: sample.len() as u64,
        p50,
        p90,
        p95,
        p99,
        max: nanos(max),
    })
}
