//! Pydantic AI and Logfire: GenAI keys, sums on the run span, and announcements of spans.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, number, raw, text, unused};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "pydantic-ai",
    gives: "roles, tokens, cost, retries of tools",
    loses: "attempts inside a call",
    trust: Trust::Vendor,
    scopes: &[Pattern::Is("pydantic-ai"), Pattern::Is("pydantic_ai")],
    keys: KEYS,
    unused: &[
        "pydantic_ai.",
        "logfire.",
        "model_request_parameters",
        "model_name",
    ],
    own_names: &[
        (Pattern::Is("agent run"), Role::Is(Op::Agent)),
        (Pattern::Ends(" run"), Role::Is(Op::Agent)),
        (Pattern::Is("running tools"), Role::Is(Op::Step)),
        (Pattern::Starts("running tool"), Role::Is(Op::Tool)),
        (Pattern::Starts("chat "), Role::Is(Op::Llm)),
    ],
    includes_cache: |_| Some(true),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    number("operation.cost", N::Cost),
    text("agent_name", T::Agent).own(),
    raw("tool_arguments", R::Arguments),
    unused("gen_ai.agent.call.id"),
    unused("pydantic_ai.all_messages"),
    unused("all_messages_events"),
    unused("final_result"),
    unused("model_name"),
];
