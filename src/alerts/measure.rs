//! What calibrated rules watch: a quantity, and on which side of a threshold it is trouble.

use super::duration;

/// On which side of the threshold trouble lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Too much.
    Above,
    /// Too little.
    Below,
}

/// What a value is, for comments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A share, 0..1.
    Share,
    /// Seconds.
    Seconds,
    /// A number without a unit.
    Number,
}

/// One quantity.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Name of the alert.
    pub alert: &'static str,
    /// The cause it points to; empty for the general ones.
    pub cause: &'static str,
    /// Its expression; `%` stands for the matchers that pick one set of labels.
    pub expr: &'static str,
    /// How many events it is made of, over the same window.
    pub volume: &'static str,
    /// Labels that tell one of its series from another.
    pub by: &'static [&'static str],
    /// Where trouble lies.
    pub side: Side,
    /// What its value is.
    pub kind: Kind,
    /// How long trouble must last, milliseconds.
    pub hold: i64,
    /// The range it looks back over, milliseconds.
    pub window: i64,
    /// True where a range that reaches before the dump shows too little of it, such as of what happens in a second.
    pub pace: bool,
    /// Less than this beyond what is usual is no trouble.
    pub floor: f64,
    /// `severity` of the alert.
    pub severity: &'static str,
    /// What an alert of it says after whose it is.
    pub says: &'static str,
}

const MINUTE: i64 = 60_000;

const USUAL: Measure = Measure {
    alert: "",
    cause: "",
    expr: "",
    volume: "",
    by: &["agent_id"],
    side: Side::Above,
    kind: Kind::Share,
    hold: 5 * MINUTE,
    window: 5 * MINUTE,
    pace: false,
    floor: 0.0,
    severity: "warning",
    says: "",
};

/// Everything that is watched, where its series exist.
pub const MEASURES: [Measure; 16] = [
    Measure {
        alert: "AgentErrorRateSpike",
        expr: "sum by (agent_id) (rate(agent_requests_total{status=\"failure\",%}[5m])) / sum by (agent_id) (rate(agent_requests_total{%}[5m]))",
        volume: "sum by (agent_id) (increase(agent_requests_total[5m]))",
        severity: "critical",
        says: "of requests fail",
        ..USUAL
    },
    Measure {
        alert: "AgentP99LatencySpike",
        expr: "histogram_quantile(0.99, sum by (agent_id, le) (rate(agent_request_duration_seconds_bucket{%}[5m])))",
        volume: "sum by (agent_id) (increase(agent_request_duration_seconds_count[5m]))",
        kind: Kind::Seconds,
        hold: 10 * MINUTE,
        says: "P99 latency",
        ..USUAL
    },
    Measure {
        alert: "AgentTokenCostSpike",
        expr: "sum by (agent_id, model, direction) (rate(agent_tokens_consumed_total{%}[30m]))",
        volume: "sum by (agent_id, model, direction) (increase(agent_tokens_consumed_total[30m]))",
        by: &["agent_id", "model", "direction"],
        kind: Kind::Number,
        hold: 15 * MINUTE,
        window: 30 * MINUTE,
        pace: true,
        says: "tokens per second",
        ..USUAL
    },
    Measure {
        alert: "AgentToolCallFailureSpike",
        expr: "sum by (agent_id, tool_name) (rate(agent_tool_calls_total{status=\"failure\",%}[5m])) / sum by (agent_id, tool_name) (rate(agent_tool_calls_total{%}[5m]))",
        volume: "sum by (agent_id, tool_name) (increase(agent_tool_calls_total[5m]))",
        by: &["agent_id", "tool_name"],
        says: "of calls fail",
        ..USUAL
    },
    Measure {
        alert: "AgentHallucinationTrend",
        expr: "sum by (agent_id) (rate(agent_hallucination_total{%}[30m]))",
        volume: "sum by (agent_id) (increase(agent_hallucination_total[30m]))",
        kind: Kind::Number,
        hold: 30 * MINUTE,
        window: 30 * MINUTE,
        pace: true,
        says: "hallucinations per second",
        ..USUAL
    },
    Measure {
        alert: "AgentSlow",
        expr: "sum by (agent_id) (rate(agent_request_duration_seconds_sum{%}[5m])) / sum by (agent_id) (rate(agent_request_duration_seconds_count{%}[5m]))",
        volume: "sum by (agent_id) (increase(agent_request_duration_seconds_count[5m]))",
        kind: Kind::Seconds,
        says: "mean latency",
        ..USUAL
    },
    Measure {
        alert: "AgentToolSlow",
        cause: "tool_bottleneck",
        expr: "sum by (agent_id, tool_name) (rate(agent_tool_duration_seconds_sum{%}[5m])) / sum by (agent_id, tool_name) (rate(agent_tool_duration_seconds_count{%}[5m]))",
        volume: "sum by (agent_id, tool_name) (increase(agent_tool_duration_seconds_count[5m]))",
        by: &["agent_id", "tool_name"],
        kind: Kind::Seconds,
        hold: 2 * MINUTE,
        says: "mean time of calls",
        ..USUAL
    },
    Measure {
        alert: "AgentModelCallsFail",
        cause: "retry_cascade",
        expr: "sum by (agent_id, model) (rate(agent_llm_calls_total{status=\"failure\",%}[5m])) / sum by (agent_id, model) (rate(agent_llm_calls_total{%}[5m]))",
        volume: "sum by (agent_id, model) (increase(agent_llm_calls_total[5m]))",
        by: &["agent_id", "model"],
        hold: 2 * MINUTE,
        says: "of model calls fail",
        ..USUAL
    },
    Measure {
        alert: "AgentModelSlow",
        cause: "noisy_neighbour",
        expr: "sum by (model) (rate(agent_model_latency_seconds_sum{%}[5m])) / sum by (model) (rate(agent_model_latency_seconds_count{%}[5m]))",
        volume: "sum by (model) (increase(agent_model_latency_seconds_count[5m]))",
        by: &["model"],
        kind: Kind::Seconds,
        hold: 2 * MINUTE,
        says: "mean time of model calls",
        ..USUAL
    },
    Measure {
        alert: "AgentFirstTokenSlow",
        cause: "cold_cache",
        expr: "sum by (model) (rate(agent_model_first_token_seconds_sum{%}[5m])) / sum by (model) (rate(agent_model_first_token_seconds_count{%}[5m]))",
        volume: "sum by (model) (increase(agent_model_first_token_seconds_count[5m]))",
        by: &["model"],
        kind: Kind::Seconds,
        hold: 2 * MINUTE,
        says: "mean time to first token",
        ..USUAL
    },
    Measure {
        alert: "AgentCacheCold",
        cause: "cold_cache",
        expr: "sum by (agent_id, model) (rate(agent_prompt_cache_tokens_total{result=\"hit\",%}[5m])) / sum by (agent_id, model) (rate(agent_prompt_cache_tokens_total{%}[5m]))",
        volume: "sum by (agent_id, model) (increase(agent_llm_calls_total[5m]))",
        by: &["agent_id", "model"],
        side: Side::Below,
        hold: 2 * MINUTE,
        says: "of prompt tokens come from the cache",
        ..USUAL
    },
    Measure {
        alert: "AgentIdle",
        cause: "orchestration_gap",
        expr: "sum by (agent_id) (rate(agent_request_idle_seconds_sum{%}[5m])) / sum by (agent_id) (rate(agent_request_idle_seconds_count{%}[5m]))",
        volume: "sum by (agent_id) (increase(agent_request_idle_seconds_count[5m]))",
        kind: Kind::Seconds,
        hold: 2 * MINUTE,
        // As for requests: what is shorter makes none slow.
        floor: 0.5,
        says: "mean time in which neither a model nor a tool was at work for a request",
        ..USUAL
    },
    Measure {
        alert: "AgentPromptsLong",
        cause: "prefill_surge",
        expr: "sum by (agent_id, model) (rate(agent_tokens_consumed_total{direction=\"input\",%}[5m])) / sum by (agent_id, model) (rate(agent_llm_calls_total{%}[5m]))",
        volume: "sum by (agent_id, model) (increase(agent_llm_calls_total[5m]))",
        by: &["agent_id", "model"],
        kind: Kind::Number,
        hold: 2 * MINUTE,
        says: "prompt tokens per call",
        ..USUAL
    },
    Measure {
        alert: "AgentAnswersLong",
        cause: "long_generation",
        expr: "sum by (agent_id, model) (rate(agent_tokens_consumed_total{direction=\"output\",%}[5m])) / sum by (agent_id, model) (rate(agent_llm_calls_total{%}[5m]))",
        volume: "sum by (agent_id, model) (increase(agent_llm_calls_total[5m]))",
        by: &["agent_id", "model"],
        kind: Kind::Number,
        hold: 2 * MINUTE,
        says: "output tokens per call",
        ..USUAL
    },
    Measure {
        alert: "ServerQueueLong",
        cause: "noisy_neighbour",
        expr: "sum by (model_name) (rate(vllm:request_queue_time_seconds_sum{%}[5m])) / sum by (model_name) (rate(vllm:request_queue_time_seconds_count{%}[5m]))",
        volume: "sum by (model_name) (increase(vllm:request_queue_time_seconds_count[5m]))",
        by: &["model_name"],
        kind: Kind::Seconds,
        hold: 2 * MINUTE,
        says: "mean wait in the server's queue",
        ..USUAL
    },
    Measure {
        alert: "ServerCacheCold",
        cause: "cold_cache",
        expr: "sum by (model_name) (rate(vllm:prefix_cache_hits_total{%}[5m])) / sum by (model_name) (rate(vllm:prefix_cache_queries_total{%}[5m]))",
        volume: "sum by (model_name) (increase(vllm:prefix_cache_queries_total[5m]))",
        by: &["model_name"],
        side: Side::Below,
        hold: 2 * MINUTE,
        says: "of prompt tokens come from the cache",
        ..USUAL
    },
];

/// Share of an agent's tool calls that go to one tool; `~` stands for the range it looks back over, which is
/// longer where calls are few.
pub const DRIFT: Measure = Measure {
    alert: "ToolSelectionDrift",
    expr: "sum by (agent_id, tool_name) (rate(agent_tool_calls_total{%}[~])) / on (agent_id) group_left () sum by (agent_id) (rate(agent_tool_calls_total[~]))",
    volume: "sum by (agent_id, tool_name) (increase(agent_tool_calls_total[~]))",
    by: &["agent_id", "tool_name"],
    side: Side::Below,
    hold: 0,
    window: 30 * MINUTE,
    severity: "critical",
    says: "of the agent's tool calls",
    ..USUAL
};

impl Measure {
    /// Its expression for the series that `matchers` pick, such as `agent_id="a"`.
    #[must_use]
    pub fn of(&self, matchers: &str) -> String {
        let expr = self.over_window(self.expr).replace('%', matchers);
        expr.replace(",}", "}").replace("{}", "")
    }

    /// The expression of its volume.
    #[must_use]
    pub fn events(&self) -> String {
        self.over_window(self.volume)
    }

    fn over_window(&self, text: &str) -> String {
        text.replace('~', &duration::show(self.window))
    }
}
