//! OpenTelemetry's GenAI conventions, every generation from 1.26 on, and the keys that
//! frameworks add inside the same namespace.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{
    Counter, Dialect, Key, Pattern, Role, Trust, millis, number, raw, role, seconds, text, unused,
};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "otel-genai",
    gives: "roles, models, tokens, endpoint; first-token times in new versions",
    loses: "cached tokens before 1.40, attempts inside a call",
    trust: Trust::GenAi,
    scopes: &[
        Pattern::Is("gen_ai"),
        Pattern::Is("opentelemetry.instrumentation.openai_v2"),
        Pattern::Is("opentelemetry.instrumentation.google_genai"),
        Pattern::Is("opentelemetry.instrumentation.vertexai"),
        Pattern::Is("opentelemetry.util.genai.handler"),
        Pattern::Starts("Experimental.Microsoft."),
        Pattern::Starts("Microsoft.SemanticKernel"),
        Pattern::Starts("semantic_kernel"),
        Pattern::Starts("agent_framework"),
        Pattern::Starts("openlit"),
    ],
    keys: KEYS,
    unused: &[
        "gen_ai.usage.details.",
        "gen_ai.aggregated_usage.",
        "gen_ai.request.",
        "gen_ai.prompt",
        "gen_ai.content.",
        "gen_ai.input.",
        "gen_ai.output.",
        "gen_ai.tool.",
        "gen_ai.evaluation.",
        "gen_ai.token.",
    ],
    roles,
    names: &[
        (Pattern::Is("orchestrate_tools"), Role::Is(Op::Agent)),
        (Pattern::Starts("workflow.run"), Role::Workflow),
        (Pattern::Starts("executor.process"), Role::Is(Op::Step)),
        (Pattern::Is("execute_event_loop_cycle"), Role::Is(Op::Step)),
        (Pattern::Starts("invoke_agent"), Role::Is(Op::Agent)),
        (Pattern::Starts("invoke_workflow"), Role::Workflow),
        (Pattern::Starts("execute_tool "), Role::Is(Op::Tool)),
    ],
    first_token_events: &["gen_ai.content.completion.chunk", "gen_ai.content.chunk"],
    includes_cache,
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("gen_ai.operation.name", 3),
    text("gen_ai.provider.name", T::Provider),
    text("gen_ai.system", T::Provider),
    text("gen_ai.llm.provider", T::Provider),
    text("gen_ai.request.provider", T::Provider),
    text("gen_ai.request.model", T::Requested),
    text("gen_ai.response.model", T::Answered),
    text("gen_ai.response.id", T::ResponseId),
    text("gen_ai.request.id", T::ResponseId),
    raw("gen_ai.response.finish_reasons", R::Finish),
    raw("gen_ai.response.finish_reason", R::Finish),
    text("openai.response.system_fingerprint", T::Fingerprint),
    text("gen_ai.openai.response.system_fingerprint", T::Fingerprint),
    text("openai.response.service_tier", T::Tier),
    text("gen_ai.openai.response.service_tier", T::Tier),
    text("openai.request.service_tier", T::Tier),
    text("gen_ai.openai.request.service_tier", T::Tier),
    text("gen_ai.conversation.id", T::Conversation),
    number("gen_ai.usage.input_tokens", N::Input),
    number("gen_ai.usage.prompt_tokens", N::Input),
    number("gen_ai.usage.output_tokens", N::Output),
    number("gen_ai.usage.completion_tokens", N::Output),
    number("gen_ai.usage.cache_read.input_tokens", N::Cached),
    number("gen_ai.usage.cache_read_input_tokens", N::Cached),
    number("gen_ai.usage.details.cache_read_tokens", N::Cached),
    number("gen_ai.usage.details.cached_tokens", N::Cached),
    number(
        "gen_ai.usage.prompt_tokens_details.cached_tokens",
        N::Cached,
    ),
    number("gen_ai.usage.cached_tokens", N::Cached),
    number("gen_ai.usage.cache_write.input_tokens", N::CacheWrite),
    number("gen_ai.usage.cache_creation.input_tokens", N::CacheWrite),
    number("gen_ai.usage.cache_creation_input_tokens", N::CacheWrite),
    number("gen_ai.usage.cache_write_input_tokens", N::CacheWrite),
    number("gen_ai.usage.details.cache_write_tokens", N::CacheWrite),
    number(
        "gen_ai.usage.prompt_tokens_details.cache_creation_tokens",
        N::CacheWrite,
    ),
    number(
        "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
        N::CacheWriteHour,
    ),
    number("gen_ai.usage.reasoning.output_tokens", N::Reasoning),
    number("gen_ai.usage.reasoning_tokens", N::Reasoning),
    number("gen_ai.usage.details.reasoning_tokens", N::Reasoning),
    number(
        "gen_ai.usage.completion_tokens_details.reasoning_tokens",
        N::Reasoning,
    ),
    number("gen_ai.usage.total_tokens", N::Total),
    number("gen_ai.aggregated_usage.input_tokens", N::RollupInput),
    number("gen_ai.aggregated_usage.output_tokens", N::RollupOutput),
    number("gen_ai.usage.cost", N::Cost),
    number("gen_ai.cost.total_cost", N::Cost),
    seconds("gen_ai.response.time_to_first_chunk", N::FirstToken),
    seconds("gen_ai.client.operation.time_to_first_chunk", N::FirstToken),
    seconds("gen_ai.client.inference.time_to_first_chunk", N::FirstToken),
    seconds("gen_ai.server.time_to_first_token", N::ServerFirstToken),
    seconds("gen_ai.client.operation.duration", N::ModelTime),
    number("gen_ai.request.stream", N::Streamed),
    text("gen_ai.agent.name", T::Agent),
    text("gen_ai.workflow.name", T::Workflow),
    text("gen_ai.tool.name", T::Tool),
    text("gen_ai.tool.call.id", T::ToolCallId),
    text("gen_ai.tool.call_id", T::ToolCallId),
    raw("gen_ai.tool.call.arguments", R::Arguments),
    text("gen_ai.tool.status", T::ToolStatus),
    text("gen_ai.task.status", T::ToolStatus),
    text("gen_ai.framework.error.type", T::ErrorType),
    millis("gen_ai.tool.duration_ms", N::ToolTime),
    unused("gen_ai.request.max_tokens"),
    unused("gen_ai.token.type"),
    unused("gen_ai.agent.id"),
    unused("gen_ai.tool.definitions"),
    unused("gen_ai.input.messages"),
    unused("gen_ai.output.messages"),
    unused("gen_ai.system_instructions"),
    unused("gen_ai.usage.tokens_per_second"),
];

/// What `gen_ai.operation.name` says; words of emitters outside the list of the conventions too.
fn roles(value: &str) -> Option<Role> {
    let op = match value {
        "chat" | "text_completion" | "generate_content" | "completion" | "generate"
        | "llm_call" => Op::Llm,
        "embeddings" | "embedding" | "rerank" => Op::Embedding,
        "execute_tool" | "tool_call" => Op::Tool,
        "retrieval" => Op::Retrieval,
        "invoke_agent" | "create_agent" | "agent_call" => Op::Agent,
        "invoke_workflow" => return Some(Role::Workflow),
        "agent_step"
        | "execute_event_loop_cycle"
        | "schedule_tool_calls"
        | "execute_task"
        | "plan" => Op::Step,
        other if other.bytes().any(|b| b.is_ascii_uppercase()) => {
            return roles(&other.to_ascii_lowercase());
        }
        _ => return None,
    };
    Some(Role::Is(op))
}

/// Inclusive by the conventions since 1.40, which the dotted cache keys mark; before that it
/// depends on the emitter.
fn includes_cache(counter: &Counter<'_>) -> Option<bool> {
    if counter.scope.starts_with("openlit") {
        return (counter.provider == "anthropic").then_some(false);
    }
    let dotted =
        counter.slots.number_key(N::Cached) == Some("gen_ai.usage.cache_read.input_tokens");
    dotted.then_some(true)
}
