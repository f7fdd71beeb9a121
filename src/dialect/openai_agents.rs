//! OpenAI Agents SDK through Logfire's processor: names are templates, turns and tasks repeat the
//! usage of the calls below them.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::slots::Slots;
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, number, raw, role, text};
use super::{langfuse, openinference};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "openai-agents",
    gives: "roles, tokens, turns",
    loses: "time to first token; usage of streamed chat completions",
    trust: Trust::Vendor,
    scopes: &[
        Pattern::Is("logfire.openai_agents"),
        Pattern::Starts("openai.agents"),
    ],
    keys: KEYS,
    roles,
    own_names: &[
        (Pattern::Starts("OpenAI Agents trace"), Role::Workflow),
        (Pattern::Starts("Agent run"), Role::Is(Op::Agent)),
        (Pattern::Starts("Chat completion with"), Role::Is(Op::Llm)),
        (Pattern::Starts("Responses API"), Role::Is(Op::Llm)),
        (Pattern::Starts("Function:"), Role::Is(Op::Tool)),
        (Pattern::Starts("MCP tools"), Role::Is(Op::Mcp)),
        (Pattern::Starts("Task:"), Role::Is(Op::Step)),
        (Pattern::Starts("Turn "), Role::Is(Op::Step)),
        (Pattern::Starts("Guardrail"), Role::Is(Op::Guardrail)),
    ],
    includes_cache: |_| Some(true),
    details: Some(details),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("sdk_span_type", 8).own(),
    text("name", T::Entity).own(),
    text("agent_name", T::Agent).own(),
    text("group_id", T::Conversation).own(),
    number("turn", N::Round).own(),
    text("response_id", T::ResponseId).own(),
    raw("input", R::Arguments).own(),
    raw("usage", R::Usage).own(),
    raw("model_config", R::Invocation).own(),
    text("error", T::ErrorText).own(),
];

fn roles(value: &str) -> Option<Role> {
    Some(Role::Is(match value {
        "task" | "turn" => Op::Step,
        "agent" => Op::Agent,
        "generation" | "response" => Op::Llm,
        "function" => Op::Tool,
        "guardrail" => Op::Guardrail,
        _ => return None,
    }))
}

fn details(slots: &mut Slots<'_>) {
    langfuse::read_usage(slots);
    openinference::read_invocation(slots);
}
