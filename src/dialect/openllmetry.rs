//! OpenLLMetry (Traceloop), from the `llm.*` names before 0.5 to today's GenAI ones.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{
    Counter, Dialect, Key, Pattern, Role, Trust, number, raw, role, text, unused,
};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "openllmetry",
    gives: "roles, tokens, cached tokens, base URL",
    loses: "attempts inside a call",
    trust: Trust::Traceloop,
    scopes: &[
        Pattern::Is("traceloop.tracer"),
        Pattern::Starts("opentelemetry.sdk.traceloop"),
        Pattern::Starts("opentelemetry.instrumentation.openai.v"),
        Pattern::Is("opentelemetry.instrumentation.anthropic"),
        Pattern::Is("opentelemetry.instrumentation.bedrock"),
        Pattern::Is("opentelemetry.instrumentation.langchain"),
        Pattern::Is("opentelemetry.instrumentation.llamaindex"),
        Pattern::Is("opentelemetry.instrumentation.crewai"),
        Pattern::Is("opentelemetry.instrumentation.cohere"),
        Pattern::Is("opentelemetry.instrumentation.groq"),
        Pattern::Is("opentelemetry.instrumentation.mistralai"),
        Pattern::Is("opentelemetry.instrumentation.ollama"),
        Pattern::Is("opentelemetry.instrumentation.mcp"),
        Pattern::Is("opentelemetry.instrumentation.openai_agents"),
        Pattern::Is("opentelemetry.instrumentation.google_generativeai"),
        Pattern::Is("opentelemetry.instrumentation.together"),
        Pattern::Is("opentelemetry.instrumentation.replicate"),
        Pattern::Is("opentelemetry.instrumentation.watsonx"),
        Pattern::Is("opentelemetry.instrumentation.haystack"),
    ],
    keys: KEYS,
    unused: &[
        "traceloop.entity.",
        "traceloop.prompt.",
        "llm.headers",
        "llm.request.",
        "llm.response.",
        "llm.usage.",
        "crewai.",
    ],
    roles,
    own_names: &[
        (Pattern::Ends(".workflow"), Role::Workflow),
        (Pattern::Ends(".agent"), Role::Is(Op::Agent)),
        (Pattern::Ends(".tool"), Role::Is(Op::Tool)),
        (Pattern::Ends(".task"), Role::Chain),
        (Pattern::Ends(".mcp"), Role::Is(Op::Mcp)),
        (Pattern::Is("mcp.server"), Role::Is(Op::Mcp)),
        (Pattern::Is("mcp.client.session"), Role::Is(Op::Mcp)),
        (Pattern::Ends(".chat"), Role::Is(Op::Llm)),
        (Pattern::Ends(".completion"), Role::Is(Op::Llm)),
        (Pattern::Ends(".embeddings"), Role::Is(Op::Embedding)),
    ],
    first_token_events: &["llm.content.completion.chunk"],
    includes_cache,
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("traceloop.span.kind", 7),
    role("llm.request.type", 8),
    text("traceloop.entity.name", T::Entity),
    text("traceloop.workflow.name", T::Workflow),
    raw("traceloop.entity.input", R::Arguments),
    text(
        "traceloop.association.properties.session_id",
        T::Conversation,
    ),
    text(
        "traceloop.association.properties.conversation_id",
        T::Conversation,
    ),
    text(
        "traceloop.association.properties.thread_id",
        T::Conversation,
    ),
    text("traceloop.association.properties.tenant", T::Tenant),
    text("traceloop.association.properties.tenant_id", T::Tenant),
    text("traceloop.association.properties.customer_id", T::Tenant),
    text("traceloop.association.properties.task_type", T::TaskType),
    text("traceloop.association.properties.user_id", T::User),
    text("gen_ai.user", T::User),
    number("traceloop.association.properties.langgraph_step", N::Round),
    text("llm.user", T::User),
    text("gen_ai.openai.api_base", T::Url),
    text("llm.openai.api_base", T::Url),
    text("llm.vendor", T::Provider),
    text("llm.request.model", T::Requested),
    text("llm.response.model", T::Answered),
    number("gen_ai.is_streaming", N::Streamed),
    number("llm.is_streaming", N::Streamed),
    number("llm.usage.prompt_tokens", N::Input),
    number("llm.usage.completion_tokens", N::Output),
    number("llm.usage.total_tokens", N::Total),
    number("llm.usage.cache_read_input_tokens", N::Cached),
    number("llm.usage.cache_creation_input_tokens", N::CacheWrite),
    number("llm.usage.reasoning_tokens", N::Reasoning),
    raw("gen_ai.completion.0.finish_reason", R::Finish),
    raw("llm.completions.0.finish_reason", R::Finish),
    raw("llm.response.finish_reason", R::Finish),
    raw("llm.response.stop_reason", R::Finish),
    text("gen_ai.openai.system_fingerprint", T::Fingerprint),
    text("llm.openai.system_fingerprint", T::Fingerprint),
    unused("traceloop.entity.output"),
    unused("traceloop.entity.path"),
];

fn roles(value: &str) -> Option<Role> {
    Some(match value {
        "workflow" => Role::Workflow,
        "agent" => Role::Is(Op::Agent),
        "task" => Role::Chain,
        "tool" => Role::Is(Op::Tool),
        "chat" | "completion" | "llm" => Role::Is(Op::Llm),
        "embedding" | "rerank" => Role::Is(Op::Embedding),
        _ => return None,
    })
}

/// The instrumentations add cached tokens to what the vendor counts, except for Bedrock.
fn includes_cache(counter: &Counter<'_>) -> Option<bool> {
    Some(!counter.scope.ends_with(".bedrock"))
}
