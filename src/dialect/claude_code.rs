//! Claude Code: plain keys, usage without cached tokens, and time spent waiting for a person.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, millis, number, raw, text};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "claude-code",
    gives: "tokens, first-token times, attempts, waiting for a person",
    loses: "cost on spans; human waits only where spans are on",
    trust: Trust::Vendor,
    scopes: &[Pattern::Starts("com.anthropic.claude_code")],
    keys: KEYS,
    unused: &["interaction.", "user_prompt", "new_context"],
    names: &[
        (Pattern::Is("claude_code.interaction"), Role::Is(Op::Agent)),
        (Pattern::Is("claude_code.llm_request"), Role::Is(Op::Llm)),
        (Pattern::Is("claude_code.api_request"), Role::Is(Op::Llm)),
        (Pattern::Is("claude_code.api_error"), Role::Is(Op::Llm)),
        (Pattern::Is("claude_code.tool_result"), Role::Is(Op::Tool)),
        (Pattern::Is("claude_code.tool"), Role::Is(Op::Tool)),
        (
            Pattern::Is("claude_code.tool.blocked_on_user"),
            Role::Is(Op::HumanWait),
        ),
        (
            Pattern::Is("claude_code.tool.execution"),
            Role::Is(Op::Other),
        ),
    ],
    includes_cache: |_| Some(false),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    number("interaction.sequence", N::Turn),
    // The turn a record belongs to, for the reader of its log.
    text("prompt.id", T::RecordKind).own(),
    text("model", T::Requested).own(),
    number("input_tokens", N::Input).own(),
    number("output_tokens", N::Output).own(),
    number("cache_read_tokens", N::Cached).own(),
    number("cache_creation_tokens", N::CacheWrite).own(),
    millis("ttft_ms", N::FirstToken).own(),
    number("cost_usd", N::Cost).own(),
    number("attempt", N::Attempt).own(),
    number("success", N::Success).own(),
    raw("stop_reason", R::Finish).own(),
    text("request_id", T::ResponseId).own(),
    text("error", T::ErrorText).own(),
    text("error_type", T::ErrorType).own(),
    text("tool_name", T::Tool).own(),
    text("tool_use_id", T::ToolCallId).own(),
    raw("tool_input", R::Arguments).own(),
];
