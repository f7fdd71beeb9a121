//! What was measured about one operation, each figure with how it became known.

use crate::units::{Nanos, Small, Sym, Usd};

/// How a figure became known.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
pub enum Via {
    /// Written on the span.
    Attribute,
    /// Time of an event on the span.
    Event,
    /// Taken from the twin or child span that measured it.
    Child,
    /// Computed from other figures.
    Derived,
}

/// A value and its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// How it became known.
    pub via: Via,
}

impl<T> Known<T> {
    /// A value written on the span itself.
    pub fn attribute(value: T) -> Self {
        Self {
            value,
            via: Via::Attribute,
        }
    }
}

/// A 64-bit digest of a text that is compared but never shown (tool arguments, ids).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
pub struct Digest(pub std::num::NonZeroU64);

impl Digest {
    /// Digest of `bytes`; the same bytes give the same digest in every run.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher =
            foldhash::quality::FixedState::with_seed(0x6167_656e_7464_6961).build_hasher();
        hasher.write(bytes);
        Self(std::num::NonZeroU64::new(hasher.finish()).unwrap_or(std::num::NonZeroU64::MIN))
    }
}

/// Class of a failure; the text behind it may hold content and is not kept.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
pub enum ErrorKind {
    /// HTTP 429 and its names.
    RateLimit,
    /// HTTP 503 and 529.
    Overloaded,
    /// HTTP 408 and 504, deadlines.
    Timeout,
    /// The prompt was too long.
    ContextLength,
    /// HTTP 401 and 403.
    Auth,
    /// Other HTTP 4xx.
    BadRequest,
    /// Other HTTP 5xx.
    Server,
    /// No answer: refused, reset, broken.
    Connection,
    /// Cancelled by the caller.
    Cancelled,
    /// A tool reported failure.
    Tool,
    /// Failed without a class.
    Other,
}

impl ErrorKind {
    /// The class as one lower-case word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::ContextLength => "context_length",
            Self::Auth => "auth",
            Self::BadRequest => "bad_request",
            Self::Server => "server_error",
            Self::Connection => "connection",
            Self::Cancelled => "cancelled",
            Self::Tool => "tool_error",
            Self::Other => "error",
        }
    }
}

/// One model call, client or serving side. Token counts are normalised: input includes cached and
/// cache-write tokens, output includes reasoning.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct LlmCall {
    /// Vendor, canonical lower case.
    pub provider: Sym,
    /// Model asked for.
    pub requested: Sym,
    /// Model that answered.
    pub answered: Sym,
    /// Host the call went to (`server.address` or the host of a base URL).
    pub endpoint: Sym,
    /// `system_fingerprint`, deployment or service tier: changes when routing does.
    pub fingerprint: Sym,
    /// Class of service that answered: `batch`, `flex`, `priority` cost other than the standard one.
    pub tier: Sym,
    /// Why generation ended.
    pub finish: Sym,
    /// Conversation or session.
    pub conversation: Sym,
    /// Prompt tokens, cached ones included.
    pub input: Option<Known<u32>>,
    /// Generated tokens, reasoning included.
    pub output: Option<Known<u32>>,
    /// Prompt tokens served from a cache.
    pub cached: Option<Known<u32>>,
    /// Prompt tokens written to a cache.
    pub cache_write: Option<Known<u32>>,
    /// Of `cache_write`: to be kept for an hour instead of five minutes.
    pub cache_write_1h: Option<Known<u32>>,
    /// Reasoning tokens inside `output`.
    pub reasoning: Option<Known<u32>>,
    /// From the start of the span to the first token.
    pub first_token: Option<Known<Nanos>>,
    /// Wait for a slot on the server.
    pub queue: Option<Known<Nanos>>,
    /// Prompt processing on the server, queue not included.
    pub prefill: Option<Known<Nanos>>,
    /// Generation on the server.
    pub decode: Option<Known<Nanos>>,
    /// Model time where the span stays open for other work, or ends late.
    pub model_time: Option<Known<Nanos>>,
    /// Cost as the emitter estimated it.
    pub reported_cost: Option<Known<Usd>>,
    /// Response id (client) or request id (engine): joins the two sides.
    pub response_id: Option<Digest>,
    /// Index of the serving side's span, once calls are counted; `u32::MAX` without one.
    pub engine: u32,
    /// HTTP status of the answer.
    pub http_status: Option<u16>,
    /// Resends inside this span (`http.request.resend_count`, attempt number − 1).
    pub resends: Option<u16>,
    /// Streamed or not.
    pub streamed: Option<bool>,
    /// True where the emitter's rule about cached tokens had to be assumed.
    pub cache_basis_assumed: bool,
}

impl Default for LlmCall {
    fn default() -> Self {
        Self {
            provider: Sym::NONE,
            requested: Sym::NONE,
            answered: Sym::NONE,
            endpoint: Sym::NONE,
            fingerprint: Sym::NONE,
            tier: Sym::NONE,
            finish: Sym::NONE,
            conversation: Sym::NONE,
            input: None,
            output: None,
            cached: None,
            cache_write: None,
            cache_write_1h: None,
            reasoning: None,
            first_token: None,
            queue: None,
            prefill: None,
            decode: None,
            model_time: None,
            reported_cost: None,
            response_id: None,
            engine: u32::MAX,
            http_status: None,
            resends: None,
            streamed: None,
            cache_basis_assumed: false,
        }
    }
}

impl LlmCall {
    /// Prompt tokens that had to be computed: input less cached, or all of them where the dump
    /// shows no cache figures.
    #[must_use]
    pub fn uncached(&self) -> Option<u32> {
        let input = self.input?.value;
        Some(input.saturating_sub(self.cached.map_or(0, |c| c.value)))
    }

    /// The model that answered, else the one asked for.
    #[must_use]
    pub fn model(&self) -> Sym {
        self.answered.or(self.requested)
    }

    /// True when any token figure is present.
    #[must_use]
    pub fn has_usage(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }
}

/// One tool execution, MCP message or retrieval.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct ToolCall {
    /// Tool name, MCP prefixes stripped.
    pub tool: Sym,
    /// Digest of the arguments.
    pub arguments: Option<Digest>,
    /// Digest of the call id that the model chose.
    pub call_id: Option<Digest>,
    /// Duration as the emitter measured it.
    pub reported: Option<Known<Nanos>>,
    /// True when the tool said it failed, though the span did not.
    pub said_failed: bool,
}

/// What a task, agent or step span says of itself. Usage on it is a roll-up and is never counted.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct TaskFacts {
    /// Agent name.
    pub agent: Sym,
    /// Kind of task, where the emitter names one.
    pub task_type: Sym,
    /// Tenant, customer, or user as the emitter names it.
    pub tenant: Sym,
    /// Conversation or session.
    pub conversation: Sym,
    /// Rolled-up input tokens, for checks only.
    pub rollup_input: Option<Small>,
    /// Rolled-up output tokens, for checks only.
    pub rollup_output: Option<Small>,
    /// Steps the emitter says there were.
    pub declared_steps: Option<Small>,
    /// Number of the request in its conversation, as the emitter counts.
    pub turn: Option<Small>,
}

/// One HTTP request under a model or tool span.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct HttpCall {
    /// Host it went to.
    pub host: Sym,
    /// `http.request.method`
    pub method: Sym,
    /// `http.route`, never the full URL.
    pub route: Sym,
    /// Response status.
    pub status: Option<u16>,
    /// `http.request.resend_count`
    pub resends: Option<u16>,
}
