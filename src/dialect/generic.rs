//! Keys no dialect lists: some are understood by their form, some only look relevant.

use super::DIALECTS;
use super::field::{Field, TextField};
use super::keys::{Binding, Meaning, rank};
use super::vocabulary::Trust;

/// Beginnings of keys that hold message content, one key per message: never needed, and far too
/// many to remember.
const CONTENT: [&[u8]; 8] = [
    b"llm.input_messages.",
    b"llm.output_messages.",
    b"llm.tools.",
    b"gen_ai.prompt.",
    b"gen_ai.completion.",
    b"retrieval.documents.",
    b"llm.prompts.",
    b"embedding.embeddings.",
];

/// Words that make an unknown key look relevant.
const RELEVANT: [&str; 9] = [
    "token", "usage", "model", "ttft", "cache", "cost", "latency", "retry", "attempt",
];

/// Endings, in lower case without separators, and what such a key holds. The first that fits wins.
const ENDINGS: [(&str, TextField); 14] = [
    ("tasktype", TextField::TaskType),
    ("workflowname", TextField::Workflow),
    ("agentname", TextField::Agent),
    ("tenant", TextField::Tenant),
    ("tenantid", TextField::Tenant),
    ("tenantname", TextField::Tenant),
    ("customerid", TextField::Tenant),
    ("organizationid", TextField::Tenant),
    ("conversationid", TextField::Conversation),
    ("sessionid", TextField::Conversation),
    ("threadid", TextField::Conversation),
    ("userid", TextField::User),
    ("customer", TextField::Tenant),
    ("region", TextField::Fingerprint),
];

/// True for keys that hold message content.
pub(super) fn is_content(key: &[u8]) -> bool {
    CONTENT.iter().any(|start| key.starts_with(start))
}

/// What a key of no dialect means.
pub(super) fn meaning(key: &[u8]) -> Meaning {
    let Ok(key) = std::str::from_utf8(key) else {
        return Meaning::Nothing;
    };
    let bare: String = key
        .chars()
        .filter(|c| !matches!(c, '.' | '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if let Some(field) = by_ending(&bare) {
        return Meaning::Guessed(field);
    }
    let unused =
        |d: &&super::vocabulary::Dialect| d.unused.iter().any(|start| key.starts_with(start));
    if DIALECTS.iter().any(unused) {
        return Meaning::Nothing;
    }
    if RELEVANT.iter().any(|word| bare.contains(word)) {
        Meaning::Strange
    } else {
        Meaning::Nothing
    }
}

fn by_ending(bare: &str) -> Option<Binding> {
    let place = ENDINGS.iter().position(|(end, _)| bare.ends_with(end))?;
    Some(Binding {
        field: Field::Text(ENDINGS[place].1),
        dialect: general_dialect(),
        rank: rank(Trust::General as u8, 128 + place),
        own_only: false,
    })
}

/// The dialect that guessed keys are counted under: the last of the list, general conventions.
fn general_dialect() -> u8 {
    DIALECTS.len().saturating_sub(1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(key: &str) -> Option<TextField> {
        match meaning(key.as_bytes()) {
            Meaning::Guessed(Binding {
                field: Field::Text(text),
                ..
            }) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn forms_are_understood_whatever_their_prefix_and_separators() {
        assert_eq!(text_of("acme.task.type"), Some(TextField::TaskType));
        assert_eq!(
            text_of("ai.telemetry.metadata.taskType"),
            Some(TextField::TaskType)
        );
        assert_eq!(text_of("x_customer-id"), Some(TextField::Tenant));
        assert_eq!(text_of("my.workflow_name"), Some(TextField::Workflow));
    }

    #[test]
    fn relevant_but_unknown_keys_are_strange() {
        assert!(matches!(
            meaning(b"acme.prompt_tokens_v9"),
            Meaning::Strange
        ));
        assert!(matches!(meaning(b"thread.name"), Meaning::Nothing));
        assert!(matches!(meaning(b"\xff\xfe"), Meaning::Nothing));
    }
}
