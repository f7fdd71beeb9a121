//! All that may have changed between two sides: which tools are chosen, by whom, since when; and beside
//! it the order of tools, the models, the rounds, the answers and how requests end.

use std::collections::BTreeMap;

use super::measure::{Measure, Numbers};
use super::observe::{self, Picked};
use super::onset::Onset;
use super::slice::Slice;
use super::{ALPHA, Choices, Drift, Mix, Sides};
use crate::aggregate::profile::{Amounts, Choices as Saved, Profile, TaskProfile};
use crate::model::Dataset;
use crate::stats::holm;
use crate::trace::{Forest, Request};
use crate::units::{Nanos, Window};

/// One side of a study.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Side {
    /// Requests in it.
    pub requests: u64,
    /// From the first to the last start; absent where it has no request.
    pub window: Option<Window>,
}

/// A dump that is compared.
pub type Part<'a> = (&'a Dataset, &'a Forest);

/// All that was found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Study {
    /// The earlier side.
    pub before: Side,
    /// The later side.
    pub after: Side,
    /// Which tools were chosen: tested on its own, at [`ALPHA`].
    pub tools: Drift,
    /// When they changed.
    pub onset: Option<Onset>,
    /// Tool choice of parts of the requests, clearest change first.
    pub slices: Vec<Slice>,
    /// What else may have changed, clearest change first.
    pub measures: Vec<Measure>,
    /// Comparisons that `slices` and `measures` were corrected for, by Holm's procedure.
    pub comparisons: u64,
}

impl Study {
    /// True when anything changed by more than chance explains.
    #[must_use]
    pub fn changed(&self) -> bool {
        let clear = |p: Option<f64>| p.is_some_and(|p| p <= ALPHA);
        self.tools.drifted
            || self.slices.iter().any(|slice| clear(slice.p_value))
            || self.measures.iter().any(|measure| clear(measure.p_value))
    }

    /// True when there was anything to test at all.
    #[must_use]
    pub fn judged(&self) -> bool {
        self.tools.p_value.is_some() || self.comparisons > 0
    }
}

type Choose = for<'a> fn(&'a Dataset, &Forest, &Request) -> Vec<Picked<'a>>;
type Number = fn(&Dataset, &Forest, &Request) -> Option<f64>;

const CATEGORIES: [(&str, &str, Choose); 4] = [
    ("tool_order", "which tool follows which", observe::order),
    ("model_mix", "models that answered", observe::models),
    ("finish_reasons", "why generation ended", observe::finishes),
    ("completion", "requests that ended well", observe::ends),
];

const NUMBERS: [(&str, &str, Number); 2] = [
    ("rounds", "model rounds per request", observe::rounds),
    ("output_length", "output tokens per call", observe::output),
];

/// Compares the requests of a dump with those of `baseline`; without one, those from `split` on with the
/// ones before; without either, later ones with earlier ones.
#[must_use]
pub fn study(dump: Part<'_>, baseline: Option<Part<'_>>, split: Option<Nanos>) -> Study {
    let dumps: Vec<Part<'_>> = baseline.into_iter().chain([dump]).collect();
    let look = Look {
        dumps: &dumps,
        split,
    };
    let (choices, sides) = look.choices(observe::tools);
    let tools = choices.judge(&choices.cuts(sides), sides == Sides::Within);
    let mut slices = look.slices();
    let mut measures: Vec<Measure> = Vec::new();
    for (name, what, choose) in CATEGORIES {
        let (choices, sides) = look.choices(choose);
        measures.push(choices.measure(name, what, sides));
    }
    for (name, what, number) in NUMBERS {
        let (numbers, sides) = look.numbers(number);
        measures.push(numbers.measure(name, what, sides));
    }
    let comparisons = correct(&mut slices, &mut measures);
    let clearest = |p: Option<f64>| p.unwrap_or(2.0);
    slices.sort_by(|a, b| clearest(a.p_value).total_cmp(&clearest(b.p_value)));
    measures.sort_by(|a, b| clearest(a.p_value).total_cmp(&clearest(b.p_value)));
    let (before, after) = look.sides(tools.split);
    Study {
        before,
        after,
        onset: choices.since(&tools, sides),
        tools,
        slices,
        measures,
        comparisons,
    }
}

/// Compares the requests of a dump with those of a saved period. Slices by agent, model and version are not kept in
/// one; nor is the rest in periods saved by older versions, of which only tools are then compared.
#[must_use]
pub fn against_saved((data, forest): Part<'_>, saved: &Profile) -> Study {
    let look = Look {
        dumps: &[(data, forest)],
        split: Some(Nanos::ZERO),
    };
    let (choices, mixes) = look.beside(observe::tools, saved, |task| task.choices.clone());
    let found = super::compare(&mixes.0, &mixes.1, &choices.names);
    let split = choices.starts.first().copied();
    let tools = choices.shown(&mixes, &found, 1, split);
    let mut measures = Vec::new();
    for (index, (name, what, choose)) in CATEGORIES.into_iter().enumerate() {
        let kept = |task: &TaskProfile| match index {
            0 => task.order.clone(),
            1 => unnamed(&task.models),
            2 => unnamed(&task.finishes),
            _ => unnamed(&task.ends),
        };
        if saved.tasks.values().any(|task| !kept(task).is_empty()) {
            let (choices, mixes) = look.beside(choose, saved, kept);
            let found = super::compare(&mixes.0, &mixes.1, &choices.names);
            measures.push(choices.measured((name, what), &mixes, &found, 1));
        }
    }
    for (index, (name, what, number)) in NUMBERS.into_iter().enumerate() {
        let kept = |task: &'_ TaskProfile| match index {
            0 => task.rounds.clone(),
            _ => task.output_per_call.clone(),
        };
        let kept: BTreeMap<&str, Amounts> = saved
            .tasks
            .iter()
            .map(|(kind, task)| (kind.as_str(), kept(task)))
            .filter(|(_, amounts)| !amounts.is_empty())
            .collect();
        if !kept.is_empty() {
            let (numbers, _) = look.numbers(number);
            let kept = kept.iter().map(|(kind, amounts)| (*kind, amounts));
            measures.push(numbers.against((name, what), &kept.collect()));
        }
    }
    let comparisons = correct(&mut [], &mut measures);
    let clearest = |p: Option<f64>| p.unwrap_or(2.0);
    measures.sort_by(|a, b| clearest(a.p_value).total_cmp(&clearest(b.p_value)));
    Study {
        before: Side {
            requests: saved
                .tasks
                .values()
                .fold(0, |sum: u64, task| sum.saturating_add(task.requests)),
            window: None,
        },
        after: look.sides(None).1,
        onset: choices.since(&tools, Sides::First(0)),
        tools,
        measures,
        comparisons,
        ..Study::default()
    }
}

/// Choices that no agent made.
fn unnamed(choices: &Saved) -> BTreeMap<String, Saved> {
    let some = (choices.requests > 0).then(|| (String::new(), choices.clone()));
    some.into_iter().collect()
}

/// Holm's correction over all slices and measures together; how many there were.
fn correct(slices: &mut [Slice], measures: &mut [Measure]) -> u64 {
    let of_slices = slices.iter_mut().map(|slice| &mut slice.p_value);
    let of_measures = measures.iter_mut().map(|measure| &mut measure.p_value);
    let mut all: Vec<&mut f64> = of_slices
        .chain(of_measures)
        .filter_map(Option::as_mut)
        .collect();
    let raw: Vec<f64> = all.iter().map(|p| **p).collect();
    for (p, adjusted) in all.iter_mut().zip(holm(&raw)) {
        **p = adjusted;
    }
    all.len() as u64
}

pub(super) struct Look<'a> {
    pub(super) dumps: &'a [Part<'a>],
    split: Option<Nanos>,
}

impl<'a> Look<'a> {
    pub(super) fn side(&self, first: usize) -> Sides {
        match (self.dumps.len(), self.split) {
            (2, _) => Sides::First(first),
            (_, Some(at)) => Sides::Split(at),
            _ => Sides::Within,
        }
    }

    fn choices(&self, choose: Choose) -> (Choices, Sides) {
        let mut choices = Choices::default();
        let mut first = 0;
        for (index, (data, forest)) in self.dumps.iter().enumerate() {
            for request in &forest.requests {
                choices.take(choose(data, forest, request), request.wall.start);
            }
            if index == 0 {
                first = choices.all.len();
            }
        }
        let sides = self.side(first);
        (choices, sides)
    }

    /// What the requests chose, and both sides of it: a saved period and these.
    fn beside(
        &self,
        choose: Choose,
        saved: &Profile,
        kept: impl Fn(&TaskProfile) -> BTreeMap<String, Saved>,
    ) -> (Choices, (Mix, Mix)) {
        let (mut choices, _) = self.choices(choose);
        let mut mixes = choices.mixes(0);
        for (kind, task) in &saved.tasks {
            for (agent, chosen) in kept(task) {
                let kind = (choices.names.intern(kind), choices.names.intern(&agent));
                mixes.0.take_in(kind, &chosen, &mut choices.names);
            }
        }
        (choices, mixes)
    }

    fn numbers(&self, number: Number) -> (Numbers, Sides) {
        let mut numbers = Numbers::default();
        let mut first = 0;
        for (index, (data, forest)) in self.dumps.iter().enumerate() {
            for request in &forest.requests {
                if let Some(value) = number(data, forest, request) {
                    numbers.starts.push(request.wall.start);
                    numbers
                        .all
                        .push((data.text(request.kind).to_owned(), value));
                }
            }
            if index == 0 {
                first = numbers.all.len();
            }
        }
        let sides = self.side(first);
        (numbers, sides)
    }

    /// Requests and windows before and after.
    fn sides(&self, split: Option<Nanos>) -> (Side, Side) {
        let mut sides = (Side::default(), Side::default());
        let split = self.split.or(split).unwrap_or(Nanos(u64::MAX));
        for (index, (_, forest)) in self.dumps.iter().enumerate() {
            for request in &forest.requests {
                let start = request.wall.start;
                let before = if self.dumps.len() == 2 {
                    index == 0
                } else {
                    start < split
                };
                let side = if before { &mut sides.0 } else { &mut sides.1 };
                side.requests += 1;
                let window = side.window.get_or_insert(Window { start, end: start });
                window.start = window.start.min(start);
                window.end = window.end.max(start);
            }
        }
        sides
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EVEN, SplitMix, shifted, simulate};
    use super::*;

    #[test]
    fn a_split_is_tested_once_and_cries_no_wolf() {
        for n in [50_usize, 500, 5000] {
            let runs = if n == 5000 { 200 } else { 1000 };
            let alarms = (0..runs).filter(|seed| {
                let choices = simulate(*seed, n, 1, 1, |_, _| EVEN);
                let cuts = choices.cuts(Sides::Split(Nanos(n as u64 / 2)));
                choices.judge(&cuts, false).drifted
            });
            let rate = alarms.count() as f64 / runs as f64;
            assert!(rate <= 0.05, "n = {n}: {rate}");
        }
    }

    #[test]
    fn ten_points_from_one_half_to_the_other_are_seen() {
        let seen = (0..400).filter(|seed| {
            let choices = simulate(*seed, 500, 1, 1, shifted(250));
            choices
                .judge(&choices.cuts(Sides::First(250)), false)
                .drifted
        });
        assert!(seen.count() >= 380);
    }

    /// Numbers of two kinds of task, those from `from` on larger by `by`.
    fn numbers(seed: u64, n: u64, from: u64, by: u64) -> Numbers {
        let mut random = SplitMix(seed);
        let mut numbers = Numbers::default();
        for i in 0..n {
            let kind = random.below(2);
            let value = kind * 50 + random.below(20) + if i >= from { by } else { 0 };
            numbers.starts.push(Nanos(i));
            numbers.all.push((format!("kind {kind}"), value as f64));
        }
        numbers
    }

    #[test]
    fn numbers_cry_no_wolf_and_show_a_shift() {
        let alarms = |runs: u64, of: &dyn Fn(u64) -> Numbers| {
            let judged = (0..runs).map(|seed| of(seed).measure("x", "", Sides::Within));
            let hits = judged
                .filter(|m| m.p_value.is_some_and(|p| p <= ALPHA))
                .count();
            hits as f64 / runs as f64
        };
        for n in [50, 500, 5000] {
            let runs = if n == 5000 { 100 } else { 600 };
            let rate = alarms(runs, &|seed| numbers(seed, n, n, 0));
            // Twice the standard error of so many runs.
            let error = 2.0 * (ALPHA * (1.0 - ALPHA) / runs as f64).sqrt();
            assert!(rate <= ALPHA + error, "n = {n}: {rate}");
        }
        let seen = alarms(200, &|seed| numbers(seed, 500, 250, 3));
        assert!(seen >= 0.95, "{seen}");
    }

    #[test]
    fn many_comparisons_are_corrected_together() {
        let measure = |p| Measure {
            name: "x",
            what: "",
            p_value: p,
            effect: None,
            before: super::super::Summary::default(),
            after: super::super::Summary::default(),
            changes: Vec::new(),
        };
        let mut measures = vec![measure(Some(0.01)), measure(None), measure(Some(0.04))];
        assert_eq!(correct(&mut [], &mut measures), 2);
        let all: Vec<Option<f64>> = measures.iter().map(|m| m.p_value).collect();
        assert_eq!(all, [Some(0.02), None, Some(0.04)]);
    }
}
