//! Langfuse SDK over OTLP: usage, cost and times stand in JSON inside strings.

use super::blob;
use super::field::{NumberField as N, RawField as R, TextField as T};
use super::slots::Slots;
use super::vocabulary::{Counter, Dialect, Key, Pattern, Role, Trust, raw, role, text, unused};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "langfuse",
    gives: "roles, tokens, cost, first-token times",
    loses: "endpoint, attempts",
    trust: Trust::Vendor,
    scopes: &[Pattern::Is("langfuse-sdk")],
    keys: KEYS,
    unused: &["langfuse."],
    roles,
    includes_cache,
    details: Some(details),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("langfuse.observation.type", 0),
    text("langfuse.observation.model.name", T::Requested),
    raw("langfuse.observation.usage_details", R::Usage),
    raw("langfuse.observation.cost_details", R::CostDetails),
    raw(
        "langfuse.observation.completion_start_time",
        R::FirstTokenAt,
    ),
    raw("langfuse.observation.metadata.finish_reason", R::Finish),
    text("langfuse.observation.level", T::Level),
    text("langfuse.observation.status_message", T::ErrorText),
    raw("langfuse.observation.input", R::Arguments),
    raw("langfuse.trace.metadata", R::Metadata),
    text("langfuse.session.id", T::Conversation),
    text("langfuse.user.id", T::User),
    unused("langfuse.observation.output"),
    unused("langfuse.observation.model.parameters"),
    unused("langfuse.observation.prompt.name"),
];

/// Old clients write `span` for everything: that says nothing.
fn roles(value: &str) -> Option<Role> {
    Some(Role::Is(match value {
        "generation" => Op::Llm,
        "embedding" => Op::Embedding,
        "agent" => Op::Agent,
        "chain" => return Some(Role::Chain),
        "tool" => Op::Tool,
        "retriever" => Op::Retrieval,
        "guardrail" | "evaluator" => Op::Guardrail,
        _ => return None,
    }))
}

/// OpenAI-shaped keys include cached tokens; the buckets of `input` beside `input_cached_tokens`
/// are disjoint and were summed while reading.
fn includes_cache(_: &Counter<'_>) -> Option<bool> {
    Some(true)
}

fn details(slots: &mut Slots<'_>) {
    read_usage(slots);
    if let Some(packed) = slots.raw_text(R::CostDetails) {
        blob::walk(packed, |_, key, value| {
            if let (b"total", Some(dollars)) = (key, value.number()) {
                slots.offer(N::Cost, R::CostDetails, dollars);
            }
        });
    }
    super::general::read_metadata(slots);
}

/// Usage packed as JSON: keys of OpenAI, of Anthropic, of LangChain, or disjoint buckets.
pub(super) fn read_usage(slots: &mut Slots<'_>) {
    let Some(packed) = slots.raw_text(R::Usage) else {
        return;
    };
    let mut bucket = None;
    blob::walk(packed, |parent, key, value| {
        let Some(number) = value.number() else {
            return;
        };
        let field = match (parent, key) {
            (b"", b"prompt_tokens" | b"input_tokens" | b"promptTokens" | b"inputTokens") => {
                N::Input
            }
            (
                b"",
                b"completion_tokens" | b"output_tokens" | b"output" | b"completionTokens"
                | b"outputTokens",
            ) => N::Output,
            (b"", b"total_tokens" | b"total") => N::Total,
            (b"", b"input") => {
                bucket = Some(number);
                return;
            }
            (
                _,
                b"cached_tokens"
                | b"cache_read"
                | b"cached_input_tokens"
                | b"input_cached_tokens"
                | b"input_cache_read"
                | b"cache_read_input_tokens"
                | b"prompt_tokens_details.cached_tokens",
            ) => N::Cached,
            (
                _,
                b"cache_creation"
                | b"input_cache_creation"
                | b"cache_creation_input_tokens"
                | b"cache_write_input_tokens"
                | b"cache_write_tokens",
            ) => N::CacheWrite,
            (_, b"ephemeral_1h_input_tokens") => N::CacheWriteHour,
            (
                _,
                b"reasoning_tokens"
                | b"reasoning"
                | b"output_reasoning"
                | b"output_reasoning_tokens",
            ) => N::Reasoning,
            _ => return,
        };
        slots.offer(field, R::Usage, number);
    });
    if let Some(fresh) = bucket {
        let field = if slots.number(N::Cached).is_some() || slots.number(N::CacheWrite).is_some() {
            N::Fresh
        } else {
            N::Input
        };
        slots.offer(field, R::Usage, fresh);
    }
}
