//! Gemini CLI: GenAI keys with words of its own for operations, output without what was thought.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, millis, number, raw, text};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "gemini-cli",
    gives: "roles, tokens, cached and reasoning tokens; calls from its log as well",
    loses: "time to first token, endpoint, attempts inside a call",
    trust: Trust::Vendor,
    scopes: &[Pattern::Starts("gemini-cli"), Pattern::Starts("gemini_cli")],
    keys: KEYS,
    unused: &["gemini_cli."],
    names: &[
        (Pattern::Is("gemini_cli.api_response"), Role::Is(Op::Llm)),
        (Pattern::Is("gemini_cli.api_error"), Role::Is(Op::Llm)),
        (Pattern::Is("gemini_cli.tool_call"), Role::Is(Op::Tool)),
    ],
    includes_cache: |_| Some(true),
    reasoning_apart: true,
    ..Dialect::SILENT
};

/// Plain names of its log records.
const KEYS: &[Key] = &[
    text("prompt_id", T::RecordKind).own(),
    text("model", T::Requested).own(),
    text("model_name", T::Requested).own(),
    number("input_token_count", N::Input).own(),
    number("output_token_count", N::Output).own(),
    number("cached_content_token_count", N::Cached).own(),
    number("thoughts_token_count", N::Reasoning).own(),
    number("total_token_count", N::Total).own(),
    raw("finish_reasons", R::Finish).own(),
    text("error_type", T::ErrorType).own(),
    text("function_name", T::Tool).own(),
    raw("function_args", R::Arguments).own(),
    number("success", N::Success).own(),
    millis("duration_ms", N::ToolTime).own(),
];
