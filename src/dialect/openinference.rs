//! OpenInference (Arize), and spans of other emitters that its processors rewrote.

use super::blob::{self, Scalar};
use super::field::{NumberField as N, RawField as R, TextField as T};
use super::slots::Slots;
use super::vocabulary::{
    Counter, Dialect, Key, Pattern, Role, Trust, millis, number, raw, role, text, unused,
};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "openinference",
    gives: "roles, tokens, cached tokens, tool arguments",
    loses: "endpoint, attempts inside a call; first-token times only as events",
    trust: Trust::OpenInference,
    scopes: &[
        Pattern::Starts("openinference.instrumentation."),
        Pattern::Starts("@arizeai/openinference-instrumentation-"),
    ],
    keys: KEYS,
    unused: &[
        "llm.token_count.",
        "llm.cost.",
        "llm.input_messages",
        "llm.output_messages",
        "llm.prompt",
        "llm.choices",
        "llm.tools",
        "input.",
        "output.",
        "retrieval.",
        "reranker.",
        "embedding.",
        "document.",
        "tool.",
    ],
    roles,
    own_names: &[(Pattern::Ends("._prepare_chat_with_tools"), Role::Noise)],
    first_token_events: &["First Token Stream Event"],
    includes_cache,
    details: Some(read_invocation),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("openinference.span.kind", 1),
    text("llm.provider", T::Provider),
    text("llm.system", T::Provider),
    text("llm.request.model_name", T::Requested),
    text("llm.model_name", T::Requested),
    text("embedding.model_name", T::Requested),
    text("reranker.model_name", T::Requested),
    text("llm.response.model_name", T::Answered),
    number("llm.token_count.prompt", N::Input),
    number("llm.token_count.completion", N::Output),
    number("llm.token_count.total", N::Total),
    number("llm.token_count.prompt_details.cache_read", N::Cached),
    number("llm.token_count.prompt_details.cache_input", N::Cached),
    number("llm.token_count.prompt_details.cache_write", N::CacheWrite),
    number("llm.token_count.completion_details.reasoning", N::Reasoning),
    number("llm.cost.total", N::Cost),
    millis("time_to_first_token_ms", N::FirstToken),
    raw("llm.finish_reason", R::Finish),
    raw("llm.invocation_parameters", R::Invocation),
    text("agent.name", T::Agent),
    text("graph.node.id", T::Entity),
    text("tool.name", T::Tool),
    text("tool.id", T::ToolCallId),
    raw("input.value", R::Arguments),
    unused("output.value"),
    unused("input.mime_type"),
    unused("output.mime_type"),
    unused("tool.parameters"),
    unused("tool.current_usage_count"),
    unused("tool.cache_function"),
];

fn roles(value: &str) -> Option<Role> {
    Some(match value {
        "LLM" => Role::Is(Op::Llm),
        "TOOL" => Role::Is(Op::Tool),
        "AGENT" => Role::Is(Op::Agent),
        "CHAIN" => Role::Chain,
        "RETRIEVER" => Role::Is(Op::Retrieval),
        "EMBEDDING" | "RERANKER" => Role::Is(Op::Embedding),
        "GUARDRAIL" | "EVALUATOR" => Role::Is(Op::Guardrail),
        other if other.bytes().any(|b| b.is_ascii_lowercase()) => {
            return roles(&other.to_ascii_uppercase());
        }
        _ => return None,
    })
}

fn includes_cache(counter: &Counter<'_>) -> Option<bool> {
    let raw = counter.scope.ends_with(".bedrock") || counter.scope.ends_with(".claude_agent_sdk");
    Some(!raw)
}

/// Whether the answer was streamed, and where the call went.
pub(super) fn read_invocation(slots: &mut Slots<'_>) {
    let Some(packed) = slots.raw_text(R::Invocation) else {
        return;
    };
    blob::walk(packed, |parent, key, value| match (parent, key, value) {
        (b"", b"stream", Scalar::Bool(truth)) => {
            slots.offer(N::Streamed, R::Invocation, f64::from(u8::from(truth)));
        }
        (b"", b"base_url" | b"api_base", value) => {
            if let Some(url) = value.text() {
                slots.offer_text(T::Url, R::Invocation, url);
            }
        }
        _ => {}
    });
}
