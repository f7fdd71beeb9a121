//! How much work a step usually is: first prompts, growth of prompts, output.

use rayon::prelude::*;

use super::{Call, CallIx, Calls, Map};
use crate::stats::{LowSide, Ordered, SpreadLimits, UpperTail, median};
use crate::units::{Sym, roomy};

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
    /// Outputs as multiples of what is typical of their kind.
    output_tail: Option<UpperTail>,
    /// Median prompt of the dump, tokens.
    pub median_prompt: f64,
    /// Median output of the dump, tokens.
    pub median_output: f64,
}

impl Volumes {
    /// Learns from the calls in `kept`, on one thread one quantity after the other: each takes as much as all the rest.
    /// A kind of task with too few of them has those to `spare` as well: the fits bear some faulted ones, and without a
    /// fit nothing could be told of any.
    #[must_use]
    pub fn learn(calls: &Calls, kept: &[CallIx], spare: &[CallIx]) -> Self {
        let kept = (kept, spare);
        let (prompts, (growth, output)) = rayon::join(
            || Self::of_prompts(calls, kept),
            || {
                rayon::join(
                    || Self::of_growth(calls, kept),
                    || Self::of_output(calls, kept),
                )
            },
        );
        Self {
            first: prompts.first,
            median_prompt: prompts.median_prompt,
            growth: growth.growth,
            any_growth: growth.any_growth,
            ..output
        }
    }

    fn of_prompts(calls: &Calls, kept: (&[CallIx], &[CallIx])) -> Self {
        let inputs = kept.0.iter().filter_map(|&i| calls.get(i).input);
        let mut prompts = roomy(kept.0.len());
        prompts.extend(inputs.map(f64::from));
        let median_prompt = median(&mut prompts).unwrap_or(0.0);
        drop(prompts);
        let first = grouped(calls, kept, |call| {
            let first = call.input.filter(|_| call.previous.is_none())?;
            Some(((call.kind, call.agent), f64::from(first)))
        });
        Self {
            first: each(&first, PROMPT_SPREAD),
            median_prompt,
            ..Self::default()
        }
    }

    fn of_growth(calls: &Calls, kept: (&[CallIx], &[CallIx])) -> Self {
        let growth = grouped(calls, kept, |call| {
            let grown = call.growth(calls)?;
            Some(((call.kind, call.agent), grown.max(1.0)))
        });
        let mut all = roomy(calls.all.len());
        all.extend(growth.values().flatten().copied());
        let any_growth = volume(&all, PROMPT_SPREAD);
        drop(all);
        Self {
            any_growth,
            growth: each(&growth, PROMPT_SPREAD),
            ..Self::default()
        }
    }

    fn of_output(calls: &Calls, kept: (&[CallIx], &[CallIx])) -> Self {
        let output = grouped(calls, kept, |call| {
            // A stranger's answer, of which only the server tells, says nothing of our agents'.
            let said = call.output.filter(|_| !call.server_side_only)?;
            let group = (call.kind, call.agent, call.finish);
            (said.get() > 0).then(|| (group, f64::from(said)))
        });
        let mut by_finish: Map<Sym, Vec<f64>> = Map::default();
        for ((_, _, finish), values) in &output {
            by_finish.entry(*finish).or_default().extend(values);
        }
        let mut all: Vec<f64> = roomy(calls.all.len());
        all.extend(by_finish.values().flatten().copied());
        let median_output = median(&mut all).unwrap_or(0.0);
        let usual = each(&output, OUTPUT_SPREAD);
        all.clear();
        for (group, values) in &output {
            let typical = usual.get(group).map(|usual| usual.typical);
            all.extend(
                typical
                    .iter()
                    .flat_map(|t| values.iter().map(move |v| v / t)),
            );
        }
        drop(output);
        Self {
            output: usual,
            median_output,
            output_tail: UpperTail::of(&mut Ordered::new(all)),
            output_by_finish: each(&by_finish, OUTPUT_SPREAD),
            ..Self::default()
        }
    }

    /// Takes from `other` what it knows.
    pub(super) fn prefer(&mut self, other: &Self) {
        self.first.extend(&other.first);
        self.growth.extend(&other.growth);
        self.output.extend(&other.output);
        self.output_by_finish.extend(&other.output_by_finish);
        self.any_growth = other.any_growth.or(self.any_growth);
        self.output_tail = other.output_tail.or(self.output_tail);
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

    /// How far above what is typical the outputs of a kind reach once in `dumps` dumps like this one, natural
    /// logarithms: as far as all kinds reach beyond their upper fifth, from the upper tenth of this kind on.
    #[must_use]
    pub fn output_reach(&self, usual: &Volume, dumps: f64) -> Option<f64> {
        let tail = self.output_tail?;
        let own = (usual.high / usual.typical).ln();
        Some(tail.start.max(own) + tail.reach(dumps))
    }
}

/// What `of` says of the calls in `kept`, by group; of a group with too few of them, of those to `spare` as well.
fn grouped<K: std::hash::Hash + Eq>(
    calls: &Calls,
    (kept, spare): (&[CallIx], &[CallIx]),
    of: impl Fn(&Call) -> Option<(K, f64)>,
) -> Map<K, Vec<f64>> {
    let mut groups: Map<K, Vec<f64>> = Map::default();
    let of = |index: &CallIx| of(calls.get(*index));
    for (key, value) in kept.iter().filter_map(of) {
        groups.entry(key).or_default().push(value);
    }
    let thin = |key: &K| groups.get(key).is_none_or(|group| group.len() < LEAST);
    let spare = spare.iter().filter_map(of).filter(|(key, _)| thin(key));
    for (key, value) in spare.collect::<Vec<(K, f64)>>() {
        groups.entry(key).or_default().push(value);
    }
    groups
}

fn each<K: std::hash::Hash + Eq + Copy + Send + Sync>(
    values: &Map<K, Vec<f64>>,
    limits: SpreadLimits,
) -> Map<K, Volume> {
    let groups = values.iter().filter(|(_, v)| v.len() >= LEAST);
    let groups: Vec<(&K, &Vec<f64>)> = groups.collect();
    let fits = groups
        .into_par_iter()
        .filter_map(|(k, v)| Some((*k, volume(v, limits)?)));
    fits.collect::<Vec<_>>().into_iter().collect()
}

fn volume(values: &[f64], limits: SpreadLimits) -> Option<Volume> {
    let fit = LowSide::fit(values, limits)?;
    let cap = (fit.centre + 2.0 * fit.spread).exp();
    let mut kept = roomy(values.len());
    kept.extend(values.iter().copied().filter(|v| *v <= cap));
    Some(Volume {
        typical: fit.typical(),
        high: Ordered::new(kept).quantile(0.9)?,
        fit,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fresh::tests::call;
    use super::*;

    #[test]
    fn of_a_group_with_too_few_healthy_calls_all_count() {
        let (mut calls, kind) = (Calls::default(), Sym(2));
        let inputs = [900, 1_000, 1_100, 1_000, 9_000, 9_000];
        let each = inputs.iter().map(|&input| call(2, None, input, 0, 50));
        calls.all.extend(each);
        let first = |kept: &[CallIx], spare: &[CallIx]| {
            let volumes = Volumes::learn(&calls, kept, spare);
            Some(volumes.first_prompt(kind, kind)?.typical.round())
        };
        assert_eq!(first(&[0, 1, 2, 3], &[]), None);
        let usual = first(&[0, 1, 2, 3], &[4, 5]);
        assert!(
            usual.is_some_and(|u| (900.0..1_300.0).contains(&u)),
            "{usual:?}"
        );
    }

    #[test]
    fn where_enough_calls_are_healthy_the_others_do_not_count() {
        let mut calls = Calls::default();
        let inputs = [900, 1_000, 1_100, 1_000, 950, 1_050, 9_000, 9_000];
        let each = inputs.iter().map(|&input| call(2, None, input, 0, 50));
        calls.all.extend(each);
        let kept: Vec<CallIx> = (0..6).collect();
        let first = |spare: &[CallIx]| {
            let volumes = Volumes::learn(&calls, &kept, spare);
            volumes.first_prompt(Sym(2), Sym(2)).copied()
        };
        assert!(first(&[]).is_some());
        assert_eq!(first(&[]), first(&[6, 7]));
    }
}
