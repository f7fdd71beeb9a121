//! Seeded simulations: how often drift is cried without cause, and how often it is seen.

use super::*;

/// Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
pub(super) struct SplitMix(pub(super) u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    fn pick(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

pub(super) const EVEN: [u64; 10] = [10; 10];

/// `n` requests, each drawing one tool by `weights(i)` and calling it `calls` times.
pub(super) fn simulate(
    seed: u64,
    n: usize,
    kinds: u64,
    calls: u64,
    weights: impl Fn(usize, u64) -> [u64; 10],
) -> Choices<'static> {
    let mut random = SplitMix(seed);
    let mut choices = Choices::default();
    let tools: Vec<Sym> = (0..10)
        .map(|i| choices.names.to_mut().intern(&format!("tool_{i}")))
        .collect();
    for i in 0..n {
        let kind = random.below(kinds);
        let tool = tools[random.pick(&weights(i, kind))];
        choices.starts.push(Nanos(i as u64));
        let kind = choices.names.to_mut().intern(&format!("kind {kind}"));
        choices.all.push(Choice {
            kind: (kind, Sym::NONE),
            tools: vec![(tool, 1 + random.below(calls))],
        });
    }
    choices
}

fn judge(choices: &Choices<'_>) -> Drift {
    choices.judge(Sides::Within, true)
}

fn alarms(runs: u64, of: impl Fn(u64) -> Choices<'static>) -> f64 {
    let hits = (0..runs).filter(|seed| judge(&of(*seed)).drifted).count();
    hits as f64 / runs as f64
}

#[test]
fn drift_is_not_cried_where_nothing_changed() {
    let uneven = [300, 200, 150, 120, 90, 60, 40, 20, 15, 5];
    for n in [50, 500, 5000] {
        let runs = if n == 5000 { 200 } else { 1000 };
        let even = alarms(runs, |seed| simulate(seed, n, 1, 1, |_, _| EVEN));
        let skewed = alarms(runs, |seed| simulate(seed, n, 3, 1, |_, _| uneven));
        assert!(even <= 0.05, "even shares, n = {n}: {even}");
        assert!(skewed <= 0.05, "uneven shares, n = {n}: {skewed}");
    }
}

#[test]
fn repeated_calls_of_one_request_are_one_choice() {
    let rate = alarms(500, |seed| simulate(seed, 300, 1, 8, |_, _| EVEN));
    assert!(rate <= 0.05, "{rate}");
}

#[test]
fn a_change_of_the_mix_of_tasks_is_not_a_change_of_tools() {
    let mut choices = simulate(3, 1000, 2, 1, |_, kind| {
        let mut weights = [0; 10];
        weights[kind as usize * 5..kind as usize * 5 + 5].fill(1);
        weights
    });
    // All of one kind first, then all of the other: shares differ wholly, choice within a kind not.
    let names = choices.names.clone();
    choices.all.sort_by_key(|c| names.get(c.kind.0).to_owned());
    let drift = judge(&choices);
    assert!(!drift.drifted, "{:?}", drift.p_value);
    assert!(drift.divergence.is_some_and(|d| d > 0.3));
}

/// Ten points of share go from tool 0 to tool 1 at `from`.
pub(super) fn shifted(from: usize) -> impl Fn(usize, u64) -> [u64; 10] {
    move |i, _| {
        let mut weights = EVEN;
        if i >= from {
            (weights[0], weights[1]) = (0, 20);
        }
        weights
    }
}

#[test]
fn ten_points_at_five_hundred_calls_are_seen_and_named() {
    let runs = 400;
    let (mut seen, mut named, mut near) = (0, 0, 0);
    for seed in 0..runs {
        let drift = judge(&simulate(seed, 500, 1, 1, shifted(250)));
        seen += u32::from(drift.drifted);
        let tools: Vec<_> = drift.tools.iter().filter(|t| t.drifted).collect();
        named += u32::from(tools.iter().any(|t| t.tool == "tool_0"));
        near += u32::from(drift.split.is_some_and(|at| at.0.abs_diff(250) <= 40));
    }
    let share = |hits: u32| f64::from(hits) / f64::from(runs as u32);
    assert!(share(seen) >= 0.95, "seen {}", share(seen));
    assert!(share(named) >= 0.95, "named {}", share(named));
    assert!(share(near) >= 0.80, "onset near {}", share(near));
}

#[test]
fn a_late_change_is_seen_too() {
    let rate = alarms(300, |seed| simulate(seed, 1000, 3, 1, shifted(750)));
    assert!(rate >= 0.95, "{rate}");
}

#[test]
fn too_little_is_not_judged() {
    let drift = judge(&simulate(1, 10, 1, 1, shifted(5)));
    assert_eq!((drift.drifted, drift.p_value), (false, None));
    let nothing = judge(&Choices::default());
    assert_eq!(nothing, Drift::default());
}
