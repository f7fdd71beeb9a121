//! Which operation usually follows which, and what that says of spans that were lost.

use super::Map;
use super::pause::{Pauses, StepName};
use crate::units::Sym;

/// Transitions rarer than this share of their kind are a missing span, not a pause.
const RARE: f64 = 0.06;
/// … as are those that skip a usual step less often than this share of the times it is taken: where one span
/// in ten is lost, one step in nine looks skipped, beside the parallel calls that happen to follow each other.
const PAST: f64 = 0.3;
/// Steps seen less often than this have no usual successor, and paths taken less often tell nothing of loss.
const LEAST_STEPS: u32 = 20;

/// What happens this often in n cases is not seen in n others once in a thousand times (−ln 0.001).
const UNSEEN: f64 = 7.0;

/// Kinds of steps whose spans may be lost between two others.
const STEPS: [StepName; 2] = [StepName::Model(Sym::NONE), StepName::Tool];

/// What came before, what came after.
pub(super) type Transition = (StepName, StepName);

/// How often each step is followed by which.
#[derive(Default)]
pub(super) struct Grammar {
    follows: Map<Transition, u32>,
    from: Map<StepName, u32>,
}

impl Grammar {
    pub(super) fn count(pauses: &Pauses) -> Self {
        let mut grammar = Self::default();
        for ((_, before, after), count) in pauses.keys.iter().zip(&pauses.counts) {
            *grammar.follows.entry((*before, *after)).or_default() += count;
            *grammar.from.entry(*before).or_default() += count;
            // What follows a call of any kind, for paths that lead through one.
            if before.kind_only() != *before {
                let any = before.kind_only();
                *grammar.follows.entry((any, *after)).or_default() += count;
                *grammar.from.entry(any).or_default() += count;
            }
        }
        grammar
    }

    fn times(&self, before: StepName, after: StepName) -> f64 {
        f64::from(self.follows.get(&(before, after)).copied().unwrap_or(0))
    }

    /// Share of the steps `before` that `after` follows.
    fn share(&self, before: StepName, after: StepName) -> f64 {
        let from = self.from.get(&before).copied().unwrap_or(0);
        self.times(before, after) / f64::from(from.max(1))
    }

    pub(super) fn is_rare(&self, before: StepName, after: StepName) -> bool {
        if self.from.get(&before).is_none_or(|n| *n < LEAST_STEPS) {
            return false;
        }
        let share = self.share(before, after);
        share < RARE || self.is_shortcut(before, after, share)
    }

    /// True where the usual path leads from the one to the other through a third step, and hardly ever
    /// past it: the span of that step was lost.
    fn is_shortcut(&self, before: StepName, after: StepName, share: f64) -> bool {
        let through = self.from.keys().copied().filter(|step| {
            *step == step.kind_only() && !matches!(step, StepName::Open | StepName::Failed)
        });
        let paths = through.map(|step| self.share(before, step) * self.share(step, after));
        share < PAST * paths.fold(0.0, f64::max)
    }

    /// Spans that were lost at random for each that was not, at least.
    ///
    /// A path through a step that is never taken past it shows how often spans of that kind of step are lost. Some
    /// steps are skipped in truth, so the path least often taken past it tells; but that a path taken n times
    /// was never taken past its step does not say that this happens less often than 7 times in n. Loss at random
    /// strikes steps of all kinds: the kind that lost least counts.
    pub(super) fn odds_of_loss(&self) -> f64 {
        let odds = STEPS.map(|step| self.odds_of_losing(step));
        odds.into_iter().min_by(f64::total_cmp).unwrap_or(0.0)
    }

    fn odds_of_losing(&self, step: StepName) -> f64 {
        let paths = Self::ends(step).map(|(before, after)| {
            let through = self.times(before, step) * self.share(step, after);
            (self.times(before, after), through)
        });
        let bound = |path: &(f64, f64)| (path.0 + UNSEEN) / path.1;
        let tell = paths.filter(|path| path.1 >= f64::from(LEAST_STEPS));
        let path = tell.min_by(|a, b| bound(a).total_cmp(&bound(b)));
        path.map_or(0.0, |(past, through)| past / through)
    }

    /// What a step may stand between.
    fn ends(step: StepName) -> impl Iterator<Item = Transition> {
        let others = move |end: StepName| {
            STEPS
                .into_iter()
                .chain([StepName::Group, end])
                .filter(move |other| *other != step)
        };
        let ends = others(StepName::Start)
            .flat_map(move |before| others(StepName::End).map(move |after| (before, after)));
        // A lane without operations has no pause.
        ends.filter(|ends| *ends != (StepName::Start, StepName::End))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StepName::{End, Start, Tool};

    const ASKS: StepName = StepName::Model(Sym(1));
    const ANSWERS: StepName = StepName::Model(Sym(2));
    const MODEL: StepName = StepName::Model(Sym::NONE);

    fn odds(transitions: &[(StepName, StepName, u32)]) -> f64 {
        let mut pauses = Pauses::default();
        for (before, after, count) in transitions {
            pauses.keys.push((Sym::NONE, *before, *after));
            pauses.counts.push(*count);
        }
        Grammar::count(&pauses).odds_of_loss()
    }

    #[test]
    fn steps_that_are_sometimes_skipped_are_not_lost() {
        let whole = [
            (Start, MODEL, 200),
            (ASKS, Tool, 600),
            (Tool, MODEL, 600),
            (Tool, Tool, 90),
            (ANSWERS, End, 200),
        ];
        assert!(odds(&whole) <= 0.0);
    }

    #[test]
    fn a_tenth_lost_is_seen_in_what_never_follows_otherwise() {
        let damaged = [
            (Start, MODEL, 180),
            (Start, Tool, 18),
            (ASKS, Tool, 490),
            (ASKS, MODEL, 55),
            (Tool, MODEL, 490),
            (Tool, Tool, 120),
            (Tool, End, 20),
            (ANSWERS, End, 180),
        ];
        let odds = odds(&damaged);
        assert!((0.07..0.16).contains(&odds), "{odds}");
    }

    #[test]
    fn few_steps_tell_nothing() {
        let few = [
            (Start, MODEL, 5),
            (MODEL, Tool, 5),
            (Tool, End, 5),
            (Start, Tool, 2),
        ];
        assert!(odds(&few) <= 0.0);
    }
}
