//! What became of the causes that are not the verdict.

use super::Row;
use crate::diagnose::{Fact, Outcome};
use crate::units::Nanos;

/// One cause that was considered for a request.
#[derive(Clone, Copy)]
pub struct Rival<'a> {
    /// Its label.
    pub cause: &'static str,
    /// What became of it.
    pub fate: Fate<'a>,
}

/// Why a cause is not the verdict.
#[derive(Clone, Copy)]
pub enum Fate<'a> {
    /// It explains this much, on this ground.
    Explains(Nanos, &'a Fact),
    /// This speaks against it.
    Refuted(&'a Fact),
    /// It could not be tested without these signals.
    Untested(&'a [&'static str]),
}

impl<'a> Row<'a> {
    /// Every cause that was considered besides the verdict, those that explain most first.
    #[must_use]
    pub fn rivals(&self) -> Vec<Rival<'a>> {
        let verdict = self.cause();
        let holds = self.claims().filter(|claim| Some(claim.cause) != verdict);
        let mut rivals: Vec<Rival<'a>> = holds
            .map(|claim| Rival {
                cause: claim.cause.label(),
                fate: Fate::Explains(claim.explains, &claim.evidence.first),
            })
            .collect();
        let known: Vec<&str> = rivals.iter().map(|rival| rival.cause).collect();
        let others = self.considered().iter().map(|outcome| match outcome {
            Outcome::Holds(claim) => (
                claim.cause,
                Fate::Explains(claim.explains, &claim.evidence.first),
            ),
            Outcome::Refuted(cause, fact) => (*cause, Fate::Refuted(fact)),
            Outcome::CannotTell(cause, missing) => (*cause, Fate::Untested(missing)),
        });
        let others = others.filter(|(cause, _)| Some(*cause) != verdict);
        let others = others.map(|(cause, fate)| Rival {
            cause: cause.label(),
            fate,
        });
        let others: Vec<Rival<'a>> = others.filter(|r| !known.contains(&r.cause)).collect();
        rivals.extend(others);
        rivals
    }

    /// Why a request has no expectation; `None` for one that was judged.
    #[must_use]
    pub fn not_judged(&self) -> Option<&'static str> {
        if self.slow() || self.expected().is_some() {
            return None;
        }
        Some(match self.root_state() {
            "unfinished" => "its root span never ended, so how long it took is not known",
            "missing" => "its root span is not in the dump, so it may be cut off at either end",
            _ if self.model_calls() == 0 && self.request.tool_calls == 0 => {
                "it holds no model call and no tool call"
            }
            _ => "the dump holds too few requests of its kind to say what it should have taken",
        })
    }
}
