//! What can be measured over the requests of a dump, and drawn as a sample: what budgets limit and what two sets are
//! compared by. Absent is never zero: a sample holds what is shown, and how much is not.

mod cache;
mod condition;
mod rates;
mod saved;
mod scope;
mod sides;
mod source;

pub use cache::CacheView;
pub use condition::{Condition, ConditionKind};
pub use rates::keep;
pub use scope::{BadPattern, KEYS, Scope};
pub use sides::{Sides, Weigh};
pub use source::{Sample, Source};

/// What a value is measured in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// US dollars.
    Money,
    /// Tokens.
    Tokens,
    /// A number of things.
    Count,
    /// A multiple of what was expected.
    Factor,
    /// A share of a whole, 0 to 1.
    Share,
}

impl Unit {
    /// As in JSON: `ms`, `usd`, `tokens`, `count`, `x` or `share`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "ms",
            Self::Money => "usd",
            Self::Tokens => "tokens",
            Self::Count => "count",
            Self::Factor => "x",
            Self::Share => "share",
        }
    }
}

/// What a quantity is a property of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Per {
    /// One request.
    Request,
    /// One model call that answered.
    ModelCall,
    /// One call of a tool, retrieval or embedding.
    ToolCall,
}

impl Per {
    /// In words, for one of them.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::ModelCall => "model call",
            Self::ToolCall => "tool call",
        }
    }
}

/// A property of a request or of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Quantity {
    /// See [`QUANTITIES`], as for all.
    Latency,
    /// Time of calls over that of a baseline for the same work.
    Slowdown,
    /// Time lost over the expected time.
    LostTime,
    /// Critical-path time of models.
    ModelTime,
    /// Critical-path time of tools.
    ToolTime,
    /// Critical-path time of the agent itself.
    GapTime,
    /// Critical-path time of failed attempts and waits.
    RetryTime,
    /// What a request cost.
    Cost,
    /// Of that: for nothing.
    WastedCost,
    /// Prompt tokens.
    InputTokens,
    /// Prompt tokens from a cache.
    CachedTokens,
    /// Generated tokens.
    OutputTokens,
    /// Model calls, failed ones included.
    LlmCalls,
    /// Model calls that answered.
    Rounds,
    /// Tool calls.
    ToolCalls,
    /// Failed attempts and repeats.
    Retries,
    /// Spans in error.
    Errors,
    /// A whole model call.
    CallLatency,
    /// Time to first token.
    Ttft,
    /// Time per further token.
    Itl,
    /// Wait for a slot on the server.
    QueueWait,
    /// A whole tool call.
    ToolLatency,
}

/// What is to be known of a quantity.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Which.
    pub quantity: Quantity,
    /// Its name in budgets.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// What it is a property of.
    pub per: Per,
    /// What it is.
    pub about: &'static str,
    /// What must be recorded for it.
    pub needs: &'static str,
}

macro_rules! quantities {
    ($($quantity:ident $name:literal $unit:ident $per:ident $about:literal $needs:literal)*) => {
        /// All quantities, in the order shown everywhere.
        pub const QUANTITIES: &[Meta] = &[$(Meta {
            quantity: Quantity::$quantity,
            name: $name,
            unit: Unit::$unit,
            per: Per::$per,
            about: $about,
            needs: $needs,
        }),*];
    };
}

quantities! {
    Latency "latency" Time Request "duration of a request whose root is complete" "a root span with an end"
    Slowdown "slowdown" Factor Request "time of a request's calls over what a baseline takes for the same models, tokens and tools; its mean weighs requests by that" "a baseline (--baseline) that knows the models or tools"
    LostTime "lost_time" Time Request "time beyond the expected time, zero where there is none" "model or tool calls under the root"
    ModelTime "model_time" Time Request "time on the critical path that a model took, queue included" "a root span with an end"
    ToolTime "tool_time" Time Request "time on the critical path that tools and retrieval took" "a root span with an end"
    GapTime "gap_time" Time Request "time on the critical path between calls" "a root span with an end"
    RetryTime "retry_time" Time Request "time on the critical path that failed attempts and waits between attempts took" "a root span with an end"
    Cost "cost_per_task" Money Request "what a request cost, where all its tokens have a price" "token counts on model calls, and a price for the model (--price, --prices)"
    WastedCost "wasted_cost" Money Request "of that, paid for nothing: failed attempts, repeated calls, lost cache" "token counts on model calls, and a price for the model (--price, --prices)"
    InputTokens "input_tokens" Tokens Request "prompt tokens, cached ones included" "gen_ai.usage.input_tokens on model calls"
    CachedTokens "cached_tokens" Tokens Request "prompt tokens served from a cache" "gen_ai.usage.cache_read.input_tokens on model calls"
    OutputTokens "output_tokens" Tokens Request "generated tokens" "gen_ai.usage.output_tokens on model calls"
    LlmCalls "llm_calls" Count Request "model calls, failed attempts included" "a span per model call"
    Rounds "rounds" Count Request "model calls that answered" "a span per model call"
    ToolCalls "tool_calls" Count Request "tool calls" "a span per tool call"
    Retries "retries" Count Request "failed model attempts, hidden resends and repeated tool calls" "a span per model call"
    Errors "errors" Count Request "spans that ended in error" "span status"
    CallLatency "call_latency" Time ModelCall "duration of a model call that answered" "a span per model call"
    Ttft "ttft" Time ModelCall "time to first token" "gen_ai.response.time_to_first_chunk, or an event when the first token arrives"
    Itl "itl" Time ModelCall "mean time per token after the first" "time to first token and output tokens on model calls"
    QueueWait "queue_wait" Time ModelCall "wait for a slot on the server" "the serving engine's own spans, with its queue time"
    ToolLatency "tool_latency" Time ToolCall "duration of a call of a tool, retrieval or embedding" "a span per tool call"
}

impl Quantity {
    /// By its name in budgets; `cost` and `duration` are understood as well.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = match name {
            "cost" => "cost_per_task",
            "duration" => "latency",
            name => name,
        };
        let meta = QUANTITIES.iter().find(|meta| meta.name == name)?;
        Some(meta.quantity)
    }

    /// What is to be known of it.
    #[must_use]
    pub fn meta(self) -> &'static Meta {
        // The list is in the order of the variants; a test says so.
        &QUANTITIES[(self as usize).min(QUANTITIES.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_and_in_order() {
        for (index, meta) in QUANTITIES.iter().enumerate() {
            assert_eq!(meta.quantity as usize, index, "{}", meta.name);
            assert_eq!(Quantity::named(meta.name), Some(meta.quantity));
        }
        assert_eq!(Quantity::ToolLatency as usize + 1, QUANTITIES.len());
        assert_eq!(Quantity::named("cost"), Some(Quantity::Cost));
        assert_eq!(Quantity::named("speed"), None);
    }
}
