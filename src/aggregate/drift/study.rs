//! All that may have changed between two sides: which tools are chosen, by whom, since when; and beside
//! it the order of tools, the models, the rounds, the answers and how requests end.

use std::collections::BTreeMap;

use super::measure::{Measure, Numbers};
use super::observe::{self, Picked};
use super::onset::Onset;
use super::slice::Slice;
use super::{ALPHA, Choices, Drift, Sides};
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
    /// Of these: requests of the later of two dumps, from before the change in it.
    pub own_before: u64,
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

/// Compares the requests of a dump with those of `baseline`, or where the change lies within the dump, its later
/// ones with those and its earlier ones; without a baseline, those from `split` on with the ones before; without
/// either, later ones with earlier ones.
#[must_use]
pub fn study(dump: Part<'_>, baseline: Option<Part<'_>>, split: Option<Nanos>) -> Study {
    let dumps: Vec<Part<'_>> = baseline.into_iter().chain([dump]).collect();
    let look = Look {
        dumps: &dumps,
        split,
        saved: false,
    };
    let (choices, sides) = look.choices(observe::tools);
    let tools = choices.judge(sides, !matches!(sides, Sides::Split(_)));
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
    let of_baseline = baseline.map(|(_, forest)| forest.requests.len() as u64);
    Study {
        own_before: of_baseline.map_or(0, |n| before.requests.saturating_sub(n)),
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
        split: None,
        saved: true,
    };
    let (choices, sides) = look.beside(observe::tools, saved, |task| task.choices.clone());
    let tools = choices.judge(sides, true);
    let mut measures = Vec::new();
    for (index, (name, what, choose)) in CATEGORIES.into_iter().enumerate() {
        let kept = |task: &TaskProfile| match index {
            0 => task.order.clone(),
            1 => unnamed(&task.models),
            2 => unnamed(&task.finishes),
            _ => unnamed(&task.ends),
        };
        if saved.tasks.values().any(|task| !kept(task).is_empty()) {
            let (choices, sides) = look.beside(choose, saved, kept);
            measures.push(choices.measure(name, what, sides));
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
    let (mut before, after) = look.sides(tools.split);
    let requests = saved.tasks.values().map(|task| task.requests);
    let own = before.requests;
    before.requests = requests.fold(own, u64::saturating_add);
    Study {
        own_before: own,
        before,
        after,
        onset: choices.since(&tools, sides),
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
    /// A saved period stands before them.
    saved: bool,
}

impl<'a> Look<'a> {
    pub(super) fn side(&self, first: usize) -> Sides {
        match (self.dumps.len(), self.split) {
            (2, _) => Sides::First(first),
            _ if self.saved => Sides::First(0),
            (_, Some(at)) => Sides::Split(at),
            _ => Sides::Within,
        }
    }

    fn choices(&self, choose: Choose) -> (Choices<'a>, Sides) {
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

    /// What the requests chose, after a saved period.
    fn beside(
        &self,
        choose: Choose,
        saved: &Profile,
        kept: impl Fn(&TaskProfile) -> BTreeMap<String, Saved>,
    ) -> (Choices<'a>, Sides) {
        let (mut choices, sides) = self.choices(choose);
        let names = choices.names.to_mut();
        for (kind, task) in &saved.tasks {
            for (agent, chosen) in kept(task) {
                let kind = (names.intern(kind), names.intern(&agent));
                choices.saved.take_in(kind, &chosen, names);
            }
        }
        (choices, sides)
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

    /// Requests and windows before and after; `inside` is when the sides part within the later dump.
    fn sides(&self, inside: Option<Nanos>) -> (Side, Side) {
        let mut sides = (Side::default(), Side::default());
        let split = self.split.or(inside);
        for (index, (_, forest)) in self.dumps.iter().enumerate() {
            for request in &forest.requests {
                let start = request.wall.start;
                let before = match split {
                    _ if index + 1 < self.dumps.len() => true,
                    Some(split) => start < split,
                    None => self.dumps.len() == 1 && !self.saved,
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
    use super::super::mix::Choice;
    use super::super::tests::{EVEN, SplitMix, shifted, simulate};
    use super::*;

    #[test]
    fn a_split_is_tested_once_and_cries_no_wolf() {
        for n in [50_usize, 500, 5000] {
            let runs = if n == 5000 { 200 } else { 1000 };
            let alarms = (0..runs).filter(|seed| {
                let choices = simulate(*seed, n, 1, 1, |_, _| EVEN);
                let split = Sides::Split(Nanos(n as u64 / 2));
                choices.judge(split, false).drifted
            });
            let rate = alarms.count() as f64 / runs as f64;
            assert!(rate <= 0.05, "n = {n}: {rate}");
        }
    }

    /// Requests of a dump after those of a healthy one, dumped or saved.
    fn after(
        healthy: usize,
        saved: bool,
        mut choices: Choices<'static>,
    ) -> (Choices<'static>, Sides) {
        if !saved {
            return (choices, Sides::First(healthy));
        }
        for choice in choices.all.drain(..healthy) {
            choices.saved.add(&choice);
        }
        choices.starts.drain(..healthy);
        (choices, Sides::First(0))
    }

    #[test]
    fn a_healthy_dump_after_a_healthy_one_cries_no_wolf() {
        let uneven = [300, 200, 150, 120, 90, 60, 40, 20, 15, 5];
        for n in [50_usize, 500, 5000] {
            let runs = if n == 5000 { 100 } else { 600 };
            for (saved, calls) in [(false, 1), (true, 1), (true, 6)] {
                let alarms = (0..runs).filter(|seed| {
                    let choices = simulate(*seed, 2 * n, 2, calls, |_, _| uneven);
                    let (choices, sides) = after(n, saved, choices);
                    choices.judge(sides, true).drifted
                });
                let rate = alarms.count() as f64 / runs as f64;
                assert!(
                    rate <= 0.05,
                    "n = {n}, saved: {saved}, {calls} calls: {rate}"
                );
            }
        }
    }

    #[test]
    fn a_tool_that_vanishes_late_in_a_dump_is_seen_and_named_against_another() {
        let healthy = [170, 30, 240, 290, 150, 60, 40, 10, 5, 5];
        let mut sick = healthy;
        (sick[0], sick[1]) = (0, 200);
        for saved in [false, true] {
            let (runs, mut named, mut near) = (200, 0, 0);
            for seed in 0..runs {
                let shares = |i, _| if i < 600 { healthy } else { sick };
                let (choices, sides) = after(280, saved, simulate(seed, 680, 1, 1, shares));
                let drift = choices.judge(sides, true);
                let onset = choices.since(&drift, sides);
                let tool = drift.collapsed().any(|t| t.tool == "tool_0");
                named += u32::from(drift.drifted && tool);
                near += u32::from(onset.is_some_and(|o| o.at.0.abs_diff(600) <= 40));
            }
            assert!(
                named >= 190 && near >= 170,
                "saved: {saved}: {named}, {near}"
            );
        }
    }

    #[test]
    fn a_tool_whose_tasks_stay_away_has_not_collapsed() {
        // Every kind of task keeps to its own five tools, and the second kind no longer comes.
        let mut choices = simulate(5, 800, 2, 1, |_, kind| {
            let mut weights = [0; 10];
            weights[kind as usize * 5..kind as usize * 5 + 5].fill(1);
            weights
        });
        let second = choices.names.find("kind 1").unwrap();
        let late: Vec<bool> = (0..800).map(|i| i >= 400).collect();
        let gone = |(i, choice): (usize, &Choice)| late[i] && choice.kind.0 == second;
        let keeps: Vec<bool> = choices.all.iter().enumerate().map(|c| !gone(c)).collect();
        for list in [0, 1] {
            let mut keeps = keeps.iter();
            match list {
                0 => choices.all.retain(|_| *keeps.next().unwrap()),
                _ => choices.starts.retain(|_| *keeps.next().unwrap()),
            }
        }
        let drift = choices.judge(Sides::First(400), true);
        assert!(!drift.drifted && drift.collapsed().next().is_none());
        assert_eq!(drift.gone_with_their_tasks().count(), 5);
    }

    #[test]
    fn ten_points_from_one_half_to_the_other_are_seen() {
        let seen = (0..400).filter(|seed| {
            let choices = simulate(*seed, 500, 1, 1, shifted(250));
            choices.judge(Sides::First(250), false).drifted
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
