//! Which tools were chosen, as counts that merge, and the test between two sets of such counts.

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::aggregate::profile::Choices as Saved;
use crate::stats::{chi_square_tail, g_test, holm, jensen_shannon, normal_two_sided};
use crate::units::{Interner, Ratio, Sym};

/// Calls that a test needs to expect in a cell before it trusts it.
const LEAST_EXPECTED: f64 = 5.0;
/// Requests that each side needs before anything is tested.
pub(super) const LEAST_REQUESTS: u64 = 8;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// The tools one request chose.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// Kind of task, and agent: shares are compared within them, so that a change of the mix of tasks
    /// is not taken for a change of tools.
    pub(super) kind: (Sym, Sym),
    /// Each tool once, with how often it was called.
    pub(super) tools: Vec<(Sym, u64)>,
}

/// Counts over requests: integers only, so that parts merge in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct Mix {
    kinds: Map<(Sym, Sym), Stratum>,
    requests: u64,
}

#[derive(Clone, Debug, Default)]
struct Stratum {
    requests: u64,
    calls: u64,
    squares: u64,
    tools: Map<Sym, Cell>,
}

/// Sums over requests r of n_rj, n_rj², and n_rj·n_r for tool j.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    calls: u64,
    squares: u64,
    cross: u64,
}

/// Choices that one task counts.
const CHOICES: usize = 1 << 13;

impl Mix {
    /// Counts all of `choices`.
    pub(super) fn of(choices: &[Choice]) -> Self {
        let parts = choices.par_chunks(CHOICES).map(|choices| {
            let mut mix = Self::default();
            choices.iter().for_each(|choice| mix.add(choice));
            mix
        });
        parts.reduce(Self::default, Self::with)
    }

    /// With the counts of others.
    pub(super) fn with(mut self, other: Self) -> Self {
        add(&mut self.requests, other.requests);
        for (kind, theirs) in other.kinds {
            let stratum = self.kinds.entry(kind).or_default();
            add(&mut stratum.requests, theirs.requests);
            add(&mut stratum.calls, theirs.calls);
            add(&mut stratum.squares, theirs.squares);
            for (tool, theirs) in theirs.tools {
                let cell = stratum.tools.entry(tool).or_default();
                add(&mut cell.calls, theirs.calls);
                add(&mut cell.squares, theirs.squares);
                add(&mut cell.cross, theirs.cross);
            }
        }
        self
    }

    pub(super) fn add(&mut self, choice: &Choice) {
        let calls: u64 = choice.tools.iter().map(|(_, n)| n).sum();
        let stratum = self.kinds.entry(choice.kind).or_default();
        self.requests += 1;
        stratum.requests += 1;
        stratum.calls += calls;
        stratum.squares += calls * calls;
        for (tool, count) in &choice.tools {
            let cell = stratum.tools.entry(*tool).or_default();
            cell.calls += count;
            cell.squares += count * count;
            cell.cross += count * calls;
        }
    }

    /// Takes in what one agent chose in one kind of task, as a saved period has it.
    pub(super) fn take_in(&mut self, kind: (Sym, Sym), saved: &Saved, names: &mut Interner) {
        add(&mut self.requests, saved.requests);
        let stratum = self.kinds.entry(kind).or_default();
        add(&mut stratum.requests, saved.requests);
        add(&mut stratum.calls, saved.calls);
        add(&mut stratum.squares, saved.squares);
        for (tool, theirs) in &saved.tools {
            let cell = stratum.tools.entry(names.intern(tool)).or_default();
            add(&mut cell.calls, theirs.calls);
            add(&mut cell.squares, theirs.squares);
            add(&mut cell.cross, theirs.cross);
        }
    }

    /// By kind of task and agent: calls of one tool, and of all.
    pub(super) fn counts(&self, tool: Sym) -> impl Iterator<Item = ((Sym, Sym), (f64, f64))> + '_ {
        let counts = move |of: &Stratum| (of.count(tool) as f64, of.calls as f64);
        self.kinds.iter().map(move |(kind, of)| (*kind, counts(of)))
    }

    /// Calls of one tool over all kinds, of all calls.
    pub(super) fn share(&self, tool: Sym) -> Ratio {
        let mut share = Ratio::default();
        for stratum in self.kinds.values() {
            add(&mut share.whole, stratum.calls);
            add(&mut share.part, stratum.count(tool));
        }
        share
    }
}

/// Adds what a saved file says, which may be anything.
fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

impl Stratum {
    fn count(&self, tool: Sym) -> u64 {
        self.tools.get(&tool).map_or(0, |cell| cell.calls)
    }

    /// How much more the shares of `tools` vary between requests than independent calls would: the
    /// mean generalised design effect of Rao & Scott, "On Chi-squared Tests for Multiway
    /// Contingency Tables" (1984). One request that calls a tool ten times is not ten choices.
    fn design_effect(&self, tools: &[Sym]) -> f64 {
        let (n, requests) = (self.calls as f64, self.requests as f64);
        let (mut effect, mut weight) = (0.0, 0.0);
        for tool in tools {
            let cell = self.tools.get(tool).copied().unwrap_or_default();
            let share = cell.calls as f64 / n;
            if share > 0.0 && share < 1.0 {
                let spread = cell.squares as f64 - 2.0 * share * cell.cross as f64
                    + share * share * self.squares as f64;
                effect += spread / (n * share);
                weight += 1.0 - share;
            }
        }
        if weight > 0.0 && requests > 1.0 {
            effect / weight * requests / (requests - 1.0)
        } else {
            1.0
        }
    }
}

/// One tool on both sides.
#[derive(Clone, Debug)]
pub(super) struct Shift {
    pub(super) tool: Sym,
    /// Chance of so large a change, all tools considered (Holm); `None` when too rare to test.
    pub(super) p_value: Option<f64>,
    /// Calls that were due afterwards, had each kind of task gone on choosing it as before.
    pub(super) due: f64,
}

/// Two sides compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Comparison {
    /// Chance of so large a difference; `None` when there is too little to test.
    pub(super) p_value: Option<f64>,
    /// Jensen–Shannon divergence over all kinds, bits.
    pub(super) divergence: Option<f64>,
    /// All tools, by name.
    pub(super) shifts: Vec<Shift>,
}

impl Comparison {
    /// Smaller is clearer.
    pub(super) fn rank(&self) -> f64 {
        self.p_value.unwrap_or(1.0)
    }

    /// The tool that changed most clearly.
    pub(super) fn clearest(&self) -> Option<Sym> {
        let tested = self
            .shifts
            .iter()
            .filter_map(|s| Some((s.p_value?, s.tool)));
        let clearest = tested.min_by(|(a, _), (b, _)| a.total_cmp(b));
        clearest.map(|(_, tool)| tool)
    }
}

/// Sums of observed less expected calls, their variance, and the smaller expectation, of one tool
/// over all kinds: the Cochran–Mantel–Haenszel statistic (Mantel & Haenszel 1959).
#[derive(Clone, Copy, Default)]
struct Score {
    excess: f64,
    variance: f64,
    expected: f64,
    /// Expected before and after.
    sides: (f64, f64),
    due: f64,
}

impl Score {
    /// Chance of so large a change: by the normal law, or by likelihood where that is more careful. Few calls vary
    /// more upwards than the one knows, and less far downwards than the other.
    fn chance(&self) -> Option<f64> {
        if self.expected < LEAST_EXPECTED || self.variance <= 0.0 {
            return None;
        }
        let z = (self.excess.abs() - 0.5).max(0.0) / self.variance.sqrt();
        let (before, after) = self.sides;
        let (due, seen) = match after <= before {
            true => (after, after + self.excess),
            false => (before, before - self.excess),
        };
        let log = if seen > 0.0 {
            seen * (seen / due).ln()
        } else {
            0.0
        };
        let g = 2.0 * (log - seen + due) * due / self.variance;
        Some(normal_two_sided(z).max(normal_two_sided(g.max(0.0).sqrt())))
    }
}

/// Tests whether tools were chosen alike, within each kind of task: by all tools together (G-test)
/// and by the tool that changed most, each with design effects; the better of the two, doubled.
pub(super) fn compare(before: &Mix, after: &Mix, names: &Interner) -> Comparison {
    let all = by_name(before.kinds.values().chain(after.kinds.values()), names);
    let mut scores: HashMap<Sym, Score> = HashMap::new();
    let (mut g, mut df) = (0.0, 0);
    for (left, right) in shared_kinds(before, after, names) {
        let tools = by_name([left, right].into_iter(), names);
        let n = (left.calls + right.calls) as f64;
        let smaller = left.calls.min(right.calls) as f64;
        let both = |tool: &Sym| (left.count(*tool) + right.count(*tool)) as f64;
        let (common, rare): (Vec<Sym>, Vec<Sym>) = tools
            .iter()
            .partition(|tool| both(tool) * smaller / n >= LEAST_EXPECTED);
        let effect = joint_effect(left, right, &common);

        let test = g_test(&cells(left, &common, &rare), &cells(right, &common, &rare));
        g += test.g / effect;
        df += test.df;
        for tool in &tools {
            let share = both(tool) / n;
            let score = scores.entry(*tool).or_default();
            score.excess += right.count(*tool) as f64 - right.calls as f64 * share;
            score.variance += effect * left.calls as f64 * right.calls as f64 / (n - 1.0).max(1.0)
                * share
                * (1.0 - share);
            score.expected += smaller * share;
            score.sides.0 += left.calls as f64 * share;
            score.sides.1 += right.calls as f64 * share;
            score.due += right.calls as f64 * left.count(*tool) as f64 / left.calls as f64;
        }
    }
    let shifts = shifts(&all, &scores);
    let largest = shifts.iter().filter_map(|s| s.p_value).fold(1.0, f64::min);
    let enough = before.requests.min(after.requests) >= LEAST_REQUESTS && df > 0;
    let overall = chi_square_tail(g, df);
    let counts = |mix: &Mix| -> Vec<u64> { all.iter().map(|t| mix.share(*t).part).collect() };
    Comparison {
        p_value: enough.then(|| (2.0 * overall.min(largest)).min(1.0)),
        divergence: jensen_shannon(&counts(before), &counts(after)),
        shifts,
    }
}

fn shifts(tools: &[Sym], scores: &HashMap<Sym, Score>) -> Vec<Shift> {
    let score = |tool: &Sym| scores.get(tool).copied().unwrap_or_default();
    let chance = |tool: &Sym| score(tool).chance();
    let raw: Vec<f64> = tools.iter().filter_map(chance).collect();
    let mut corrected = holm(&raw).into_iter();
    tools
        .iter()
        .map(|tool| Shift {
            tool: *tool,
            p_value: chance(tool).and_then(|_| corrected.next()),
            due: score(tool).due,
        })
        .collect()
}

/// The design effect of the difference of two sides, never below that of independent calls.
fn joint_effect(left: &Stratum, right: &Stratum, tools: &[Sym]) -> f64 {
    let part = |side: &Stratum| (side.design_effect(tools), 1.0 / side.calls as f64);
    let ((a, wa), (b, wb)) = (part(left), part(right));
    ((a * wa + b * wb) / (wa + wb)).max(1.0)
}

fn cells(side: &Stratum, common: &[Sym], rare: &[Sym]) -> Vec<u64> {
    let rest = rare.iter().map(|tool| side.count(*tool));
    let rest = rest.fold(0, u64::saturating_add);
    let counts = common.iter().map(|tool| side.count(*tool));
    counts.chain(std::iter::once(rest)).collect()
}

/// Kinds with tool calls on both sides, by name: sums of floats must not depend on hash order.
fn shared_kinds<'a>(
    before: &'a Mix,
    after: &'a Mix,
    names: &Interner,
) -> Vec<(&'a Stratum, &'a Stratum)> {
    let mut kinds: Vec<_> = before.kinds.keys().copied().collect();
    kinds.sort_unstable_by_key(|(kind, agent)| (names.get(*kind), names.get(*agent)));
    kinds
        .into_iter()
        .filter_map(|kind| Some((before.kinds.get(&kind)?, after.kinds.get(&kind)?)))
        .filter(|(left, right)| left.calls > 0 && right.calls > 0)
        .collect()
}

fn by_name<'a>(strata: impl Iterator<Item = &'a Stratum>, names: &Interner) -> Vec<Sym> {
    let mut tools: Vec<Sym> = strata.flat_map(|s| s.tools.keys().copied()).collect();
    tools.sort_unstable_by_key(|tool| names.get(*tool));
    tools.dedup();
    tools
}
