//! Names of people and customers made unreadable, yet still told apart.

use super::Dataset;
use crate::units::Sym;

/// Replaces the ids of users, tenants and conversations by keyed digests: whoever has the key can
/// find an id again, nobody else can try out guesses.
#[derive(Clone)]
pub struct Redaction {
    key: [u8; 32],
}

/// Hexadecimal digits shown of a digest: 64 bits, so that two of a million ids meet by chance in
/// fewer than one run in ten million.
const DIGITS: usize = 16;

impl Redaction {
    /// With a key of any length: the same key gives the same digests in every run.
    #[must_use]
    pub fn with_key(key: &[u8]) -> Self {
        Self {
            key: blake3::derive_key("agentdiag redaction of ids, version 1", key),
        }
    }

    /// The digest shown for `id` (keyed BLAKE3, shortened).
    #[must_use]
    pub fn digest(&self, id: &str) -> String {
        let hex = blake3::keyed_hash(&self.key, id.as_bytes()).to_hex();
        format!("redacted-{}", hex.get(..DIGITS).unwrap_or_default())
    }

    /// Replaces every such id in `dataset`.
    pub fn apply(&self, dataset: &mut Dataset) {
        let names = &mut dataset.names;
        let mut known = hashbrown::HashMap::new();
        let mut replace = |sym: &mut Sym| {
            if !sym.is_none() {
                *sym = *known.entry(*sym).or_insert_with(|| {
                    let digest = self.digest(names.get(*sym));
                    names.intern(&digest)
                });
            }
        };
        for task in &mut dataset.tasks {
            replace(&mut task.tenant);
            replace(&mut task.conversation);
        }
        dataset.llm.conversations_mut().for_each(replace);
    }
}

impl std::fmt::Debug for Redaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redaction { key: kept secret }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LlmCall, TaskFacts};

    #[test]
    fn the_same_id_stays_the_same_and_another_key_another() {
        let (a, b) = (Redaction::with_key(b"a"), Redaction::with_key(b"b"));
        assert_eq!(a.digest("acme"), a.digest("acme"));
        assert_ne!(a.digest("acme"), a.digest("acmf"));
        assert_ne!(a.digest("acme"), b.digest("acme"));
        assert_eq!(a.digest("acme").len(), "redacted-".len() + DIGITS);
        assert!(!format!("{a:?}").contains('['));
    }

    #[test]
    fn ids_are_replaced_wherever_they_stand_and_absent_stays_absent() {
        let mut data = Dataset::default();
        let acme = data.names.intern("acme");
        let chat = data.names.intern("chat-7");
        data.tasks.push(TaskFacts {
            tenant: acme,
            conversation: chat,
            ..TaskFacts::default()
        });
        data.tasks.push(TaskFacts::default());
        data.llm.push(LlmCall {
            conversation: chat,
            ..LlmCall::default()
        });
        Redaction::with_key(b"k").apply(&mut data);
        let [one, none] = data.tasks.as_slice() else {
            panic!("two tasks");
        };
        assert!(data.text(one.tenant).starts_with("redacted-"));
        let call = data.llm.get(0).unwrap();
        assert_eq!(one.conversation, call.conversation);
        assert_ne!(one.conversation, one.tenant);
        assert!(none.tenant.is_none() && none.conversation.is_none());
    }
}
