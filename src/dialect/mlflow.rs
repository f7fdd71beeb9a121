//! MLflow: every value is JSON text, also the kind.

use super::field::{RawField as R, TextField as T};
use super::langfuse;
use super::vocabulary::{Dialect, Key, Role, Trust, raw, role, text, unused};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "mlflow",
    gives: "roles, tokens",
    loses: "time to first token, endpoint, attempts",
    trust: Trust::Vendor,
    keys: KEYS,
    unused: &["mlflow."],
    roles,
    includes_cache: |_| Some(true),
    details: Some(langfuse::read_usage),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    role("mlflow.spanType", 4),
    text("mlflow.llm.model", T::Requested),
    text("mlflow.llm.provider", T::Provider),
    raw("mlflow.chat.tokenUsage", R::Usage),
    raw("mlflow.spanInputs", R::Arguments),
    unused("mlflow.trace.tokenUsage"),
];

fn roles(value: &str) -> Option<Role> {
    Some(Role::Is(match value.trim_matches(['"', '\\']) {
        "LLM" | "CHAT_MODEL" => Op::Llm,
        "CHAIN" | "TASK" => return Some(Role::Chain),
        "AGENT" => Op::Agent,
        "WORKFLOW" => return Some(Role::Workflow),
        "TOOL" => Op::Tool,
        "RETRIEVER" => Op::Retrieval,
        "EMBEDDING" | "RERANKER" => Op::Embedding,
        "GUARDRAIL" | "EVALUATOR" => Op::Guardrail,
        _ => return None,
    }))
}
