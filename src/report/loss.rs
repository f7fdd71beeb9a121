//! What sampling or loss removed, and what that does to the figures.

use crate::trace::Loss;
use crate::units::human::{count, percent};

/// One sentence for each sign of loss, with what it does to the figures.
#[must_use]
pub(super) fn effects(loss: &Loss, requests: u64) -> Vec<String> {
    let mut effects = Vec::new();
    if loss.absent_parents > 0 {
        effects.push(format!(
            "at least {} spans are missing that others name as their parent: whatever else happened in them is in no figure",
            count(loss.absent_parents)
        ));
    }
    if loss.rootless > 0 {
        effects.push(format!(
            "{} of {} requests have no complete root: their durations are lower bounds and they are not judged alike",
            count(loss.rootless),
            count(requests)
        ));
    }
    if loss.steps_declared > 0 {
        effects.push(format!(
            "agents declare {} steps of which {} are here: calls, tokens and cost of those requests are too low by about {}",
            count(loss.steps_declared),
            count(loss.steps_seen),
            missing(loss.steps_seen, loss.steps_declared)
        ));
    }
    if loss.step_gaps > 0 {
        effects.push(format!(
            "{} numbered steps are missing between others: time of their requests looks like an orchestration_gap",
            count(loss.step_gaps)
        ));
    }
    if loss.turn_gaps > 0 {
        effects.push(format!(
            "{} requests are missing between others of their conversations, which are numbered: they are in no figure",
            count(loss.turn_gaps)
        ));
    }
    if loss.tokens_declared > 0 {
        effects.push(format!(
            "agents report {} input tokens, their calls show {}: tokens and cost of those requests are too low by about {}, unless the agent adds up over several requests",
            count(loss.tokens_declared),
            count(loss.tokens_seen),
            missing(loss.tokens_seen, loss.tokens_declared)
        ));
    }
    effects
}

fn missing(seen: u64, declared: u64) -> String {
    percent(1.0 - seen as f64 / declared.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_says_what_it_does() {
        assert!(effects(&Loss::default(), 5).is_empty());
        let loss = Loss {
            absent_parents: 3,
            rootless: 1,
            steps_declared: 10,
            steps_seen: 8,
            step_gaps: 2,
            turn_gaps: 4,
            tokens_declared: 400,
            tokens_seen: 300,
        };
        let found = effects(&loss, 5);
        assert_eq!(found.len(), 6);
        assert!(found[2].contains("10 steps of which 8") && found[2].contains("20"));
        assert!(found[5].contains("25"));
    }
}
