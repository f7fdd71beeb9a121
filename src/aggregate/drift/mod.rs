//! Whether agents changed which tools they choose: in the course of one dump, or against another.

mod mix;

use hashbrown::HashMap;
use mix::{Choice, Comparison, Mix, compare};

use super::cost::ops;
use crate::model::{Dataset, Digest};
use crate::trace::{Forest, StepKind};
use crate::units::{Interner, Nanos, Ratio, Sym};

/// Chance of a false alarm that is accepted, for the whole of one dump.
pub const ALPHA: f64 = 0.05;

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

/// The tools each request chose, in order of start. The same tool with the same arguments is chosen
/// once: to repeat a call is a retry and not another choice.
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
    choices.read(data, forest);
    choices.judge()
}

/// Looks for a change from one dump to another.
#[must_use]
pub fn between(before: (&Dataset, &Forest), after: (&Dataset, &Forest)) -> Drift {
    let mut choices = Choices::default();
    choices.read(before.0, before.1);
    let cut = choices.all.len();
    choices.read(after.0, after.1);
    let found = choices.compare(cut);
    choices.drift(cut, &found, 1)
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
    fn read(&mut self, data: &Dataset, forest: &Forest) {
        for request in &forest.requests {
            let mut tools: Vec<(Sym, u64)> = Vec::new();
            let mut asked: Vec<(Sym, Digest)> = Vec::new();
            for op in ops(forest, request) {
                let Some(span) = data.spans.get(op.span as usize) else {
                    continue;
                };
                if op.kind != StepKind::Tool || !span.op.is_tool() {
                    continue;
                }
                let name = super::latency::tool_name(data, op);
                let tool = self.names.intern(name);
                if let Some(arguments) = data.tool_of(span).and_then(|call| call.arguments) {
                    if asked.contains(&(tool, arguments)) {
                        continue;
                    }
                    asked.push((tool, arguments));
                }
                match tools.iter_mut().find(|(known, _)| *known == tool) {
                    Some((_, count)) => *count += 1,
                    None => tools.push((tool, 1)),
                }
            }
            if !tools.is_empty() {
                let kind = self.names.intern(data.text(request.kind));
                self.starts.push(request.wall.start);
                self.all.push(Choice { kind, tools });
            }
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

    /// The clearest of the cuts, judged as the best of them.
    fn judge(&self) -> Drift {
        let cuts = CUTS.map(|(part, of)| self.all.len() * part / of);
        let tested = cuts.map(|cut| (cut, self.compare(cut)));
        let best = tested
            .into_iter()
            .min_by(|(_, a), (_, b)| a.rank().total_cmp(&b.rank()));
        let Some((cut, found)) = best else {
            return Drift::default();
        };
        let drifted = found
            .p_value
            .is_some_and(|p| p * CUTS.len() as f64 <= ALPHA);
        let cut = match found.clearest() {
            Some(tool) if drifted => self.onset(tool),
            _ => cut.min(self.all.len() / 2),
        };
        self.drift(cut, &found, CUTS.len())
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
        let mut kinds: HashMap<Sym, (f64, f64)> = HashMap::new();
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
        let (before, after) = self.mixes(cut);
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
            divergence: compare(&before, &after, &self.names).divergence,
            calls_before: first.map_or(0, |t| t.before.whole),
            calls_after: first.map_or(0, |t| t.after.whole),
            split: self.starts.get(cut).copied(),
            tools,
        }
    }
}

#[cfg(test)]
mod tests;
