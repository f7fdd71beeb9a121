//! Samples drawn from a dump.

use std::collections::BTreeMap;

use super::{Condition, Per, Quantity, Scope};
use crate::aggregate::{self, RequestCost};
use crate::baseline::Work;
use crate::diagnose::Diagnosis;
use crate::model::{Dataset, LlmCall};
use crate::stats::Unit;
use crate::trace::{Forest, Part, Request, RootState, StepKind, StepOp};
use crate::units::{Nanos, Usd};

/// The requests of a dump with what was found out about them.
#[derive(Clone)]
pub struct Source<'a> {
    /// What was read.
    pub data: &'a Dataset,
    /// Its requests.
    pub forest: &'a Forest,
    diagnoses: &'a [Diagnosis],
    costs: &'a [RequestCost],
    /// Indices of the requests; one may stand there more than once.
    picked: Vec<u32>,
    /// What a baseline takes for the same work; empty without one.
    work: &'a [Option<Work>],
}

/// What was shown of a quantity or condition.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// By kind of task; of tool calls by tool. The cluster of a unit is the place of its request.
    pub strata: BTreeMap<String, Vec<Unit>>,
    /// How many requests, calls or tokens could have shown it.
    pub of: u64,
}

impl Sample {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.strata.values().map(|units| units.len() as u64).sum()
    }

    /// True when nothing shows it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.strata.is_empty()
    }

    /// True when every value is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.strata.values().flatten().all(|unit| unit.part == 0.0)
    }

    /// The sum of all values.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.strata.values().flatten().map(|unit| unit.part).sum()
    }

    /// All of them, in order of their requests.
    #[must_use]
    pub fn units(&self) -> Vec<Unit> {
        let mut all: Vec<Unit> = self.strata.values().flatten().copied().collect();
        all.sort_by_key(|unit| unit.cluster);
        all
    }

    /// Another one, which shows it where `unit` is there.
    pub(super) fn take(&mut self, stratum: &str, unit: Option<Unit>) {
        self.of += 1;
        if let Some(unit) = unit {
            match self.strata.get_mut(stratum) {
                Some(units) => units.push(unit),
                None => {
                    self.strata.insert(stratum.to_owned(), vec![unit]);
                }
            }
        }
    }
}

impl<'a> Source<'a> {
    /// All requests of a dump; `diagnoses`, `costs` and `work` are in the order of [`Forest::requests`], and `work` is
    /// empty where there is no baseline.
    #[must_use]
    pub fn new(
        (data, forest): (&'a Dataset, &'a Forest),
        diagnoses: &'a [Diagnosis],
        costs: &'a [RequestCost],
        work: &'a [Option<Work>],
    ) -> Self {
        Self {
            data,
            forest,
            diagnoses,
            costs,
            picked: (0..forest.requests.len() as u32).collect(),
            work,
        }
    }

    /// The same with other requests, by index and as often as they are named.
    #[must_use]
    pub fn with(&self, picked: Vec<u32>) -> Self {
        Self {
            picked,
            ..self.clone()
        }
    }

    /// Those that fit.
    #[must_use]
    pub fn within(&self, scope: &Scope) -> Self {
        let picked = self.fitting(scope).map(|(_, index)| index).collect();
        self.with(picked)
    }

    /// How many requests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.picked.len()
    }

    /// True without a request.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.picked.is_empty()
    }

    /// The request that a unit came from, and its account.
    #[must_use]
    pub fn request(&self, cluster: u32) -> Option<(&'a Request, Option<&'a Diagnosis>)> {
        let index = *self.picked.get(cluster as usize)? as usize;
        Some((self.forest.requests.get(index)?, self.diagnoses.get(index)))
    }

    /// True when a baseline says what the same work takes.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.work.is_empty()
    }

    /// The forest with these requests and no others.
    #[must_use]
    pub fn own_forest(&self) -> Forest {
        let requests = self.picked.iter();
        let requests = requests.filter_map(|index| self.forest.requests.get(*index as usize));
        Forest {
            requests: requests.cloned().collect(),
            ops: self.forest.ops.clone(),
            lanes: self.forest.lanes.clone(),
            ..Forest::default()
        }
    }

    /// The values of a quantity.
    #[must_use]
    pub fn sample(&self, quantity: Quantity, scope: &Scope) -> Sample {
        let mut sample = Sample::default();
        let unit = |cluster, value: f64| Unit {
            cluster,
            part: value,
            whole: 1.0,
        };
        for (cluster, index) in self.fitting(scope) {
            let Some(request) = self.forest.requests.get(index as usize) else {
                continue;
            };
            let kind = self.data.text(request.kind);
            match quantity.meta().per {
                Per::Request => {
                    let value = self.of_request(quantity, index, request);
                    let whole = self.whole_of(quantity, index);
                    sample.take(
                        kind,
                        value.map(|part| Unit {
                            cluster,
                            part,
                            whole,
                        }),
                    );
                }
                Per::ModelCall => {
                    for (op, call) in self.calls(request, scope) {
                        let value = of_call(quantity, op, &call);
                        sample.take(kind, value.map(|value| unit(cluster, value)));
                    }
                }
                Per::ToolCall => {
                    for op in self.tools(request, scope) {
                        let time = op.window.len().as_millis();
                        let tool = aggregate::tool_name(self.data, op);
                        sample.take(tool, Some(unit(cluster, time)));
                    }
                }
            }
        }
        sample
    }

    /// Time on the critical path by part, summed over `parts`, of requests with a complete root.
    #[must_use]
    pub fn phase(&self, parts: &[Part]) -> Sample {
        let mut sample = Sample::default();
        for (cluster, index) in (0_u32..).zip(self.picked.iter()) {
            let Some(request) = self.forest.requests.get(*index as usize) else {
                continue;
            };
            let time: Nanos = parts.iter().map(|part| request.parts.of(*part)).sum();
            let complete = request.root_state == RootState::Complete;
            let unit = complete.then(|| Unit {
                cluster,
                part: time.as_millis(),
                whole: 1.0,
            });
            sample.take(self.data.text(request.kind), unit);
        }
        sample
    }

    /// What counts, and what could have counted.
    #[must_use]
    pub fn share(&self, condition: &Condition, scope: &Scope) -> Sample {
        let mut sample = Sample::default();
        for (cluster, index) in self.fitting(scope) {
            let Some(request) = self.forest.requests.get(index as usize) else {
                continue;
            };
            let kind = self.data.text(request.kind);
            let mut take = |stratum: &str, parts: Option<(f64, f64)>| {
                let parts = parts.map(|(part, whole)| Unit {
                    cluster,
                    part,
                    whole,
                });
                sample.take(stratum, parts.filter(|unit| unit.whole > 0.0));
            };
            let counts = |hit: bool| Some((f64::from(hit), 1.0));
            match condition {
                Condition::LlmError => {
                    for op in self.attempts(request, scope) {
                        take(kind, counts(op.kind == StepKind::Failed));
                    }
                }
                Condition::ToolError => {
                    for op in self.tools(request, scope) {
                        let tool = aggregate::tool_name(self.data, op);
                        take(tool, counts(self.tool_failed(op)));
                    }
                }
                Condition::Tool(name) => {
                    for op in self.tools(request, scope) {
                        let tool = aggregate::tool_called(self.data, op);
                        take(kind, tool.and_then(|(tool, _)| counts(tool == name)));
                    }
                }
                Condition::Model(name) => {
                    for (_, call) in self.calls(request, scope) {
                        let model = self.data.names.known(call.model());
                        take(kind, model.and_then(|model| counts(model == name)));
                    }
                }
                Condition::Finish(reason) => {
                    for (_, call) in self.calls(request, scope) {
                        let finish = self.data.names.known(call.finish);
                        take(kind, finish.and_then(|finish| counts(finish == reason)));
                    }
                }
                _ => take(kind, self.is(condition, index, request)),
            }
        }
        sample
    }

    /// Places and indices of the requests that fit.
    fn fitting<'s>(&'s self, scope: &'s Scope) -> impl Iterator<Item = (u32, u32)> + 's {
        let places = (0_u32..).zip(self.picked.iter().copied());
        places.filter(|(_, index)| {
            let request = self.forest.requests.get(*index as usize);
            scope.is_all() || request.is_some_and(|request| self.fits(request, scope))
        })
    }

    fn fits(&self, request: &Request, scope: &Scope) -> bool {
        let text = |sym| self.data.text(sym);
        scope.task(text(request.kind))
            && scope.service(text(request.service))
            && scope.tenant(text(request.tenant))
            && (scope.agent(text(request.agent)) || self.has_agent(request, scope))
            && (!scope.has(2) || self.attempts(request, scope).next().is_some())
            && (!scope.has(3) || self.tools(request, scope).next().is_some())
    }

    fn has_agent(&self, request: &Request, scope: &Scope) -> bool {
        let lanes = request.lanes.start as usize..request.lanes.end as usize;
        let lanes = self.forest.lanes.get(lanes).unwrap_or_default();
        lanes
            .iter()
            .any(|lane| scope.agent(self.data.text(lane.agent)))
    }

    /// Model calls of the models and agents meant, failed ones included.
    fn attempts<'s>(
        &'s self,
        request: &'s Request,
        scope: &'s Scope,
    ) -> impl Iterator<Item = &'a StepOp> + 's {
        let ops = aggregate::ops(self.forest, request).iter();
        ops.filter(move |op| {
            matches!(op.kind, StepKind::Model | StepKind::Failed)
                && (scope.is_all() || {
                    let call = aggregate::call_of(self.data, op);
                    let model = call.map(|call| call.model()).unwrap_or_default();
                    scope.model(self.data.text(model)) && self.by_agent(request, op, scope)
                })
        })
    }

    fn calls<'s>(
        &'s self,
        request: &'s Request,
        scope: &'s Scope,
    ) -> impl Iterator<Item = (&'a StepOp, LlmCall)> + 's {
        let answered = self.attempts(request, scope);
        let answered = answered.filter(|op| op.kind == StepKind::Model);
        answered.filter_map(|op| Some((op, aggregate::call_of(self.data, op)?)))
    }

    fn tools<'s>(
        &'s self,
        request: &'s Request,
        scope: &'s Scope,
    ) -> impl Iterator<Item = &'a StepOp> + 's {
        let ops = aggregate::ops(self.forest, request).iter();
        ops.filter(move |op| {
            op.kind == StepKind::Tool
                && (scope.is_all()
                    || scope.tool(aggregate::tool_name(self.data, op))
                        && self.by_agent(request, op, scope))
        })
    }

    fn by_agent(&self, request: &Request, op: &StepOp, scope: &Scope) -> bool {
        let agent = aggregate::agent_of(self.forest, request, op);
        scope.agent(self.data.text(agent))
    }

    fn tool_failed(&self, op: &StepOp) -> bool {
        let span = self.data.spans.get(op.span as usize);
        let said = span.and_then(|span| self.data.tool_of(span));
        span.is_some_and(|span| span.failed()) || said.is_some_and(|tool| tool.said_failed)
    }

    fn of_request(&self, quantity: Quantity, index: u32, request: &Request) -> Option<f64> {
        let complete = request.root_state == RootState::Complete;
        let time = |time: Nanos| complete.then(|| time.as_millis());
        let parts = &request.parts;
        match quantity {
            Quantity::Latency => time(request.duration()),
            Quantity::Slowdown => self
                .work
                .get(index as usize)
                .copied()?
                .map(|work| work.observed),
            Quantity::LostTime => {
                let diagnosis = self.diagnoses.get(index as usize)?;
                diagnosis.expected.map(|_| diagnosis.excess.as_millis())
            }
            Quantity::ModelTime => {
                time(parts.queue + parts.prefill + parts.decode + parts.model_unsplit)
            }
            Quantity::ToolTime => time(parts.tool + parts.retrieval),
            Quantity::GapTime => time(parts.gap),
            Quantity::RetryTime => time(parts.failed_attempts + parts.retry_wait),
            Quantity::Cost => self.priced(index).map(|cost| paid(cost).as_dollars()),
            Quantity::WastedCost => self.priced(index).map(|cost| cost.wasted.as_dollars()),
            Quantity::InputTokens => request.input_tokens.map(|n| n as f64),
            Quantity::CachedTokens => request.cached_tokens.map(|n| n as f64),
            Quantity::OutputTokens => request.output_tokens.map(|n| n as f64),
            Quantity::LlmCalls => Some(request.llm_calls.into()),
            Quantity::Rounds => {
                let ops = aggregate::ops(self.forest, request).iter();
                Some(ops.filter(|op| op.kind == StepKind::Model).count() as f64)
            }
            Quantity::ToolCalls => Some(request.tool_calls.into()),
            Quantity::Retries => Some(request.retries.into()),
            Quantity::Errors => Some(request.errors.into()),
            _ => None,
        }
    }

    /// What a value is a part of: the expected time, of a slowdown.
    fn whole_of(&self, quantity: Quantity, index: u32) -> f64 {
        match (quantity, self.work.get(index as usize)) {
            (Quantity::Slowdown, Some(Some(work))) => work.expected,
            _ => 1.0,
        }
    }

    /// Part and whole of a condition on requests; absent where it cannot be told.
    fn is(&self, condition: &Condition, index: u32, request: &Request) -> Option<(f64, f64)> {
        let counts = |hit: bool| (f64::from(hit), 1.0);
        let complete = request.root_state == RootState::Complete;
        let judged = || {
            let diagnosis = self.diagnoses.get(index as usize)?;
            (diagnosis.expected.is_some() || diagnosis.slow).then_some(diagnosis)
        };
        match condition {
            Condition::Error => complete.then(|| {
                let root = self.data.spans.get(request.root as usize);
                counts(root.is_some_and(|span| span.failed()))
            }),
            Condition::Slow => judged().map(|diagnosis| counts(diagnosis.slow)),
            Condition::Cause(cause) => judged().map(|diagnosis| {
                let primary = diagnosis.primary.filter(|_| diagnosis.slow);
                counts(primary == Some(*cause))
            }),
            Condition::Incomplete => Some(counts(!complete)),
            Condition::Retried => Some(counts(request.retries > 0)),
            Condition::Cached => {
                let (cached, input) = (request.cached_tokens?, request.input_tokens?);
                Some((cached as f64, input as f64))
            }
            Condition::Wasted => {
                let cost = self.priced(index)?;
                Some((cost.wasted.as_dollars(), paid(cost).as_dollars()))
            }
            _ => None,
        }
    }

    /// What a request cost, where all of it has a price.
    fn priced(&self, index: u32) -> Option<RequestCost> {
        let cost = self.costs.get(index as usize).copied()?;
        let whole = cost.priced.part == cost.priced.whole && cost.unmetered == 0;
        (whole && cost.cost.is_some()).then_some(cost)
    }
}

fn paid(cost: RequestCost) -> Usd {
    cost.cost.unwrap_or_default()
}

fn of_call(quantity: Quantity, op: &StepOp, call: &LlmCall) -> Option<f64> {
    match quantity {
        Quantity::CallLatency => Some(op.window.len().as_millis()),
        Quantity::Ttft => call.first_token.map(|first| first.value.as_millis()),
        Quantity::Itl => aggregate::inter_token(call, op.window.len()).map(|nanos| nanos / 1e6),
        Quantity::QueueWait => call.queue.map(|queue| queue.value.as_millis()),
        _ => None,
    }
}
