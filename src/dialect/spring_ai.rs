//! Spring AI over Micrometer: all values may be texts.

use super::field::{NumberField as N, RawField as R, TextField as T};
use super::vocabulary::{Dialect, Trust, number, raw, text};

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "spring-ai",
    gives: "roles and tokens by GenAI keys, streaming, conversations",
    loses: "time to first token",
    trust: Trust::Vendor,
    keys: &[
        text("spring.ai.tool.definition.name", T::Tool),
        text("spring.ai.tool.call.id", T::ToolCallId),
        raw("spring.ai.tool.call.arguments", R::Arguments),
        text("spring.ai.chat.client.conversation.id", T::Conversation),
        number("spring.ai.chat.client.stream", N::Streamed),
    ],
    unused: &["spring.ai."],
    ..Dialect::SILENT
};
