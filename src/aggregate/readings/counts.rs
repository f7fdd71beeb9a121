//! What spans and events give: sums over all requests, `None` where nothing shows them.

use hashbrown::HashSet;

use crate::aggregate::cost::{Cost, call_of, ops};
use crate::aggregate::drift::Drift;
use crate::model::{Dataset, LlmCall};
use crate::stats::quantile;
use crate::trace::{Forest, Request, RootState, StepKind, StepOp};
use crate::units::{Nanos, Usd, Window};

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
}

/// Sums over all requests.
#[derive(Default)]
pub(in crate::aggregate) struct Counts {
    seconds: f64,
    pub(super) requests: Option<f64>,
    ended: Option<f64>,
    failed: Option<f64>,
    pub(super) durations: Sample,
    /// Mean number of requests that ran at once.
    pub(super) in_progress: Option<f64>,
    pub(super) calls: Option<f64>,
    pub(super) failed_calls: Option<f64>,
    pub(super) input_tokens: Option<f64>,
    cached_tokens: Option<f64>,
    /// Prompt tokens of calls that show cached ones.
    cacheable: f64,
    pub(super) output_tokens: Option<f64>,
    pub(super) call_times: Sample,
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

fn add(sum: &mut Option<f64>, by: f64) {
    *sum.get_or_insert(0.0) += by;
}

impl Counts {
    /// Counts what spans and events show.
    pub(in crate::aggregate) fn of(data: &Dataset, forest: &Forest) -> Self {
        let window = forest.window();
        let mut counts = Self {
            seconds: window.len().as_secs(),
            ..Self::default()
        };
        let mut running = Nanos::ZERO;
        let mut serving = Nanos::ZERO;
        let mut replicas = HashSet::new();
        for request in &forest.requests {
            counts.request(data, request);
            running += request.wall.len();
            let mut rounds = 0.0;
            for op in ops(forest, request) {
                counts.tool(data, op);
                let Some(call) = call_of(data, op) else {
                    continue;
                };
                if !matches!(op.kind, StepKind::Model | StepKind::Failed) {
                    continue;
                }
                rounds += f64::from(u8::from(op.kind == StepKind::Model));
                counts.call(&call, op);
                if let Some(engine) = data.spans.get(call.engine as usize) {
                    add(&mut counts.engine_calls, 1.0);
                    serving += engine.duration();
                    let instance = data.resource_of(engine);
                    replicas.insert((instance.service, instance.instance, instance.pod));
                }
            }
            if rounds > 0.0 {
                counts.rounds.0.push(rounds);
                add(&mut counts.retries, f64::from(request.retries));
            }
        }
        let mean = |time: Nanos| time.as_secs() / counts.seconds;
        counts.in_progress = counts.requests.map(|_| mean(running));
        counts.engine_running = counts.engine_calls.map(|_| mean(serving));
        counts.replicas = (!replicas.is_empty()).then_some(replicas.len() as f64);
        counts.sessions = sessions(forest, window);
        counts.restarts = restarts(data);
        for sample in [
            &mut counts.durations,
            &mut counts.call_times,
            &mut counts.first_tokens,
        ] {
            sample.sort();
        }
        counts
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

    fn request(&mut self, data: &Dataset, request: &Request) {
        add(&mut self.requests, 1.0);
        if request.root_state == RootState::Complete {
            let failed = data
                .spans
                .get(request.root as usize)
                .is_some_and(|s| s.failed());
            add(&mut self.ended, 1.0);
            add(&mut self.failed, f64::from(u8::from(failed)));
            self.durations.time(request.duration());
        }
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
        self.call_times.time(op.window.len());
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
