//! Vercel AI SDK: `ai.*` spans of v3 to v6, whose roots repeat or sum what their steps used.

use super::blob;
use super::field::{NumberField as N, RawField as R, TextField as T};
use super::slots::Slots;
use super::vocabulary::{
    Counter, Dialect, Key, Pattern, Role, Trust, millis, number, raw, role, text, unused,
};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "vercel-ai",
    gives: "roles, tokens, first-token times, attempts as spans of their own",
    loses: "endpoint; attempts of generateText in v7",
    trust: Trust::Vendor,
    scopes: &[Pattern::Is("ai")],
    keys: KEYS,
    unused: &[
        "ai.usage.",
        "ai.settings.",
        "ai.prompt",
        "ai.response.",
        "ai.request.",
        "ai.toolCall.",
        "ai.model.",
        "ai.schema",
        "ai.value",
        "ai.embedding",
        "ai.stream.",
    ],
    roles,
    first_token_events: &["ai.stream.firstChunk"],
    includes_cache,
    details: Some(details),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("ai.operationId", 6),
    text("ai.model.provider", T::Provider),
    text("ai.model.id", T::Requested),
    text("ai.response.model", T::Answered),
    text("ai.response.id", T::ResponseId),
    raw("ai.response.finishReason", R::Finish),
    raw("ai.finishReason", R::Finish),
    number("ai.usage.inputTokens", N::Input),
    number("ai.usage.promptTokens", N::Input),
    number("ai.usage.tokens", N::Input),
    number("ai.usage.outputTokens", N::Output),
    number("ai.usage.completionTokens", N::Output),
    number("ai.usage.inputTokenDetails.cacheReadTokens", N::Cached),
    number("ai.usage.cachedInputTokens", N::Cached),
    number("ai.usage.inputTokenDetails.cacheWriteTokens", N::CacheWrite),
    number("ai.usage.outputTokenDetails.reasoningTokens", N::Reasoning),
    number("ai.usage.reasoningTokens", N::Reasoning),
    number("ai.usage.totalTokens", N::Total),
    millis("ai.response.msToFirstChunk", N::FirstToken),
    millis("ai.stream.msToFirstChunk", N::FirstToken),
    millis("ai.response.msToFinish", N::ModelTime),
    raw("ai.response.providerMetadata", R::Vendor),
    text("ai.telemetry.functionId", T::Agent),
    text("ai.telemetry.metadata.sessionId", T::Conversation),
    text("ai.telemetry.metadata.userId", T::User),
    text("ai.toolCall.name", T::Tool),
    text("ai.toolCall.id", T::ToolCallId),
    raw("ai.toolCall.args", R::Arguments),
    unused("ai.usage.inputTokenDetails.noCacheTokens"),
    unused("ai.response.avgOutputTokensPerSecond"),
    unused("ai.response.avgCompletionTokensPerSecond"),
];

/// `ai.generateText` is a wrapper; `ai.generateText.doGenerate` is the call.
fn roles(value: &str) -> Option<Role> {
    let rest = value.strip_prefix("ai.")?;
    let op = match rest {
        "toolCall" => Op::Tool,
        "embed" | "embedMany" => Op::Agent,
        "rerank.doRerank" => Op::Embedding,
        _ if rest.ends_with(".doEmbed") => Op::Embedding,
        _ if rest.ends_with(".doGenerate") || rest.ends_with(".doStream") => Op::Llm,
        "generateText" | "streamText" | "generateObject" | "streamObject" => Op::Agent,
        _ => return None,
    };
    Some(Role::Is(op))
}

/// Version 6 counts all tokens and says so by its details; before that Anthropic's and Bedrock's
/// own numbers, without cached tokens, were passed on.
fn includes_cache(counter: &Counter<'_>) -> Option<bool> {
    let detailed =
        counter.slots.number_key(N::Cached) == Some("ai.usage.inputTokenDetails.cacheReadTokens");
    let raw = matches!(counter.provider, "anthropic" | "aws.bedrock");
    Some(detailed || !raw)
}

/// Version 4 shows cached tokens only in what the vendor's client adds.
fn details(slots: &mut Slots<'_>) {
    let Some(packed) = slots.raw_text(R::Vendor) else {
        return;
    };
    blob::walk(packed, |_, key, value| {
        let field = match key {
            b"cache_read_input_tokens" | b"cachedPromptTokens" | b"cacheReadInputTokens" => {
                N::Cached
            }
            b"cacheCreationInputTokens"
            | b"cache_creation_input_tokens"
            | b"cacheWriteInputTokens" => N::CacheWrite,
            _ => return,
        };
        if let Some(number) = value.number() {
            slots.offer(field, R::Vendor, number);
        }
    });
}
