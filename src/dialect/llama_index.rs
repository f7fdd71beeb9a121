//! LlamaIndex's own tracer (observability-otel): spans named after methods, nothing measured.

use super::vocabulary::{Dialect, Pattern, Role, Trust};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "llama-index",
    gives: "roles by method names, times",
    loses: "models, tokens, tool names, time to first token",
    trust: Trust::Vendor,
    scopes: &[
        Pattern::Is("llamaindex.opentelemetry.tracer"),
        Pattern::Is("llama_index.opentelemetry.tracer"),
    ],
    // The first that fits wins; names end in a dash and a random id.
    own_names: &[
        (Pattern::Has("Tool.acall"), Role::Is(Op::Tool)),
        (Pattern::Has("Tool.call"), Role::Is(Op::Tool)),
        (Pattern::Has("Agent.run"), Role::Is(Op::Agent)),
        (Pattern::Has("Workflow.run"), Role::Is(Op::Agent)),
        (Pattern::Has(".run_agent_step"), Role::Is(Op::Step)),
        (Pattern::Has("._"), Role::Is(Op::Other)),
        (Pattern::Has(".astream_chat"), Role::Is(Op::Llm)),
        (Pattern::Has(".stream_chat"), Role::Is(Op::Llm)),
        (Pattern::Has(".achat"), Role::Is(Op::Llm)),
        (Pattern::Has(".chat"), Role::Is(Op::Llm)),
        (Pattern::Has(".acomplete"), Role::Is(Op::Llm)),
        (Pattern::Has(".complete"), Role::Is(Op::Llm)),
        (Pattern::Has("Retriever.aretrieve"), Role::Is(Op::Retrieval)),
        (Pattern::Has("Retriever.retrieve"), Role::Is(Op::Retrieval)),
        (Pattern::Has("_embedding"), Role::Is(Op::Embedding)),
    ],
    ..Dialect::SILENT
};
