//! When tool choice changed, and how surely.

use hashbrown::HashMap;

use super::{Choice, Choices, Drift, Sides};
use crate::units::{Nanos, Sym};

/// When tool choice changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Onset {
    /// Start of the first request after the change.
    pub at: Nanos,
    /// Earliest and latest start that fit nearly as well.
    pub between: (Nanos, Nanos),
    /// The tool whose share shows it most clearly.
    pub tool: String,
}

/// Loss of log-likelihood at which a time of change still fits nearly as well.
const NEARLY: f64 = 3.0;

impl Choices<'_> {
    /// When the clearest tool changed, and how surely. Against another dump: within the later one, or
    /// from its start.
    pub(super) fn since(&self, tools: &Drift, sides: Sides) -> Option<Onset> {
        let tool = tools.tools.iter().find(|tool| tool.drifted)?;
        let sym = self.names.find(&tool.tool)?;
        let at = *self.starts.get(self.onset(sym, sides))?;
        let (low, high) = self.likely_onsets(sym, sides.first())?;
        let (low, high) = (*self.starts.get(low)?, *self.starts.get(high)?);
        Some(Onset {
            at,
            between: (low.min(at), high.max(at)),
            tool: tool.tool.clone(),
        })
    }

    /// The index from which on `tool` is chosen at another rate: where the running sum of calls over
    /// expectation is furthest from zero, each step weighed as a cut there would be (the CUSUM
    /// change-point estimate; Brodsky & Darkhovsky 1993). Expectation is per kind of task. Against another
    /// dump the change lies in the later one, and at its start where that fits nearly as well.
    pub(super) fn onset(&self, tool: Sym, sides: Sides) -> usize {
        let from = sides.first().min(self.all.len());
        let likely = self.likely_onsets(tool, from);
        let middle = match sides {
            Sides::First(_) if likely.is_none_or(|(low, _)| low <= from) => return from,
            Sides::First(_) => from,
            Sides::Within | Sides::Split(_) => self.all.len() / 2,
        };
        let mut kinds: HashMap<(Sym, Sym), (f64, f64)> = HashMap::new();
        let mut saved: Vec<_> = self.saved.counts(tool).collect();
        saved.sort_by_key(|((kind, agent), _)| (self.names.get(*kind), self.names.get(*agent)));
        let own = self
            .all
            .iter()
            .map(|choice| (choice.kind, count(choice, tool)));
        for (kind, counts) in saved.iter().copied().chain(own) {
            let sums = kinds.entry(kind).or_default();
            *sums = sum(*sums, counts);
        }
        // Whole numbers add up to the same in any order.
        let whole: f64 = kinds.values().map(|(_, all)| all).sum();
        let step = |kind: (Sym, Sym), (own, all): (f64, f64)| {
            let (of_tool, of_all) = kinds.get(&kind).copied().unwrap_or_default();
            (own - all * of_tool / of_all, all)
        };
        let before = saved.into_iter().map(|(kind, counts)| step(kind, counts));
        let mut run = before.fold((0.0, 0.0), sum);
        let mut best = (0.0, middle);
        for (index, choice) in self.all.iter().enumerate() {
            let share = run.1 / whole;
            if index >= from && (0.02..=0.98).contains(&share) {
                let weight = f64::abs(run.0) / (share * (1.0 - share)).sqrt();
                if weight > best.0 {
                    best = (weight, index);
                }
            }
            run = sum(run, step(choice.kind, count(choice, tool)));
        }
        best.1
    }

    /// The first and the last index, not below `from`, at which a change of the tool's rate fits the counts
    /// nearly as well as the best: binomial counts with one change point, by likelihood.
    fn likely_onsets(&self, tool: Sym, from: usize) -> Option<(usize, usize)> {
        let saved = self.saved.counts(tool).map(|(_, counts)| counts);
        let saved = saved.fold((0.0, 0.0), sum);
        let own = self.all.iter().map(|choice| count(choice, tool));
        let whole = own.clone().fold(saved, sum);
        let fit = |(own, all): (f64, f64)| {
            let part = |n: f64| {
                if n > 0.0 && all > 0.0 {
                    n * (n / all).ln()
                } else {
                    0.0
                }
            };
            part(own) + part(all - own)
        };
        let mut before = saved;
        let mut fits = Vec::with_capacity(self.all.len());
        for counts in own {
            fits.push(fit(before) + fit((whole.0 - before.0, whole.1 - before.1)));
            before = sum(before, counts);
        }
        let fits = fits.get(from..)?;
        let best = fits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let near = |fit: &f64| *fit >= best - NEARLY;
        let first = fits.iter().position(near)?;
        let last = fits.iter().rposition(near)?;
        Some((from + first, from + last))
    }
}

/// Calls of one tool, and of all.
fn count(choice: &Choice, tool: Sym) -> (f64, f64) {
    let own = choice.tools.iter().find(|(known, _)| *known == tool);
    let all: u64 = choice.tools.iter().map(|(_, n)| n).sum();
    (own.map_or(0, |(_, n)| *n) as f64, all as f64)
}

fn sum((a, b): (f64, f64), (c, d): (f64, f64)) -> (f64, f64) {
    (a + c, b + d)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{shifted, simulate};
    use super::*;

    #[test]
    fn the_onset_lies_between_its_limits_nearly_always() {
        let (mut inside, mut seen) = (0, 0);
        for seed in 0..200 {
            let choices = simulate(seed, 600, 1, 1, shifted(400));
            let drift = choices.judge(Sides::Within, true);
            if let Some(onset) = choices.since(&drift, Sides::Within) {
                seen += 1;
                inside += u32::from((onset.between.0.0..=onset.between.1.0).contains(&400));
            }
        }
        assert!(seen >= 190 && inside * 10 >= seen * 9, "{inside} of {seen}");
    }
}
