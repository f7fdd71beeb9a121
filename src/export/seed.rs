//! The metrics `agent_*` that an instrumented agent exports, from its spans.

use hashbrown::HashMap;

use super::family::{Family, Kind};
use crate::aggregate::{PricedCall, tool_called};
use crate::model::{Dataset, Op};
use crate::trace::{Forest, Request, RootState, StepKind, StepOp};
use crate::units::{Nanos, Sym, Window};

/// Upper bounds of request durations as commonly instrumented, of model calls, and of steps.
const REQUEST_BOUNDS: &[f64] = &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0];
const CALL_BOUNDS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0,
];
const STEP_BOUNDS: &[f64] = &[1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0];

struct Metrics<'a> {
    data: &'a Dataset,
    requests: Family,
    in_progress: Family,
    durations: Family,
    idle: Family,
    tokens: Family,
    prompts: Family,
    latency: Family,
    first_token: Family,
    calls: Family,
    tools: Family,
    tool_times: Family,
    steps: Family,
    recoveries: Family,
    completion: Family,
    cost: Family,
    sessions: Family,
}

/// All metrics that the spans give, by name; those without a series are left out.
#[must_use]
pub fn families(data: &Dataset, forest: &Forest, priced: &[PricedCall]) -> Vec<Family> {
    families_of(data, forest, priced, |_| true)
}

/// The same of some requests, by their index.
#[must_use]
pub fn families_of(
    data: &Dataset,
    forest: &Forest,
    priced: &[PricedCall],
    keep: impl Fn(u32) -> bool,
) -> Vec<Family> {
    let mut metrics = Metrics::new(data);
    let mut sessions: HashMap<Sym, Window> = HashMap::new();
    let mut priced = priced.iter().peekable();
    let requests = forest.requests.iter().zip(0..);
    for (request, _) in requests.filter(|(_, index)| keep(*index)) {
        let agent = agent(data, forest, request);
        metrics.request(request, agent);
        let mut steps = 0;
        for at in request.ops.clone() {
            let Some(op) = forest.ops.get(at as usize) else {
                continue;
            };
            while priced.next_if(|call| call.op < at).is_some() {}
            let cost = priced
                .peek()
                .filter(|call| call.op == at)
                .and_then(|call| call.cost);
            if let Some(cost) = cost {
                let model = data
                    .spans
                    .get(op.span as usize)
                    .and_then(|s| data.llm_of(s));
                let model = model.map_or("", |call| data.text(call.model()));
                let labels = [("agent_id", agent), ("model", model)];
                metrics.cost.add(&labels, op.window.end, cost.as_dollars());
            }
            metrics.op(op, agent);
            steps += u32::from(op.kind == StepKind::Model);
        }
        metrics.ended(request, agent, steps);
        if !request.conversation.is_none() {
            let open = sessions.entry(request.conversation).or_insert(request.wall);
            open.start = open.start.min(request.wall.start);
            open.end = open.end.max(request.wall.end);
        }
    }
    metrics.tasks_of_cost(forest);
    for open in sessions.into_values() {
        metrics.sessions.add(&[], open.start, 1.0);
        metrics.sessions.add(&[], open.end, -1.0);
    }
    metrics.finish()
}

/// Who ran a request: the agent at its root, else its service.
fn agent<'d>(data: &'d Dataset, forest: &Forest, request: &Request) -> &'d str {
    let lane = forest.lanes.get(request.lanes.start as usize);
    let lane = lane.map_or(Sym::NONE, |lane| lane.agent);
    data.text(request.agent.or(lane).or(request.service))
}

impl<'a> Metrics<'a> {
    fn new(data: &'a Dataset) -> Self {
        let counter = |name, help| Family::new(name, Kind::Counter, help);
        let level = |name, help| Family::new(name, Kind::Level, help);
        let ratio = |name, help| Family::new(name, Kind::Ratio, help);
        let histogram = |name, bounds, help| Family::new(name, Kind::Histogram(bounds), help);
        Self {
            data,
            requests: counter("agent_requests_total", "Requests that ended."),
            in_progress: level("agent_requests_in_progress", "Requests that run."),
            durations: histogram(
                "agent_request_duration_seconds",
                REQUEST_BOUNDS,
                "Wall time of requests that ended.",
            ),
            idle: histogram(
                "agent_request_idle_seconds",
                CALL_BOUNDS,
                "Time of requests that ended in which neither a model nor a tool was at work for them.",
            ),
            tokens: counter("agent_tokens_consumed_total", "Tokens of model calls."),
            prompts: counter(
                "agent_prompt_cache_tokens_total",
                "Prompt tokens of model calls that say how many a cache held.",
            ),
            latency: histogram(
                "agent_model_latency_seconds",
                CALL_BOUNDS,
                "Time of model calls that answered.",
            ),
            first_token: histogram(
                "agent_model_first_token_seconds",
                CALL_BOUNDS,
                "Time to the first token.",
            ),
            calls: counter(
                "agent_llm_calls_total",
                "Model calls that ended, failed attempts included.",
            ),
            tools: counter("agent_tool_calls_total", "Tool calls that ended."),
            tool_times: histogram(
                "agent_tool_duration_seconds",
                CALL_BOUNDS,
                "Time of tool calls.",
            ),
            steps: histogram(
                "agent_reasoning_steps",
                STEP_BOUNDS,
                "Model rounds of requests that ended.",
            ),
            recoveries: counter(
                "agent_recovery_attempts_total",
                "Failed model attempts, hidden resends and repeated tool calls.",
            ),
            completion: ratio(
                "agent_task_completion_rate",
                "Requests that ended well, of all that ended so far.",
            ),
            cost: ratio(
                "agent_cost_per_task_usd",
                "Cost of model calls per request that ended so far.",
            ),
            sessions: level(
                "agent_active_sessions",
                "Conversations between their first and their last request.",
            ),
        }
    }

    fn request(&mut self, request: &Request, agent: &str) {
        let labels = [("agent_id", agent)];
        self.in_progress.add(&labels, request.wall.start, 1.0);
        self.in_progress.add(&labels, request.wall.end, -1.0);
        if request.retries > 0 {
            let labels = [("agent_id", agent), ("recovery_strategy", "retry")];
            self.recoveries
                .add(&labels, request.wall.end, f64::from(request.retries));
        }
    }

    /// What only a request with an end says.
    fn ended(&mut self, request: &Request, agent: &str, steps: u32) {
        if request.root_state != RootState::Complete {
            return;
        }
        let end = request.wall.end;
        let failed = self
            .data
            .spans
            .get(request.root as usize)
            .is_some_and(|s| s.failed());
        by_status(&mut self.requests, &[("agent_id", agent)], failed, end);
        self.durations
            .add(&[("agent_id", agent)], end, request.duration().as_secs());
        let idle = request.parts.gap.as_secs();
        self.idle.add(&[("agent_id", agent)], end, idle);
        let task = [
            ("agent_id", agent),
            ("task_type", self.data.text(request.kind)),
        ];
        self.completion
            .add(&task, end, f64::from(u8::from(!failed)));
        self.completion.could(&task, end, 1.0);
        if steps > 0 {
            self.steps
                .add(&[("agent_id", agent)], end, f64::from(steps));
        }
    }

    fn op(&mut self, op: &StepOp, agent: &str) {
        let data = self.data;
        let span = data.spans.get(op.span as usize);
        let Some(span) = span.filter(|span| !span.is_open()) else {
            return;
        };
        let end = op.window.end;
        if let (StepKind::Tool, Some((tool, failed))) = (op.kind, tool_called(data, op)) {
            let labels = [("agent_id", agent), ("tool_name", tool)];
            by_status(&mut self.tools, &labels, failed, end);
            self.tool_times.add(&labels, end, op.window.len().as_secs());
        }
        let Some(call) = data.llm_of(span).filter(|_| span.op == Op::Llm) else {
            return;
        };
        let labels = [("agent_id", agent), ("model", data.text(call.model()))];
        for (direction, tokens) in [("input", call.input), ("output", call.output)] {
            if let Some(tokens) = tokens {
                let labels = [&labels[..], &[("direction", direction)]].concat();
                self.tokens.add(&labels, end, f64::from(tokens.value));
            }
        }
        if let (Some(tokens), Some(cached)) = (call.input, call.cached) {
            let missed = tokens.value.saturating_sub(cached.value);
            for (result, tokens) in [("hit", cached.value), ("miss", missed)] {
                let labels = [&labels[..], &[("result", result)]].concat();
                self.prompts.add(&labels, end, f64::from(tokens));
            }
        }
        by_status(&mut self.calls, &labels, op.kind == StepKind::Failed, end);
        if op.kind == StepKind::Model {
            self.latency.add(&labels, end, op.window.len().as_secs());
            if let Some(first) = call.first_token {
                self.first_token.add(&labels, end, first.value.as_secs());
            }
        }
    }

    /// The requests that the cost of each agent and model is divided by.
    fn tasks_of_cost(&mut self, forest: &Forest) {
        let mut ends: HashMap<&str, Vec<Nanos>> = HashMap::new();
        for request in forest
            .requests
            .iter()
            .filter(|r| r.root_state == RootState::Complete)
        {
            let of = ends.entry(agent(self.data, forest, request)).or_default();
            of.push(request.wall.end);
        }
        for (labels, series) in &mut self.cost.series {
            let agent = labels.first().map_or("", |(_, agent)| agent);
            let ends = ends.get(agent).into_iter().flatten();
            series.whole = ends.map(|end| (*end, 1.0)).collect();
        }
    }

    fn finish(self) -> Vec<Family> {
        let mut all = vec![
            self.requests,
            self.in_progress,
            self.durations,
            self.idle,
            self.tokens,
            self.prompts,
            self.latency,
            self.first_token,
            self.calls,
            self.tools,
            self.tool_times,
            self.steps,
            self.recoveries,
            self.completion,
            self.cost,
            self.sessions,
        ];
        all.retain(|family| !family.series.is_empty());
        all.sort_by_key(|family| family.name);
        all.iter_mut().for_each(Family::sort);
        all
    }
}

/// Both statuses grow from zero: a counter of one is worth nothing without the other.
fn by_status(family: &mut Family, labels: &[(&'static str, &str)], failed: bool, at: Nanos) {
    for (status, hit) in [("failure", failed), ("success", !failed)] {
        let labels = [labels, &[("status", status)]].concat();
        family.add(&labels, at, f64::from(u8::from(hit)));
    }
}
