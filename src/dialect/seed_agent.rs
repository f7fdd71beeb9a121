//! The `agent.*` convention: `agent.request` > `agent.llm.reasoning` > `agent.tool.execute`.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, millis, number, raw, text, unused};
use crate::model::Op;

/// The dialect. A reasoning span stays open for its tools; `agent.llm.duration_ms` is the call.
pub(super) const DIALECT: Dialect = Dialect {
    name: "agent",
    gives: "roles, tokens, model and tool times, steps",
    loses: "cached tokens, endpoint, attempts",
    trust: Trust::Vendor,
    scopes: &[],
    keys: KEYS,
    unused: &["agent.llm.", "agent.tool.", "agent.model.", "agent.run."],
    names: &[
        (Pattern::Is("agent.request"), Role::Is(Op::Task)),
        (Pattern::Is("agent.llm.reasoning"), Role::Is(Op::Llm)),
        (Pattern::Is("agent.tool.execute"), Role::Is(Op::Tool)),
        (Pattern::Is("agent.subagent"), Role::Is(Op::Agent)),
    ],
    includes_cache: |_| Some(true),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    text("agent.model.name", T::Requested),
    text("agent.model.provider", T::Provider),
    number("agent.llm.tokens.input", N::Input),
    number("agent.llm.tokens.output", N::Output),
    number("agent.llm.tokens.cached", N::Cached),
    millis("agent.llm.ttft_ms", N::FirstToken),
    millis("agent.llm.duration_ms", N::ModelTime),
    raw("agent.llm.finish_reason", R::Finish),
    text("agent.tool.name", T::Tool),
    text("agent.tool.status", T::ToolStatus),
    millis("agent.tool.duration_ms", N::ToolTime),
    raw("agent.tool.args_hash", R::Arguments),
    raw("agent.tool.arguments", R::Arguments),
    text("agent.agent.id", T::Agent),
    text("agent.id", T::Agent),
    text("agent.task.type", T::TaskType),
    text("agent.request.type", T::TaskType),
    text("agent.tenant", T::Tenant),
    text("agent.session.id", T::Conversation),
    number("agent.run.total_steps", N::Steps),
    unused("agent.request.id"),
    number("agent.reasoning.step", N::Round),
    unused("agent.model.temperature"),
];
