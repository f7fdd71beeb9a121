//! What `agentdiag export --to otlp` writes: figures as this program understood them, so that reading
//! them again needs no guess and gives the same verdicts. The conventions' own attributes stand beside
//! them for other readers.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, number, raw, role, text};
use crate::model::Op;

/// The dialect. It owns the scopes it wrote, so that its keys stand before all others.
pub(super) const DIALECT: Dialect = Dialect {
    name: "agentdiag",
    trust: Trust::Vendor,
    scopes: &[Pattern::Starts("agentdiag/")],
    keys: KEYS,
    unused: &["agentdiag."],
    roles,
    includes_cache: |_| Some(true),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("agentdiag.fact.role", 0),
    text("agentdiag.fact.record", T::RecordKind),
    text("agentdiag.fact.provider", T::Provider),
    text("agentdiag.fact.requested_model", T::Requested),
    text("agentdiag.fact.answered_model", T::Answered),
    text("agentdiag.fact.endpoint", T::Endpoint),
    text("agentdiag.fact.fingerprint", T::Fingerprint),
    text("agentdiag.fact.conversation", T::Conversation),
    text("agentdiag.fact.response_id", T::ResponseId),
    text("agentdiag.fact.error", T::ErrorType),
    text("agentdiag.fact.tool", T::Tool),
    text("agentdiag.fact.tool_call_id", T::ToolCallId),
    text("agentdiag.fact.tool_status", T::ToolStatus),
    text("agentdiag.fact.agent", T::Agent),
    text("agentdiag.fact.task_type", T::TaskType),
    text("agentdiag.fact.tenant", T::Tenant),
    text("agentdiag.fact.http_method", T::Method),
    text("agentdiag.fact.http_route", T::Route),
    text("agentdiag.fact.mcp_method", T::McpMethod),
    raw("agentdiag.fact.finish_reason", R::Finish),
    raw("agentdiag.fact.arguments", R::Arguments),
    number("agentdiag.fact.input_tokens", N::Input),
    number("agentdiag.fact.output_tokens", N::Output),
    number("agentdiag.fact.cached_tokens", N::Cached),
    number("agentdiag.fact.cache_write_tokens", N::CacheWrite),
    number("agentdiag.fact.reasoning_tokens", N::Reasoning),
    number("agentdiag.fact.first_token_ns", N::FirstToken),
    number("agentdiag.fact.queue_ns", N::Queue),
    number("agentdiag.fact.prefill_ns", N::Prefill),
    number("agentdiag.fact.decode_ns", N::Decode),
    number("agentdiag.fact.model_time_ns", N::ModelTime),
    number("agentdiag.fact.tool_time_ns", N::ToolTime),
    number("agentdiag.fact.reported_cost_usd", N::Cost),
    number("agentdiag.fact.http_status", N::HttpStatus),
    number("agentdiag.fact.resends", N::Resends),
    number("agentdiag.fact.streamed", N::Streamed),
    number("agentdiag.fact.steps", N::Steps),
    number("agentdiag.fact.rollup_input_tokens", N::RollupInput),
    number("agentdiag.fact.rollup_output_tokens", N::RollupOutput),
];

fn roles(value: &str) -> Option<Role> {
    let op = match value {
        "task" => Op::Task,
        "agent" => Op::Agent,
        "step" => Op::Step,
        "llm" => Op::Llm,
        "engine" => Op::Engine,
        "tool" => Op::Tool,
        "mcp" => Op::Mcp,
        "retrieval" => Op::Retrieval,
        "embedding" => Op::Embedding,
        "guardrail" => Op::Guardrail,
        "http" => Op::Http,
        "human_wait" => Op::HumanWait,
        "other" => Op::Other,
        _ => return None,
    };
    Some(Role::Is(op))
}
