//! Anthropic's SDK and API: GenAI keys of the newest generation, resends counted on one span.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, number, raw, text};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "anthropic-sdk",
    gives: "tokens with cache reads and writes, resends, request ids",
    loses: "one span for all attempts of a call",
    trust: Trust::Vendor,
    scopes: &[
        Pattern::Starts("com.anthropic.sdk."),
        Pattern::Starts("com.anthropic.claude-platform"),
    ],
    keys: KEYS,
    unused: &["anthropic."],
    own_names: &[
        (Pattern::Starts("anthropic.tool_use"), Role::Is(Op::Tool)),
        (Pattern::Starts("anthropic.messages"), Role::Is(Op::Llm)),
    ],
    includes_cache: |_| Some(true),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    raw("anthropic.message.stop_reason", R::Finish),
    text("anthropic.response.service_tier", T::Tier),
    number(
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        N::CacheWriteHour,
    ),
];
