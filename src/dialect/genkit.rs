//! Firebase Genkit: the kind of an action beside it, usage inside the JSON of what a model answered.

use super::blob;
use super::field::{NumberField as N, RawField as R, TextField as T};
use super::slots::Slots;
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, raw, role, text, unused};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "genkit",
    gives: "roles, tokens, cached and reasoning tokens, tool arguments",
    loses: "time to first token, endpoint, attempts",
    trust: Trust::Vendor,
    scopes: &[Pattern::Is("genkit-tracer")],
    keys: KEYS,
    unused: &["genkit:"],
    roles,
    includes_cache: |_| Some(true),
    details: Some(details),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("genkit:metadata:subtype", 5),
    text("genkit:name", T::Entity),
    text("genkit:sessionId", T::Conversation),
    raw("genkit:output", R::Usage),
    raw("genkit:input", R::Arguments),
    unused("genkit:path"),
];

fn roles(value: &str) -> Option<Role> {
    Some(Role::Is(match value {
        "model" => Op::Llm,
        "embedder" | "reranker" => Op::Embedding,
        "tool" => Op::Tool,
        "retriever" | "indexer" => Op::Retrieval,
        "evaluator" => Op::Guardrail,
        "flow" | "agent" => Op::Agent,
        _ => return None,
    }))
}

fn details(slots: &mut Slots<'_>) {
    // An action of a model is named after it.
    if let (Some(Role::Is(Op::Llm)), Some(name)) = (slots.role(), slots.text(T::Entity)) {
        slots.offer_text(T::Requested, R::Usage, name);
    }
    let Some(packed) = slots.raw_text(R::Usage) else {
        return;
    };
    blob::walk(packed, |parent, key, value| {
        let field = match (parent, key) {
            (b"usage", b"inputTokens") => N::Input,
            (b"usage", b"outputTokens") => N::Output,
            (b"usage", b"totalTokens") => N::Total,
            (b"usage", b"thoughtsTokens") => N::Reasoning,
            (b"usage", b"cachedContentTokens") => N::Cached,
            _ => return,
        };
        if let Some(number) = value.number() {
            slots.offer(field, R::Usage, number);
        }
    });
}
