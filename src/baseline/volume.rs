//! How much work a step usually is: first prompts, growth of prompts, output.

use super::{CallIx, Calls, Map};
use crate::stats::{LowSide, Ordered, SpreadLimits, median};
use crate::units::Sym;

const PROMPT_SPREAD: SpreadLimits = SpreadLimits {
    least: 0.2,
    most: 1.3,
};
const OUTPUT_SPREAD: SpreadLimits = SpreadLimits {
    least: 0.4,
    most: 0.7,
};
/// Groups smaller than this fall back to a wider one.
const LEAST: usize = 6;

/// Usual size of something, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Volume {
    /// The typical size.
    pub typical: f64,
    /// The 90th percentile of sizes not far above the typical one.
    pub high: f64,
    /// The fit behind it.
    pub fit: LowSide,
}

/// Usual sizes by kind of task and agent.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Volumes {
    #[serde(with = "super::pairs")]
    first: Map<(Sym, Sym), Volume>,
    #[serde(with = "super::pairs")]
    growth: Map<(Sym, Sym), Volume>,
    any_growth: Option<Volume>,
    #[serde(with = "super::pairs")]
    output: Map<(Sym, Sym, Sym), Volume>,
    #[serde(with = "super::pairs")]
    output_by_finish: Map<Sym, Volume>,
    /// Median prompt of the dump, tokens.
    pub median_prompt: f64,
    /// Median output of the dump, tokens.
    pub median_output: f64,
}

impl Volumes {
    /// Learns from the calls in `kept`.
    #[must_use]
    pub fn learn(calls: &Calls, kept: &[CallIx]) -> Self {
        let mut first: Map<(Sym, Sym), Vec<f64>> = Map::default();
        let mut growth: Map<(Sym, Sym), Vec<f64>> = Map::default();
        let mut output: Map<(Sym, Sym, Sym), Vec<f64>> = Map::default();
        let mut by_finish: Map<Sym, Vec<f64>> = Map::default();
        let (mut prompts, mut outputs, mut growths) = (Vec::new(), Vec::new(), Vec::new());
        for &i in kept {
            let call = calls.get(i);
            if let Some(input) = call.input {
                prompts.push(f64::from(input));
            }
            match (call.growth(calls), call.input) {
                (Some(grown), _) => {
                    growth
                        .entry((call.kind, call.agent))
                        .or_default()
                        .push(grown.max(1.0));
                    growths.push(grown.max(1.0));
                }
                (None, Some(input)) if call.previous.is_none() => first
                    .entry((call.kind, call.agent))
                    .or_default()
                    .push(f64::from(input)),
                _ => {}
            }
            if let Some(out) = call.output.filter(|o| o.get() > 0) {
                outputs.push(f64::from(out));
                output
                    .entry((call.kind, call.agent, call.finish))
                    .or_default()
                    .push(f64::from(out));
                by_finish
                    .entry(call.finish)
                    .or_default()
                    .push(f64::from(out));
            }
        }
        Self {
            first: each(first, PROMPT_SPREAD),
            growth: each(growth, PROMPT_SPREAD),
            any_growth: volume(&growths, PROMPT_SPREAD),
            output: each(output, OUTPUT_SPREAD),
            output_by_finish: each(by_finish, OUTPUT_SPREAD),
            median_prompt: median(&mut prompts).unwrap_or(0.0),
            median_output: median(&mut outputs).unwrap_or(0.0),
        }
    }

    /// Takes from `other` what it knows.
    pub(super) fn prefer(&mut self, other: &Self) {
        self.first.extend(&other.first);
        self.growth.extend(&other.growth);
        self.output.extend(&other.output);
        self.output_by_finish.extend(&other.output_by_finish);
        self.any_growth = other.any_growth.or(self.any_growth);
        for (own, theirs) in [
            (&mut self.median_prompt, other.median_prompt),
            (&mut self.median_output, other.median_output),
        ] {
            if theirs > 0.0 {
                *own = theirs;
            }
        }
    }

    /// Usual first prompt of an agent in a kind of task.
    #[must_use]
    pub fn first_prompt(&self, kind: Sym, agent: Sym) -> Option<&Volume> {
        self.first.get(&(kind, agent))
    }

    /// Usual growth of a prompt from one call to the next.
    #[must_use]
    pub fn growth(&self, kind: Sym, agent: Sym) -> Option<&Volume> {
        self.growth.get(&(kind, agent)).or(self.any_growth.as_ref())
    }

    /// Usual output; thin groups fall back to the finish reason, because final answers are naturally
    /// several times longer than tool calls.
    #[must_use]
    pub fn output(&self, kind: Sym, agent: Sym, finish: Sym) -> Option<&Volume> {
        self.output
            .get(&(kind, agent, finish))
            .or_else(|| self.output_by_finish.get(&finish))
    }
}

fn each<K: std::hash::Hash + Eq>(values: Map<K, Vec<f64>>, limits: SpreadLimits) -> Map<K, Volume> {
    values
        .into_iter()
        .filter(|(_, v)| v.len() >= LEAST)
        .filter_map(|(k, v)| Some((k, volume(&v, limits)?)))
        .collect()
}

fn volume(values: &[f64], limits: SpreadLimits) -> Option<Volume> {
    let fit = LowSide::fit(values, limits)?;
    let cap = (fit.centre + 2.0 * fit.spread).exp();
    let kept = values.iter().copied().filter(|v| *v <= cap).collect();
    Some(Volume {
        typical: fit.typical(),
        high: Ordered::new(kept).quantile(0.9)?,
        fit,
    })
}
