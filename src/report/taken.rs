//! What each input was taken for, and what was found in it.

use crate::model::{Dataset, Op};

/// What was found in one input.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// How many spans have which role, most frequent first.
    pub roles: Vec<(&'static str, u64)>,
    /// Vocabularies, with how many spans spoke each, most spoken first.
    pub dialects: Vec<(&'static str, u64)>,
}

impl Taken {
    /// What was found in each input of a dataset, in their order.
    #[must_use]
    pub(super) fn of(dataset: &Dataset) -> Vec<Self> {
        let mut roles = vec![[0; Op::ALL.len()]; dataset.inputs.len()];
        for (span, origin) in dataset.spans.iter().zip(&dataset.origins) {
            if let Some(input) = roles.get_mut(origin.place.file as usize) {
                input[span.op as usize] += 1;
            }
        }
        let of = |file: usize| {
            let spoken = dataset.dialects_of.iter();
            let own = spoken.filter(move |((f, _), _)| *f as usize == file);
            own.map(|((_, name), spans)| (*name, *spans))
        };
        let inputs = roles.into_iter().enumerate();
        inputs
            .map(|(file, roles)| Self {
                roles: most_first(named(roles)),
                dialects: most_first(of(file)),
            })
            .collect()
    }
}

/// Those that occur, by name.
fn named(roles: [u64; Op::ALL.len()]) -> impl Iterator<Item = (&'static str, u64)> {
    let counted = Op::ALL.map(role).into_iter().zip(roles);
    counted.filter(|(_, spans)| *spans > 0)
}

fn most_first(counts: impl IntoIterator<Item = (&'static str, u64)>) -> Vec<(&'static str, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    counts
}

/// A role in one word.
pub(super) fn role(op: Op) -> &'static str {
    match op {
        Op::Task => "task",
        Op::Agent => "agent",
        Op::Step => "step",
        Op::Llm => "llm",
        Op::Engine => "engine",
        Op::Tool => "tool",
        Op::Mcp => "mcp",
        Op::Retrieval => "retrieval",
        Op::Embedding => "embedding",
        Op::Guardrail => "guardrail",
        Op::Http => "http",
        Op::HumanWait => "human_wait",
        Op::Other => "other",
    }
}
