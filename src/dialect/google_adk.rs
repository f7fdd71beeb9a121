//! Google ADK: GenAI keys, a debugger's copy of parallel tools, usage inside the response of 1.x.

use super::blob;
use super::field::{NumberField as N, RawField as R, TextField as T};
use super::slots::Slots;
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, raw, text, unused};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "google-adk",
    gives: "roles, tokens, cached tokens",
    loses: "time to first token, endpoint, attempts inside a call",
    trust: Trust::Vendor,
    scopes: &[Pattern::Is("gcp.vertex.agent")],
    keys: KEYS,
    unused: &["gcp.vertex.agent."],
    own_names: &[
        (Pattern::Is("execute_tool (merged)"), Role::Noise),
        (Pattern::Is("invocation"), Role::Is(Op::Agent)),
        (Pattern::Starts("agent_run"), Role::Is(Op::Agent)),
        (Pattern::Is("call_llm"), Role::Is(Op::Llm)),
        (Pattern::Starts("generate_content"), Role::Is(Op::Llm)),
    ],
    includes_cache: |_| Some(true),
    details: Some(details),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    text("gcp.vertex.agent.session_id", T::Conversation),
    raw("gcp.vertex.agent.llm_response", R::Usage),
    raw("gcp.vertex.agent.tool_call_args", R::Arguments),
    unused("gcp.vertex.agent.llm_request"),
    unused("gcp.vertex.agent.tool_response"),
    unused("gcp.vertex.agent.invocation_id"),
    unused("gcp.vertex.agent.event_id"),
];

/// The only place where 1.x says how much was cached and thought.
fn details(slots: &mut Slots<'_>) {
    let Some(packed) = slots.raw_text(R::Usage) else {
        return;
    };
    blob::walk(packed, |parent, key, value| {
        if parent != b"usage_metadata" {
            return;
        }
        let field = match key {
            b"prompt_token_count" => N::Input,
            b"candidates_token_count" => N::Output,
            b"cached_content_token_count" => N::Cached,
            b"thoughts_token_count" => N::Reasoning,
            b"total_token_count" => N::Total,
            _ => return,
        };
        if let Some(number) = value.number() {
            slots.offer(field, R::Usage, number);
        }
    });
}
