//! Frameworks of which only names or a few keys differ: Strands, Haystack, CrewAI's telemetry,
//! MLflow, Spring AI, TGI.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::langfuse;
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, number, raw, role, text, unused};
use crate::model::Op;

/// Strands: a scope named after the service, so it is known by its keys.
pub(super) const STRANDS: Dialect = Dialect {
    name: "strands",
    trust: Trust::Vendor,
    scopes: &[Pattern::Starts("strands")],
    keys: &[
        unused("event_loop.cycle_id"),
        unused("event_loop.parent_cycle_id"),
    ],
    unused: &["event_loop.", "gen_ai.agent.tools"],
    ..Dialect::SILENT
};

/// Haystack: roles in span names, usage only inside content.
pub(super) const HAYSTACK: Dialect = Dialect {
    name: "haystack",
    trust: Trust::Vendor,
    keys: &[
        text("haystack.tool.name", T::Tool),
        text("haystack.component.name", T::Entity),
        number("haystack.agent.steps_taken", N::Steps),
    ],
    unused: &["haystack."],
    names: &[
        (Pattern::Is("haystack.pipeline.run"), Role::Is(Op::Agent)),
        (Pattern::Is("haystack.agent.run"), Role::Is(Op::Agent)),
        (Pattern::Is("haystack.agent.step"), Role::Is(Op::Step)),
        (Pattern::Is("haystack.agent.step.llm"), Role::Is(Op::Llm)),
        (Pattern::Is("haystack.agent.step.tool"), Role::Is(Op::Tool)),
    ],
    ..Dialect::SILENT
};

/// CrewAI's own telemetry: markers without duration, sent to the vendor.
pub(super) const CREWAI: Dialect = Dialect {
    name: "crewai-telemetry",
    trust: Trust::Vendor,
    scopes: &[Pattern::Is("crewai.telemetry")],
    unused: &["crew_", "task_key"],
    own_names: &[(Pattern::Starts(""), Role::Noise)],
    ..Dialect::SILENT
};

/// MLflow: every value is JSON text, also the kind.
pub(super) const MLFLOW: Dialect = Dialect {
    name: "mlflow",
    trust: Trust::Vendor,
    keys: MLFLOW_KEYS,
    unused: &["mlflow."],
    roles: mlflow_roles,
    includes_cache: |_| Some(true),
    details: Some(langfuse::read_usage),
    ..Dialect::SILENT
};

const MLFLOW_KEYS: &[Key] = &[
    role("mlflow.spanType", 4),
    raw("mlflow.chat.tokenUsage", R::Usage),
    raw("mlflow.spanInputs", R::Arguments),
    unused("mlflow.trace.tokenUsage"),
];

fn mlflow_roles(value: &str) -> Option<Role> {
    Some(Role::Is(match value.trim_matches(['"', '\\']) {
        "LLM" | "CHAT_MODEL" => Op::Llm,
        "CHAIN" | "TASK" => return Some(Role::Chain),
        "AGENT" => Op::Agent,
        "WORKFLOW" => return Some(Role::Workflow),
        "TOOL" => Op::Tool,
        "RETRIEVER" => Op::Retrieval,
        "EMBEDDING" | "RERANKER" => Op::Embedding,
        "GUARDRAIL" | "EVALUATOR" => Op::Guardrail,
        _ => return None,
    }))
}

/// Spring AI over Micrometer.
pub(super) const SPRING: Dialect = Dialect {
    name: "spring-ai",
    trust: Trust::Vendor,
    keys: &[
        text("spring.ai.tool.definition.name", T::Tool),
        text("spring.ai.tool.call.id", T::ToolCallId),
        raw("spring.ai.tool.call.arguments", R::Arguments),
        text("spring.ai.chat.client.conversation.id", T::Conversation),
        number("spring.ai.chat.client.stream", N::Streamed),
    ],
    unused: &["spring.ai."],
    ..Dialect::SILENT
};
