//! What spans and events give: sums over all requests, `None` where nothing shows them.

use hashbrown::HashSet;
use rayon::prelude::*;

use crate::aggregate::cost::{Cost, call_of, ops};
use crate::aggregate::drift::Drift;
use crate::model::{Dataset, LlmCall};
use crate::stats::{Ordered, quantile};
use crate::trace::{Forest, Request, RootState, StepKind, StepOp};
use crate::units::{Nanos, Sym, Usd, Window, lengthen};

/// Numbers of one kind, in seconds or as counts.
#[derive(Default)]
pub(super) struct Sample(Vec<f64>);

impl Sample {
    fn time(&mut self, time: Nanos) {
        self.0.push(time.as_secs());
    }

    fn sort(&mut self) {
        self.0.sort_unstable_by(f64::total_cmp);
    }

    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        quantile(&self.0, q)
    }

    pub(super) fn mean(&self) -> Option<f64> {
        let n = self.0.len() as f64;
        (n > 0.0).then(|| self.0.iter().sum::<f64>() / n)
    }

    fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    /// Those of requests that come after these.
    fn append(&mut self, more: Self) {
        lengthen(&mut self.0, more.0);
    }
}

/// Quantiles of a sample of which nothing else is asked.
#[derive(Default)]
pub(super) struct Quantiles {
    pub(super) p50: Option<f64>,
    pub(super) p95: Option<f64>,
    pub(super) p99: Option<f64>,
}

impl Quantiles {
    fn of(sample: Sample) -> Self {
        let mut sample = Ordered::new(sample.0);
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| sample.quantile(q));
        Self { p50, p95, p99 }
    }
}

/// Sums over all requests.
#[derive(Default)]
pub(in crate::aggregate) struct Counts {
    seconds: f64,
    pub(super) requests: Option<f64>,
    ended: Option<f64>,
    failed: Option<f64>,
    pub(super) durations: Quantiles,
    /// Mean number of requests that ran at once.
    pub(super) in_progress: Option<f64>,
    pub(super) calls: Option<f64>,
    pub(super) failed_calls: Option<f64>,
    pub(super) input_tokens: Option<f64>,
    cached_tokens: Option<f64>,
    /// Prompt tokens of calls that show cached ones.
    cacheable: f64,
    pub(super) output_tokens: Option<f64>,
    pub(super) call_times: Quantiles,
    pub(super) first_tokens: Sample,
    pub(super) queues: Sample,
    pub(super) prefills: Sample,
    pub(super) generations: Sample,
    /// Tokens after the first of the calls in `generations`.
    generated: f64,
    pub(super) engine_calls: Option<f64>,
    pub(super) engine_running: Option<f64>,
    pub(super) rounds: Sample,
    pub(super) tools: Option<f64>,
    pub(super) failed_tools: Option<f64>,
    pub(super) retries: Option<f64>,
    pub(super) divergence: Option<f64>,
    pub(super) cost_per_task: Option<f64>,
    /// Mean number of conversations that were open at once.
    pub(super) sessions: Option<f64>,
    pub(super) restarts: Option<f64>,
    /// Serving instances that answered.
    pub(super) replicas: Option<f64>,
}

/// What some requests show.
#[derive(Default)]
struct Seen {
    counts: Counts,
    durations: Sample,
    call_times: Sample,
    /// Times of all requests, and of all calls at serving instances, added up.
    running: Nanos,
    serving: Nanos,
    replicas: HashSet<(Sym, Sym, Sym)>,
}

/// Requests that one task looks at.
const REQUESTS: usize = 1 << 13;

impl Seen {
    fn of(data: &Dataset, forest: &Forest, requests: &[Request]) -> Self {
        let mut seen = Self::default();
        for request in requests {
            seen.request(data, forest, request);
        }
        seen
    }

    /// With what requests that come after these show.
    fn followed_by(mut self, other: Self) -> Self {
        self.durations.append(other.durations);
        self.call_times.append(other.call_times);
        self.replicas.extend(other.replicas);
        Self {
            counts: self.counts.followed_by(other.counts),
            running: self.running + other.running,
            serving: self.serving + other.serving,
            ..self
        }
    }

    fn request(&mut self, data: &Dataset, forest: &Forest, request: &Request) {
        self.root(data, request);
        self.running += request.wall.len();
        let mut rounds = 0.0;
        for op in ops(forest, request) {
            self.counts.tool(data, op);
            let Some(call) = call_of(data, op) else {
                continue;
            };
            if !matches!(op.kind, StepKind::Model | StepKind::Failed) {
                continue;
            }
            if op.kind == StepKind::Model {
                rounds += 1.0;
                self.call_times.time(op.window.len());
            }
            self.counts.call(&call, op);
            if let Some(engine) = data.spans.get(call.engine as usize) {
                add(&mut self.counts.engine_calls, 1.0);
                self.serving += engine.duration();
                let instance = data.resource_of(engine);
                let server = (instance.service, instance.instance, instance.pod);
                self.replicas.insert(server);
            }
        }
        if rounds > 0.0 {
            self.counts.rounds.0.push(rounds);
            add(&mut self.counts.retries, f64::from(request.retries));
        }
    }

    fn root(&mut self, data: &Dataset, request: &Request) {
        add(&mut self.counts.requests, 1.0);
        if request.root_state == RootState::Complete {
            let root = data.spans.get(request.root as usize);
            let failed = root.is_some_and(|root| root.failed());
            add(&mut self.counts.ended, 1.0);
            add(&mut self.counts.failed, f64::from(u8::from(failed)));
            self.durations.time(request.duration());
        }
    }
}

fn add(sum: &mut Option<f64>, by: f64) {
    *sum.get_or_insert(0.0) += by;
}

impl Counts {
    /// Counts what spans and events show.
    pub(in crate::aggregate) fn of(data: &Dataset, forest: &Forest) -> Self {
        let window = forest.window();
        let requests = forest.requests.par_chunks(REQUESTS);
        let seen = requests.map(|requests| Seen::of(data, forest, requests));
        let Seen {
            mut counts,
            durations,
            call_times,
            running,
            serving,
            replicas,
        } = seen.reduce(Seen::default, Seen::followed_by);
        counts.seconds = window.len().as_secs();
        let mean = |time: Nanos| time.as_secs() / counts.seconds;
        counts.in_progress = counts.requests.map(|_| mean(running));
        counts.engine_running = counts.engine_calls.map(|_| mean(serving));
        counts.replicas = (!replicas.is_empty()).then_some(replicas.len() as f64);
        counts.sessions = sessions(forest, window);
        counts.restarts = restarts(data);
        let first_tokens = &mut counts.first_tokens;
        let (quantiles, ()) = rayon::join(
            || (Quantiles::of(durations), Quantiles::of(call_times)),
            || first_tokens.sort(),
        );
        (counts.durations, counts.call_times) = quantiles;
        counts
    }

    /// With the counts of requests that come after these.
    fn followed_by(mut self, other: Self) -> Self {
        for (sum, by) in [
            (&mut self.requests, other.requests),
            (&mut self.ended, other.ended),
            (&mut self.failed, other.failed),
            (&mut self.calls, other.calls),
            (&mut self.failed_calls, other.failed_calls),
            (&mut self.input_tokens, other.input_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
            (&mut self.output_tokens, other.output_tokens),
            (&mut self.engine_calls, other.engine_calls),
            (&mut self.tools, other.tools),
            (&mut self.failed_tools, other.failed_tools),
            (&mut self.retries, other.retries),
        ] {
            by.into_iter().for_each(|by| add(sum, by));
        }
        self.cacheable += other.cacheable;
        self.generated += other.generated;
        for (own, more) in [
            (&mut self.first_tokens, other.first_tokens),
            (&mut self.queues, other.queues),
            (&mut self.prefills, other.prefills),
            (&mut self.generations, other.generations),
            (&mut self.rounds, other.rounds),
        ] {
            own.append(more);
        }
        self
    }

    /// With what was computed beside them.
    pub(super) fn with(mut self, cost: &Cost, drift: &Drift) -> Self {
        let whole = cost.total.priced.share() == Some(1.0);
        let priced = cost.total.cost.filter(|_| whole);
        let each = priced.map(Usd::as_dollars).zip(self.requests);
        self.cost_per_task = each.map(|(cost, requests)| cost / requests);
        self.divergence = drift.divergence;
        self
    }

    fn tool(&mut self, data: &Dataset, op: &StepOp) {
        let span = data.spans.get(op.span as usize);
        let Some((span, tool)) = span.and_then(|span| Some((span, data.tool_of(span)?))) else {
            return;
        };
        if op.kind == StepKind::Tool {
            let failed = span.failed() || tool.said_failed;
            add(&mut self.tools, 1.0);
            add(&mut self.failed_tools, f64::from(u8::from(failed)));
        }
    }

    fn call(&mut self, call: &LlmCall, op: &StepOp) {
        add(&mut self.calls, 1.0);
        let failed = op.kind == StepKind::Failed;
        add(&mut self.failed_calls, f64::from(u8::from(failed)));
        let count = |known: Option<crate::model::Known<u32>>| known.map(|k| f64::from(k.value));
        for (sum, value) in [
            (&mut self.input_tokens, count(call.input)),
            (&mut self.output_tokens, count(call.output)),
            (&mut self.cached_tokens, count(call.cached)),
        ] {
            value.into_iter().for_each(|value| add(sum, value));
        }
        if call.cached.is_some() {
            self.cacheable += count(call.input).unwrap_or(0.0);
        }
        if failed {
            return;
        }
        for (sample, time) in [
            (&mut self.first_tokens, call.first_token),
            (&mut self.queues, call.queue),
            (&mut self.prefills, call.prefill),
        ] {
            time.into_iter().for_each(|time| sample.time(time.value));
        }
        let after_first = call
            .first_token
            .map(|first| op.window.len().since(first.value));
        if let Some(time) = call.decode.map(|decode| decode.value).or(after_first) {
            self.generations.time(time);
            self.generated += count(call.output).map_or(0.0, |n| (n - 1.0).max(0.0));
        }
    }

    pub(super) fn per_second(&self, count: Option<f64>) -> Option<f64> {
        count
            .filter(|_| self.seconds > 0.0)
            .map(|n| n / self.seconds)
    }

    pub(super) fn share(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
        let whole = whole.filter(|n| *n > 0.0)?;
        Some(part? / whole)
    }

    pub(super) fn failed_share(&self) -> Option<f64> {
        Self::share(self.failed, self.ended)
    }

    pub(super) fn completed_share(&self) -> Option<f64> {
        self.failed_share().map(|failed| 1.0 - failed)
    }

    pub(super) fn cached_share(&self) -> Option<f64> {
        Self::share(self.cached_tokens, Some(self.cacheable))
    }

    pub(super) fn tokens_per_request(&self) -> Option<f64> {
        let tokens = self.input_tokens? + self.output_tokens.unwrap_or(0.0);
        Self::share(Some(tokens), self.requests)
    }

    pub(super) fn inter_token(&self) -> Option<f64> {
        (self.generated > 0.0).then(|| self.generations.sum() / self.generated)
    }
}

/// Conversations are open from their first request to their last.
fn sessions(forest: &Forest, window: Window) -> Option<f64> {
    let mut open: hashbrown::HashMap<_, Window> = hashbrown::HashMap::new();
    for request in forest.requests.iter().filter(|r| !r.conversation.is_none()) {
        let of = open.entry(request.conversation).or_insert(request.wall);
        of.start = of.start.min(request.wall.start);
        of.end = of.end.max(request.wall.end);
    }
    let total: Nanos = open.values().map(|window| window.len()).sum();
    let seconds = window.len().as_secs();
    (!open.is_empty() && seconds > 0.0).then(|| total.as_secs() / seconds)
}

/// Containers that Kubernetes says it started again or killed; `None` where the dump has no events.
fn restarts(data: &Dataset) -> Option<f64> {
    let restarted = ["BackOff", "Killing", "OOMKilling"];
    let of = data
        .events
        .iter()
        .filter(|e| restarted.contains(&data.text(e.reason)));
    let count: f64 = of.map(|event| f64::from(event.count)).sum();
    (!data.events.is_empty()).then_some(count)
}
