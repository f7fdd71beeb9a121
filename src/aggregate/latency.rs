//! How long things took: requests, first tokens, tokens after that, tools.

use hashbrown::HashMap;
use rayon::prelude::*;

use super::cost::{call_of, ops};
use crate::model::{Dataset, LlmCall};
use crate::stats::{Ordered, quantile_interval};
use crate::trace::{Forest, Request, RootState, StepKind, StepOp};
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

/// Durations of some requests and of what they did.
#[derive(Default)]
struct Times {
    all: Vec<f64>,
    tasks: ByName<Vec<f64>>,
    tools: ByName<Vec<f64>>,
    models: ByName<ModelTimes>,
}

/// Requests that one task looks at.
const REQUESTS: usize = 1 << 13;

/// Collects and sorts all durations.
pub(super) fn summarise(data: &Dataset, forest: &Forest) -> Latency {
    let requests = forest.requests.par_chunks(REQUESTS);
    let times = requests.map(|requests| Times::of(data, forest, requests));
    let Times {
        all,
        tasks,
        tools,
        models,
    } = times.reduce(Times::default, Times::with);
    let ((requests, by_task), (models, tools)) = rayon::join(
        || (spread(all), named(data, tasks)),
        || {
            rayon::join(
                || {
                    let models = sorted(data, models).into_iter();
                    let times = models.filter_map(|(model, times)| times.finish(model));
                    times.collect()
                },
                || named(data, tools),
            )
        },
    );
    Latency {
        requests,
        by_task,
        models,
        tools,
    }
}

impl Times {
    fn of(data: &Dataset, forest: &Forest, requests: &[Request]) -> Self {
        let mut times = Self::default();
        for request in requests {
            if request.root_state == RootState::Complete {
                let duration = request.duration().0 as f64;
                times.all.push(duration);
                let of_task = times.tasks.entry(request.kind).or_default();
                of_task.push(duration);
            }
            for op in ops(forest, request) {
                match (op.kind, call_of(data, op)) {
                    (StepKind::Model, Some(call)) => {
                        let of_model = times.models.entry(call.model()).or_default();
                        of_model.add(&call, op);
                    }
                    (StepKind::Tool, _) => {
                        let of_tool = times.tools.entry(tool_of(data, op)).or_default();
                        of_tool.push(op.window.len().0 as f64);
                    }
                    _ => {}
                }
            }
        }
        times
    }

    /// With those of other requests.
    fn with(mut self, other: Self) -> Self {
        append(&mut self.all, other.all);
        for (task, times) in other.tasks {
            append(self.tasks.entry(task).or_default(), times);
        }
        for (tool, times) in other.tools {
            append(self.tools.entry(tool).or_default(), times);
        }
        for (model, times) in other.models {
            let own = self.models.entry(model).or_default();
            append(&mut own.call, times.call);
            append(&mut own.first_token, times.first_token);
            append(&mut own.inter_token, times.inter_token);
        }
        self
    }
}

fn append(own: &mut Vec<f64>, more: Vec<f64>) {
    match own.is_empty() {
        true => *own = more,
        false => own.extend(more),
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
