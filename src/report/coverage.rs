//! How much of what a diagnosis rests on the dump shows, what each gap costs, and how to close it.

use crate::model::{Dataset, LlmCall, Op, Span, ToolCall};
use crate::trace::{Forest, Request, RootState, StepKind};

/// One signal and how often it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// What is asked for.
    pub signal: &'static str,
    /// What it is asked of: `model calls`.
    pub unit: &'static str,
    /// How many show it.
    pub known: u64,
    /// Out of how many.
    pub of: u64,
    /// What cannot be said where it is missing.
    pub costs: &'static str,
    /// How to have it recorded.
    pub remedy: &'static str,
}

impl Coverage {
    /// The share that shows it, 0 to 1; `None` where there is nothing to ask.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.known as f64 / self.of as f64)
    }

    /// Every signal, in the order of a diagnosis.
    #[must_use]
    pub(super) fn of(dataset: &Dataset, forest: &Forest) -> Vec<Self> {
        let mut found: Vec<Self> = QUESTIONS.iter().map(Question::unasked).collect();
        for op in &forest.ops {
            let Some(span) = dataset.spans.get(op.span as usize) else {
                continue;
            };
            ask(&mut found, &Look::at(dataset, span, op.kind));
        }
        for request in &forest.requests {
            let look = Look::whole(dataset, request);
            ask(&mut found, &look);
        }
        found
    }
}

fn ask(found: &mut [Coverage], look: &Look<'_>) {
    for (question, answer) in QUESTIONS.iter().zip(found) {
        if question.of == look.of {
            answer.of += 1;
            answer.known += u64::from((question.known)(look));
        }
    }
}

/// What a signal is asked of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Of {
    /// Calls that answered.
    Calls,
    /// Calls that failed.
    Failed,
    /// Tools.
    Tools,
    /// Requests.
    Requests,
    /// Nothing.
    Other,
}

impl Of {
    fn unit(self) -> &'static str {
        match self {
            Self::Calls => "model calls",
            Self::Failed => "failed calls",
            Self::Tools => "tool calls",
            Self::Requests => "requests",
            Self::Other => "",
        }
    }
}

/// One thing to look at.
struct Look<'a> {
    of: Of,
    dataset: &'a Dataset,
    span: Option<&'a Span>,
    call: Option<LlmCall>,
    tool: Option<ToolCall>,
    request: Option<&'a Request>,
}

impl<'a> Look<'a> {
    fn at(dataset: &'a Dataset, span: &'a Span, kind: StepKind) -> Self {
        Self {
            of: match kind {
                StepKind::Model => Of::Calls,
                StepKind::Failed => Of::Failed,
                StepKind::Tool if span.op == Op::Tool => Of::Tools,
                _ => Of::Other,
            },
            dataset,
            span: Some(span),
            call: dataset.llm_of(span),
            tool: dataset.tool_of(span),
            request: None,
        }
    }

    fn whole(dataset: &'a Dataset, request: &'a Request) -> Self {
        Self {
            of: Of::Requests,
            dataset,
            span: dataset.spans.get(request.root as usize),
            call: None,
            tool: None,
            request: Some(request),
        }
    }

    fn call(&self, shows: impl FnOnce(&LlmCall) -> bool) -> bool {
        self.call.is_some_and(|call| shows(&call))
    }

    fn region(&self) -> bool {
        let resource = self.span.map(|span| self.dataset.resource_of(span));
        resource.is_some_and(|r| self.dataset.names.known(r.region).is_some())
    }

    fn names(&self, sym: crate::units::Sym) -> bool {
        self.dataset.names.known(sym).is_some()
    }
}

/// A signal, and how it is recognised.
struct Question {
    signal: &'static str,
    of: Of,
    known: fn(&Look<'_>) -> bool,
    costs: &'static str,
    remedy: &'static str,
}

impl Question {
    fn unasked(&self) -> Coverage {
        Coverage {
            signal: self.signal,
            unit: self.of.unit(),
            known: 0,
            of: 0,
            costs: self.costs,
            remedy: self.remedy,
        }
    }
}

const QUESTIONS: &[Question] = &[
    Question {
        signal: "input tokens",
        of: Of::Calls,
        known: |look| look.call(|c| c.input.is_some()),
        costs: "no cost, no prefill_surge, no cold_cache",
        remedy: "streamed OpenAI calls report usage only with stream_options={\"include_usage\": true}",
    },
    Question {
        signal: "cached tokens",
        of: Of::Calls,
        known: |look| look.call(|c| c.cached.is_some()),
        costs: "cold_cache looks like a slow server; cost is an upper bound",
        remedy: "record gen_ai.usage.cache_read.input_tokens, or use an instrumentation that does",
    },
    Question {
        signal: "output tokens",
        of: Of::Calls,
        known: |look| look.call(|c| c.output.is_some()),
        costs: "no cost, and long_generation looks like a slow server",
        remedy: "streamed OpenAI calls report usage only with stream_options={\"include_usage\": true}",
    },
    Question {
        signal: "time to first token",
        of: Of::Calls,
        known: |look| look.call(|c| c.first_token.is_some()),
        costs: "prefill and generation cannot be told apart",
        remedy: "stream, and record gen_ai.response.time_to_first_chunk or an event at the first chunk",
    },
    Question {
        signal: "queue and prefill on the server",
        of: Of::Calls,
        known: |look| look.call(|c| c.queue.is_some() || c.prefill.is_some()),
        costs: "noisy_neighbour rests on timing alone",
        remedy: "trace the serving side (vLLM: --otlp-traces-endpoint) and forward traceparent to it",
    },
    Question {
        signal: "model that answered",
        of: Of::Calls,
        known: |look| look.call(|c| look.names(c.answered)),
        costs: "a fallback to another model goes unseen",
        remedy: "record gen_ai.response.model",
    },
    Question {
        signal: "endpoint",
        of: Of::Calls,
        known: |look| look.call(|c| look.names(c.endpoint)),
        costs: "routing_change cannot be told from a slow provider",
        remedy: "record server.address, or instrument the HTTP client",
    },
    Question {
        signal: "deployment, fingerprint or region of the answer",
        of: Of::Calls,
        known: |look| look.call(|c| look.names(c.fingerprint)),
        costs: "a change behind one address goes unseen",
        remedy: "record openai.response.system_fingerprint, or the serving region as an attribute",
    },
    Question {
        signal: "region of the caller",
        of: Of::Calls,
        known: |look| look.region(),
        costs: "a call that leaves its region looks like a slow one",
        remedy: "set cloud.region on the resource",
    },
    Question {
        signal: "response id",
        of: Of::Calls,
        known: |look| look.call(|c| c.response_id.is_some()),
        costs: "server spans of another trace cannot be joined",
        remedy: "record gen_ai.response.id",
    },
    Question {
        signal: "HTTP status or class of the error",
        of: Of::Failed,
        known: |look| {
            let class = look.span.is_some_and(|s| s.error.is_some());
            class || look.call(|c| c.http_status.is_some())
        },
        costs: "a rate limit cannot be told from a crash",
        remedy: "record error.type or http.response.status_code on failed calls",
    },
    Question {
        signal: "tool arguments",
        of: Of::Tools,
        known: |look| look.tool.is_some_and(|t| t.arguments.is_some()),
        costs: "a tool asked again and again is not seen as a retry",
        remedy: "let the instrumentation record content, or a hash of the arguments under gen_ai.tool.call.arguments",
    },
    Question {
        signal: "complete root span",
        of: Of::Requests,
        known: |look| {
            look.request
                .is_some_and(|r| r.root_state == RootState::Complete)
        },
        costs: "the duration is that of what was recorded",
        remedy: "sample whole traces (tail sampling), and end root spans on shutdown",
    },
    Question {
        signal: "kind of task or agent",
        of: Of::Requests,
        known: |look| {
            let own = look.span.map(|s| s.name);
            look.request
                .is_some_and(|r| look.names(r.agent) || (look.names(r.kind) && Some(r.kind) != own))
        },
        costs: "unlike requests are compared with each other",
        remedy: "record gen_ai.agent.name or a task type on the root span",
    },
    Question {
        signal: "tenant or user",
        of: Of::Requests,
        known: |look| look.request.is_some_and(|r| look.names(r.tenant)),
        costs: "an incident of one tenant looks like one of all",
        remedy: "record tenant.id or user.id on the root span",
    },
    Question {
        signal: "conversation",
        of: Of::Requests,
        known: |look| look.request.is_some_and(|r| look.names(r.conversation)),
        costs: "fragments of a request in other traces cannot be joined",
        remedy: "record gen_ai.conversation.id or session.id",
    },
];
