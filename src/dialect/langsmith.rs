//! LangSmith SDK over OTLP: its own kind key, usage details as a Python `repr`.

use super::blob;
use super::field::{NumberField as N, RawField as R, TextField as T};
use super::slots::Slots;
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, number, raw, role, text, unused};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "langsmith",
    gives: "roles, tokens, first-token times",
    loses: "endpoint, attempts inside a call",
    trust: Trust::Vendor,
    scopes: &[Pattern::Starts("langsmith")],
    keys: KEYS,
    unused: &["langsmith.", "gen_ai.serialized."],
    roles,
    includes_cache: |counter| (counter.provider != "aws.bedrock").then_some(true),
    details: Some(details),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("langsmith.span.kind", 2),
    number("langsmith.request.streaming", N::Streamed),
    text("langsmith.metadata.thread_id", T::Conversation),
    number("langsmith.metadata.langgraph_step", N::Round),
    text("langsmith.metadata.session_id", T::Conversation),
    raw("gen_ai.usage.input_token_details", R::Usage),
    unused("langsmith.trace.session_id"),
    unused("langsmith.trace.session_name"),
    unused("gen_ai.usage.output_token_details"),
];

fn roles(value: &str) -> Option<Role> {
    Some(Role::Is(match value {
        "llm" => Op::Llm,
        "chain" => return Some(Role::Chain),
        "tool" => Op::Tool,
        "retriever" => Op::Retrieval,
        "embedding" => Op::Embedding,
        "prompt" | "parser" => Op::Other,
        _ => return None,
    }))
}

fn details(slots: &mut Slots<'_>) {
    let Some(packed) = slots.raw_text(R::Usage) else {
        return;
    };
    blob::walk(packed, |_, key, value| {
        let field = match key {
            b"cache_read" => N::Cached,
            b"cache_creation" => N::CacheWrite,
            b"ephemeral_1h_input_tokens" => N::CacheWriteHour,
            _ => return,
        };
        if let Some(number) = value.number() {
            slots.offer(field, R::Usage, number);
        }
    });
}
