//! LiteLLM proxy and SDK.

use super::field::{NumberField as N, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, number, text, unused};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "litellm",
    gives: "real provider and model after routing, tokens, cost",
    loses: "tools, unless through MCP",
    trust: Trust::Vendor,
    scopes: &[Pattern::Is("litellm")],
    keys: KEYS,
    unused: &[
        "litellm.",
        "metadata.",
        "llm.openai.",
        "llm.anthropic.",
        "llm.azure.",
        "llm.bedrock.",
    ],
    names: &[
        (Pattern::Is("raw_gen_ai_request"), Role::Noise),
        (Pattern::Is("litellm_request"), Role::Is(Op::Llm)),
        (
            Pattern::Is("Received Proxy Server Request"),
            Role::Is(Op::Agent),
        ),
    ],
    includes_cache: |_| Some(true),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    text("litellm.provider.model", T::Answered),
    number("litellm.cost.total", N::Cost),
    number("litellm.request.streaming", N::Streamed),
    text("litellm.provider.error.code", T::ErrorType),
    text("litellm.team.id", T::Tenant),
    text("metadata.user_api_key_team_id", T::Tenant),
    text("litellm.end_user.id", T::User),
    unused("litellm.model_group"),
    unused("litellm.call_id"),
];
