//! When tool choice changed, and how surely.

use std::borrow::Cow;

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

impl Choices {
    /// When the clearest tool changed, and how surely. Against another dump: within the later one, or
    /// from its start.
    pub(super) fn since(&self, tools: &Drift, sides: Sides) -> Option<Onset> {
        let tool = tools.tools.iter().find(|tool| tool.drifted)?;
        let later = match sides {
            Sides::First(first) => {
                let later = Self {
                    names: self.names.clone(),
                    starts: self.starts.get(first..)?.to_vec(),
                    all: self.all.get(first..)?.to_vec(),
                };
                if !later.judge(&later.cuts(Sides::Within), true).drifted {
                    let at = *later.starts.first()?;
                    return Some(Onset {
                        at,
                        between: (at, at),
                        tool: tool.tool.clone(),
                    });
                }
                Cow::Owned(later)
            }
            Sides::Within | Sides::Split(_) => Cow::Borrowed(self),
        };
        let sym = later.names.find(&tool.tool)?;
        let at = *later.starts.get(later.onset(sym))?;
        let (low, high) = later.likely_onsets(sym)?;
        Some(Onset {
            at,
            between: (low.min(at), high.max(at)),
            tool: tool.tool.clone(),
        })
    }

    /// The first and the last start at which a change of the tool's rate fits the counts nearly as well
    /// as the best: binomial counts with one change point, by likelihood.
    fn likely_onsets(&self, tool: Sym) -> Option<(Nanos, Nanos)> {
        let count = |choice: &Choice| {
            let own: u64 = choice
                .tools
                .iter()
                .filter(|(t, _)| *t == tool)
                .map(|(_, n)| n)
                .sum();
            let all: u64 = choice.tools.iter().map(|(_, n)| n).sum();
            (own as f64, all as f64)
        };
        let sum = |(a, b): (f64, f64), (c, d): (f64, f64)| (a + c, b + d);
        let whole = self.all.iter().map(count).fold((0.0, 0.0), sum);
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
        let mut before = (0.0, 0.0);
        let mut fits = Vec::with_capacity(self.all.len());
        for choice in &self.all {
            fits.push(fit(before) + fit((whole.0 - before.0, whole.1 - before.1)));
            before = sum(before, count(choice));
        }
        let best = fits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let near = |fit: &f64| *fit >= best - NEARLY;
        let first = fits.iter().position(near)?;
        let last = fits.iter().rposition(near)?;
        Some((*self.starts.get(first)?, *self.starts.get(last)?))
    }
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
            let drift = choices.judge(&choices.cuts(Sides::Within), true);
            if let Some(onset) = choices.since(&drift, Sides::Within) {
                seen += 1;
                inside += u32::from((onset.between.0.0..=onset.between.1.0).contains(&400));
            }
        }
        assert!(seen >= 190 && inside * 10 >= seen * 9, "{inside} of {seen}");
    }
}
