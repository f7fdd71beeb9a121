//! Whether agents changed which tools they choose: in the course of one dump, or against another.

mod measure;
mod mix;
pub(super) mod observe;
mod onset;
mod slice;
mod study;

use hashbrown::HashMap;
use mix::{Choice, Comparison, Mix, compare};

pub use measure::{Effect, Measure, ShareChange, Summary};
pub use onset::Onset;
pub use slice::Slice;
pub use study::{Part, Side, Study, against_saved, study};

use crate::model::Dataset;
use crate::trace::Forest;
use crate::units::{Interner, Nanos, Ratio, Sym};

/// Chance of a false alarm that is accepted, for the whole of one dump.
pub const ALPHA: f64 = 0.05;

/// The rule of the field: a tool whose share fell below this part of what it was has collapsed.
pub const HALVED: f64 = 0.5;

/// Calls that a tool should have had by its old share for the rule to be applied.
const LEAST_CALLS: f64 = 5.0;

/// Chance at which a further tool is named beside the clearest one.
const NAMED: f64 = 0.01;

/// Points at which a dump is cut in two, as shares of its requests.
const CUTS: [(usize, usize); 3] = [(1, 2), (1, 4), (3, 4)];

/// One tool before and after.
#[derive(Clone, PartialEq, Debug)]
pub struct ToolShift {
    /// The tool.
    pub tool: String,
    /// Its calls of all tool calls, before.
    pub before: Ratio,
    /// Its calls of all tool calls, after.
    pub after: Ratio,
    /// Chance of so large a change when nothing changed, all tools and cuts considered; `None`
    /// when the tool is too rare to test.
    pub p_value: Option<f64>,
    /// True when this tool is one of those that changed.
    pub drifted: bool,
}

/// What became of tool choice.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Drift {
    /// True when a change is more than chance explains.
    pub drifted: bool,
    /// Chance of so large a change when nothing changed; `None` when there is too little to test.
    pub p_value: Option<f64>,
    /// Jensen–Shannon divergence of the shares before and after, in bits (0–1).
    pub divergence: Option<f64>,
    /// Tool calls before.
    pub calls_before: u64,
    /// Tool calls after.
    pub calls_after: u64,
    /// Start of the first request after the change, where there is one; else of the second half.
    pub split: Option<Nanos>,
    /// All tools, largest change of share first.
    pub tools: Vec<ToolShift>,
}

impl Drift {
    /// Tools whose share fell below half of what it was, whether chance explains it or not: the usual
    /// rule of an alert, applied where at least five calls were due. Largest loss of share first.
    pub fn collapsed(&self) -> impl Iterator<Item = &ToolShift> {
        self.tools.iter().filter(|tool| {
            let (before, after) = (tool.before.share(), tool.after.share());
            let due = before.unwrap_or(0.0) * tool.after.whole as f64;
            let fell = before.zip(after).is_some_and(|(was, is)| is < HALVED * was);
            fell && due >= LEAST_CALLS
        })
    }
}

/// Which requests are compared with which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sides {
    /// Earlier ones with later ones, wherever the change is.
    Within,
    /// Those that started before an instant with the others.
    Split(Nanos),
    /// The first so many, which are of another dump, with the others.
    First(usize),
}

/// What each request chose, in order of start within each dump.
#[derive(Clone)]
struct Choices {
    names: Interner,
    starts: Vec<Nanos>,
    all: Vec<Choice>,
}

/// Looks for a change in the course of one dump: it is cut at a half, a quarter and three quarters,
/// and the clearest cut is judged as the best of three. When tools changed, the shares are shown
/// before and after the estimated onset.
pub(super) fn within(data: &Dataset, forest: &Forest) -> Drift {
    let mut choices = Choices::default();
    for request in &forest.requests {
        choices.take(observe::tools(data, forest, request), request.wall.start);
    }
    choices.judge(&choices.cuts(Sides::Within), true)
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            names: Interner::new(),
            starts: Vec::new(),
            all: Vec::new(),
        }
    }
}

impl Choices {
    /// Takes in what one request chose, by kind of task and agent.
    fn take<'a>(&mut self, picked: impl IntoIterator<Item = observe::Picked<'a>>, start: Nanos) {
        for one in picked {
            let kind = self.names.intern(one.kind);
            let agent = self.names.intern(one.agent);
            let each = one.chosen.into_iter();
            let tools: Vec<(Sym, u64)> = each
                .map(|(name, n)| (self.names.intern(&name), n))
                .collect();
            if !tools.is_empty() {
                self.starts.push(start);
                self.all.push(Choice {
                    kind: (kind, agent),
                    tools,
                });
            }
        }
    }

    /// Where to cut. A request with several agents is not divided.
    fn cuts(&self, sides: Sides) -> Vec<usize> {
        match sides {
            Sides::Within => {
                let cuts = CUTS.map(|(part, of)| self.all.len() * part / of);
                let whole = |cut: usize| {
                    let start = self.starts.get(cut);
                    let same = self.starts[..cut]
                        .iter()
                        .rev()
                        .take_while(|s| Some(*s) == start);
                    cut - same.count()
                };
                cuts.map(whole).to_vec()
            }
            Sides::Split(at) => vec![self.starts.partition_point(|start| *start < at)],
            Sides::First(choices) => vec![choices.min(self.all.len())],
        }
    }

    fn mixes(&self, cut: usize) -> (Mix, Mix) {
        let mut mixes = (Mix::default(), Mix::default());
        for (index, choice) in self.all.iter().enumerate() {
            if index < cut {
                mixes.0.add(choice);
            } else {
                mixes.1.add(choice);
            }
        }
        mixes
    }

    fn compare(&self, cut: usize) -> Comparison {
        let (before, after) = self.mixes(cut);
        compare(&before, &after, &self.names)
    }

    /// The clearest of the cuts, judged as the best of them. With `onset`, the shares are shown before
    /// and after the estimated change instead of the cut.
    fn judge(&self, cuts: &[usize], onset: bool) -> Drift {
        let tested = cuts.iter().map(|cut| (*cut, self.compare(*cut)));
        let best = tested.min_by(|(_, a), (_, b)| a.rank().total_cmp(&b.rank()));
        let Some((cut, found)) = best else {
            return Drift::default();
        };
        let tests = cuts.len() as f64;
        let drifted = found.p_value.is_some_and(|p| p * tests <= ALPHA);
        let shown = match found.clearest() {
            Some(tool) if drifted && onset => self.onset(tool),
            _ if onset => cut.min(self.all.len() / 2),
            _ => cut,
        };
        self.drift(shown, &found, cuts.len())
    }

    /// The index after which `tool` is chosen at another rate: where the running sum of calls over
    /// expectation is furthest from zero, each step weighed as a cut there would be (the CUSUM
    /// change-point estimate; Brodsky & Darkhovsky 1993). Expectation is per kind of task.
    fn onset(&self, tool: Sym) -> usize {
        let count = |choice: &Choice| {
            let own = choice.tools.iter().find(|(known, _)| *known == tool);
            own.map_or(0, |(_, n)| *n) as f64
        };
        let size = |choice: &Choice| choice.tools.iter().map(|(_, n)| *n).sum::<u64>() as f64;
        let mut kinds: HashMap<(Sym, Sym), (f64, f64)> = HashMap::new();
        for choice in &self.all {
            let (own, all) = kinds.entry(choice.kind).or_default();
            *own += count(choice);
            *all += size(choice);
        }
        let whole: f64 = self.all.iter().map(size).sum();
        let (mut seen, mut sum, mut best) = (0.0, 0.0, (0.0, self.all.len() / 2));
        for (index, choice) in self.all.iter().enumerate() {
            let (own, all) = kinds.get(&choice.kind).copied().unwrap_or_default();
            seen += size(choice);
            sum += count(choice) - size(choice) * own / all;
            let share = seen / whole;
            if (0.02..=0.98).contains(&share) {
                let weight = f64::abs(sum) / (share * (1.0 - share)).sqrt();
                if weight > best.0 {
                    best = (weight, index + 1);
                }
            }
        }
        best.1
    }

    /// `tests` is how many comparisons the best was chosen from.
    fn drift(&self, cut: usize, found: &Comparison, tests: usize) -> Drift {
        let split = self.starts.get(cut).copied();
        self.shown(&self.mixes(cut), found, tests, split)
    }

    fn shown(
        &self,
        (before, after): &(Mix, Mix),
        found: &Comparison,
        tests: usize,
        split: Option<Nanos>,
    ) -> Drift {
        let adjusted = |p: f64| (p * tests as f64).min(1.0);
        let p_value = found.p_value.map(adjusted);
        let drifted = p_value.is_some_and(|p| p <= ALPHA);
        let clearest = found.clearest();
        let mut tools: Vec<ToolShift> = found
            .shifts
            .iter()
            .map(|shift| {
                let p_value = shift.p_value.map(adjusted);
                ToolShift {
                    tool: self.names.get(shift.tool).to_owned(),
                    before: before.share(shift.tool),
                    after: after.share(shift.tool),
                    p_value,
                    drifted: drifted
                        && (clearest == Some(shift.tool) || p_value.is_some_and(|p| p <= NAMED)),
                }
            })
            .collect();
        let share = |ratio: Ratio| ratio.share().unwrap_or(0.0);
        let change = |t: &ToolShift| (share(t.after) - share(t.before)).abs();
        tools.sort_by(|a, b| {
            let order = b.drifted.cmp(&a.drifted);
            let order = order.then(change(b).total_cmp(&change(a)));
            order.then_with(|| a.tool.cmp(&b.tool))
        });
        let first = tools.first();
        Drift {
            drifted,
            p_value,
            divergence: compare(before, after, &self.names).divergence,
            calls_before: first.map_or(0, |t| t.before.whole),
            calls_after: first.map_or(0, |t| t.after.whole),
            split,
            tools,
        }
    }
}

#[cfg(test)]
mod tests;
