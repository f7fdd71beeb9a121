//! Codex CLI: what its log says of requests and tools, under plain names.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, millis, number, raw, text};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "codex-cli",
    gives: "calls, attempts, tokens and tools from its log",
    loses: "time to first token of a call, tool trees",
    trust: Trust::Vendor,
    scopes: &[Pattern::Starts("codex")],
    keys: KEYS,
    unused: &["codex."],
    names: &[
        (Pattern::Is("codex.user_prompt"), Role::Noise),
        (Pattern::Is("codex.api_request"), Role::Is(Op::Llm)),
        (Pattern::Is("codex.sse_event"), Role::Is(Op::Llm)),
        (Pattern::Is("codex.tool_result"), Role::Is(Op::Tool)),
    ],
    includes_cache: |_| Some(true),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    // Kind of a record, and the turn it belongs to, for the reader of its log.
    text("event.kind", T::RecordKind).own(),
    text("turn.id", T::RecordKind).own(),
    text("model", T::Requested).own(),
    text("provider_name", T::Provider).own(),
    text("endpoint", T::Url).own(),
    text("conversation.id", T::Conversation).own(),
    number("input_token_count", N::Input).own(),
    number("output_token_count", N::Output).own(),
    number("cached_token_count", N::Cached).own(),
    number("reasoning_token_count", N::Reasoning).own(),
    number("http.response.status_code", N::HttpStatus).own(),
    text("error.message", T::ErrorText).own(),
    text("tool_name", T::Tool).own(),
    text("call_id", T::ToolCallId).own(),
    raw("arguments", R::Arguments).own(),
    number("success", N::Success).own(),
    millis("duration_ms", N::ToolTime).own(),
];
