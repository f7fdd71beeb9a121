//! How much of what a diagnosis needs the dump shows, in four layers, and what each gap costs.

use super::cost::{call_of, ops};
use crate::model::Dataset;
use crate::trace::{Forest, Request, RootState, StepKind, StepOp};
use crate::units::{Nanos, Ratio, Window};

/// Where a signal comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Layer {
    /// Serving engines, endpoints, clusters.
    Infrastructure,
    /// Model calls.
    Model,
    /// The agent's own steps.
    Agent,
    /// The user's request as a whole.
    Task,
}

impl Layer {
    /// The layer as one lower-case word.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Infrastructure => "infrastructure",
            Self::Model => "model",
            Self::Agent => "agent",
            Self::Task => "task",
        }
    }
}

/// One signal and how often it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal {
    /// Stable lower-case name.
    pub name: &'static str,
    /// Layer it belongs to.
    pub layer: Layer,
    /// What the coverage counts: `calls`, `tools` or `requests`.
    pub per: &'static str,
    /// How many have it.
    pub coverage: Ratio,
    /// What the diagnosis loses without it.
    pub gap: &'static str,
    /// How to have it in the next dump.
    pub remedy: &'static str,
}

macro_rules! signals {
    ($($field:ident $layer:ident $per:literal $gap:literal => $remedy:literal;)*) => {
        #[derive(Default)]
        struct Counts { $($field: Ratio,)* }

        impl Counts {
            fn list(&self) -> Vec<Signal> {
                vec![$(Signal {
                    name: stringify!($field),
                    layer: Layer::$layer,
                    per: $per,
                    coverage: self.$field,
                    gap: $gap,
                    remedy: $remedy,
                },)*]
            }
        }
    };
}

signals! {
    engine_phases Infrastructure "calls" "queue wait, prompt processing and generation are told apart from the first token alone, or not at all"
        => "turn on tracing in the serving engine (vLLM: --otlp-traces-endpoint, SGLang: --enable-trace) and send it the trace context";
    endpoint Infrastructure "calls" "a change of routing looks like a slower server"
        => "record server.address on model-call spans";
    metrics Infrastructure "requests" "load on the serving side cannot confirm a noisy neighbour"
        => "give the engine's or gateway's metrics of the same hours as another input";
    logs Infrastructure "requests" "errors that only logs report stay unseen"
        => "give logs of the same hours as another input, with trace ids where possible";
    events Infrastructure "requests" "restarts and scaling cannot explain a slow stretch"
        => "give the output of `kubectl get events -o json` of the same hours as another input";
    usage Model "calls" "neither cost nor the work of a call is known: a long prompt looks like a slow server"
        => "record gen_ai.usage.input_tokens and gen_ai.usage.output_tokens; for streams, ask the API to report usage";
    first_token Model "calls" "prompt processing cannot be told from generation"
        => "stream answers and record when the first chunk came (gen_ai.response.time_to_first_chunk)";
    cached_tokens Model "calls" "a cold cache looks like a larger prompt"
        => "record gen_ai.usage.cache_read.input_tokens; vLLM reports it with --enable-prompt-tokens-details";
    finish_reason Model "calls" "answers cut at the token limit look like answers"
        => "record gen_ai.response.finish_reasons";
    response_model Model "calls" "a model other than the one asked for goes unnoticed"
        => "record gen_ai.response.model";
    tool_name Agent "tools" "slow tools cannot be named and drift of tool choice cannot be seen"
        => "record gen_ai.tool.name on tool spans";
    tool_arguments Agent "tools" "repeated identical calls look like progress"
        => "record gen_ai.tool.call.arguments on tool spans; only a digest of it is kept";
    agent_name Agent "requests" "cost and delay cannot be put to an agent"
        => "record gen_ai.agent.name";
    conversation Agent "requests" "turns of one conversation cannot be told from new ones, so cold caches are harder to explain"
        => "record gen_ai.conversation.id";
    complete_root Task "requests" "how long the request took is not known, only its parts"
        => "export whole traces: sample by trace, end root spans, and let the export cover the longest request";
    task_type Task "requests" "requests are compared with those that start alike instead of those that ask alike"
        => "record the kind of task on the root span (task.type)";
    tenant Task "requests" "neighbours and cost cannot be named"
        => "record tenant.id on the root span";
}

/// Counts every signal once per model call, tool call or request.
pub(super) fn summarise(data: &Dataset, forest: &Forest) -> Vec<Signal> {
    let mut counts = Counts::default();
    let context = Context::new(data);
    for request in &forest.requests {
        let mut conversation = !request.conversation.is_none();
        for op in ops(forest, request) {
            match op.kind {
                StepKind::Model => conversation |= counts.call(data, op),
                StepKind::Tool => counts.tool(data, op),
                StepKind::Failed | StepKind::Group | StepKind::Human => {}
            }
        }
        counts.conversation.count(conversation);
        counts.request(data, &context, request);
    }
    counts.list()
}

impl Counts {
    /// True when the call names its conversation.
    fn call(&mut self, data: &Dataset, op: &StepOp) -> bool {
        let call = call_of(data, op).unwrap_or_default();
        let phases = [call.queue, call.prefill, call.decode];
        self.engine_phases
            .count(phases.iter().flatten().count() >= 2);
        self.endpoint.count(!call.endpoint.is_none());
        self.usage
            .count(call.input.is_some() && call.output.is_some());
        self.first_token.count(call.first_token.is_some());
        self.cached_tokens.count(call.cached.is_some());
        self.finish_reason.count(!call.finish.is_none());
        self.response_model.count(!call.answered.is_none());
        !call.conversation.is_none()
    }

    fn tool(&mut self, data: &Dataset, op: &StepOp) {
        let span = data.spans.get(op.span as usize);
        if let Some(tool) = span.and_then(|span| data.tool_of(span)) {
            self.tool_name.count(!tool.tool.is_none());
            self.tool_arguments.count(tool.arguments.is_some());
        }
    }

    fn request(&mut self, data: &Dataset, context: &Context, request: &Request) {
        let root = data.spans.get(request.root as usize);
        let facts = root.and_then(|root| data.task_of(root));
        self.complete_root
            .count(request.root_state == RootState::Complete);
        self.task_type
            .count(facts.is_some_and(|facts| !facts.task_type.is_none()));
        self.agent_name.count(!request.agent.is_none());
        self.tenant.count(!request.tenant.is_none());
        self.logs
            .count(context.logged.binary_search(&request.trace).is_ok());
        self.metrics
            .count(!context.measured.overlap(request.wall).eq(&Nanos::ZERO));
        self.events.count(context.events);
    }
}

/// What lies beside the spans.
struct Context {
    /// Traces that logs name, sorted.
    logged: Vec<crate::model::TraceId>,
    /// From the first to the last metric point.
    measured: Window,
    /// Any cluster event at all: their absence in a window means that nothing happened.
    events: bool,
}

impl Context {
    fn new(data: &Dataset) -> Self {
        let mut logged: Vec<_> = data.logs.iter().map(|log| log.trace).collect();
        logged.sort_unstable();
        logged.dedup();
        let times = || data.series.iter().flat_map(|s| &s.points).map(|p| p.time);
        Self {
            logged,
            measured: Window {
                start: times().min().unwrap_or_default(),
                end: times().max().unwrap_or_default(),
            },
            events: !data.events.is_empty(),
        }
    }
}
