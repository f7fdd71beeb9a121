//! Whether agents changed which tools they choose: in the course of one dump, or against another.

mod measure;
mod mix;
pub(super) mod observe;
mod onset;
mod slice;
mod study;

use mix::{Choice, Comparison, Mix, compare};

pub use measure::{Effect, Measure, ShareChange, Summary};
pub use onset::Onset;
pub use slice::Slice;
pub use study::{Part, Side, Study, against_saved, study};

use std::borrow::Cow;

use rayon::prelude::*;

use crate::model::Dataset;
use crate::trace::{Forest, Request};
use crate::units::{Interner, Nanos, Ratio, Sym, growing};

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

/// Requests that a part of a dump needs to be held against the rest and another dump: of fewer it is not
/// known how much their choices vary.
const LEAST_LATER: usize = 40;

/// The same of a dump that is compared with another, beside the whole of it.
const LATER_CUTS: [(usize, usize); 2] = [(1, 2), (3, 4)];

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
    /// Calls that were due after, had each kind of task and agent gone on choosing it as before: a tool
    /// whose tasks no longer come is not due.
    pub due: f64,
    /// True when this tool is one of those that changed.
    pub drifted: bool,
}

impl ToolShift {
    /// True when its share fell below half of what it was, where at least five calls were due by that.
    fn halved(&self) -> bool {
        let (before, after) = (self.before.share(), self.after.share());
        let fell = before.zip(after).is_some_and(|(was, is)| is < HALVED * was);
        fell && before.unwrap_or(0.0) * self.after.whole as f64 >= LEAST_CALLS
    }

    /// True when the tasks that came say as much.
    fn by_choice(&self) -> bool {
        self.due >= LEAST_CALLS && (self.after.part as f64) < HALVED * self.due
    }
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
    /// Start of the first request after the change, where there is one; else of the second half. Absent where
    /// the sides are two dumps.
    pub split: Option<Nanos>,
    /// All tools, largest change of share first.
    pub tools: Vec<ToolShift>,
}

impl Drift {
    /// Tools whose share fell below half of what it was, whether chance explains it or not: the usual
    /// rule of an alert, applied where at least five calls were due. Largest loss of share first.
    pub fn collapsed(&self) -> impl Iterator<Item = &ToolShift> {
        let tools = self.tools.iter();
        tools.filter(|tool| tool.halved() && tool.by_choice())
    }

    /// Tools whose share fell as far because the tasks and agents that choose them came less.
    pub fn gone_with_their_tasks(&self) -> impl Iterator<Item = &ToolShift> {
        let tools = self.tools.iter();
        tools.filter(|tool| tool.halved() && !tool.by_choice())
    }
}

/// Which requests are compared with which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sides {
    /// Earlier ones with later ones, wherever the change is.
    Within,
    /// Those that started before an instant with the others.
    Split(Nanos),
    /// The first so many choices, which are of another dump (a saved period besides), with the others; or
    /// those and earlier ones of the later dump with its later ones, wherever the change is. Not so where the
    /// other dump itself changes in its course.
    First(usize),
}

impl Sides {
    /// How many choices are of another dump.
    fn first(self) -> usize {
        match self {
            Self::First(choices) => choices,
            Self::Within | Self::Split(_) => 0,
        }
    }
}

/// What each request chose, in order of start within each dump.
#[derive(Clone)]
struct Choices<'a> {
    names: Cow<'a, Interner>,
    /// What was chosen before all of these, as a saved period has it.
    saved: Mix,
    starts: Vec<Nanos>,
    all: Vec<Choice>,
}

/// Looks for a change in the course of one dump: it is cut at a half, a quarter and three quarters,
/// and the clearest cut is judged as the best of three. When tools changed, the shares are shown
/// before and after the estimated onset.
pub(super) fn within(data: &Dataset, forest: &Forest) -> Drift {
    Choices::of(data, forest).judge(Sides::Within, true)
}

/// Requests that one task looks at.
const REQUESTS: usize = 1 << 12;

impl Default for Choices<'_> {
    fn default() -> Self {
        Self {
            names: Cow::Owned(Interner::new()),
            saved: Mix::default(),
            starts: Vec::new(),
            all: Vec::new(),
        }
    }
}

impl<'a> Choices<'a> {
    /// What the requests of one dump chose, under the names that it has for them.
    fn of(data: &'a Dataset, forest: &Forest) -> Self {
        let requests = forest.requests.par_chunks(REQUESTS);
        let parts = requests.map(|requests| Self::of_requests(data, forest, requests));
        let mut all = Self {
            names: Cow::Borrowed(&data.names),
            all: growing(),
            ..Self::default()
        };
        for part in parts.collect::<Vec<_>>() {
            all.starts.extend(part.starts);
            all.all.extend(part.all);
        }
        all
    }

    fn of_requests(data: &Dataset, forest: &Forest, requests: &[Request]) -> Self {
        let mut choices = Self::default();
        let mut picks = observe::Picks::default();
        // By agent, in memory that is used again: requests are many, and what each chose is little.
        let mut chosen: Vec<(Sym, Sym, u64)> = Vec::new();
        for request in requests {
            chosen.clear();
            for pick in picks.of(data, forest, request) {
                let known = chosen.iter_mut();
                let mut same = known.filter(|c| (c.0, c.1) == (pick.agent, pick.tool));
                match same.next() {
                    Some((_, _, count)) => *count += 1,
                    None => chosen.push((pick.agent, pick.tool, 1)),
                }
            }
            // Stable: agents, and the tools of each, in the order in which they came.
            while let Some(&(agent, ..)) = chosen.first() {
                let own = chosen.iter().filter(|c| c.0 == agent);
                let mut tools = Vec::with_capacity(own.clone().count());
                tools.extend(own.map(|(_, tool, count)| (*tool, *count)));
                chosen.retain(|c| c.0 != agent);
                choices.starts.push(request.wall.start);
                choices.all.push(Choice {
                    kind: (request.kind, agent),
                    tools,
                });
            }
        }
        choices
    }

    /// Takes in what one request chose, by kind of task and agent.
    fn take<'b>(&mut self, picked: impl IntoIterator<Item = observe::Picked<'b>>, start: Nanos) {
        let names = self.names.to_mut();
        for one in picked {
            let kind = names.intern(one.kind);
            let agent = names.intern(one.agent);
            let each = one.chosen.into_iter();
            let tools: Vec<(Sym, u64)> = each.map(|(name, n)| (names.intern(&name), n)).collect();
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
        let n = self.all.len();
        match sides {
            Sides::Within => CUTS.map(|(part, of)| self.whole(n * part / of)).to_vec(),
            Sides::Split(at) => vec![self.starts.partition_point(|start| *start < at)],
            Sides::First(choices) => {
                let first = choices.min(n);
                let later =
                    LATER_CUTS.map(|(part, of)| self.whole(first + (n - first) * part / of));
                let inside = later
                    .into_iter()
                    .filter(|cut| *cut > first && n - cut >= LEAST_LATER);
                let inside = inside.filter(|_| !self.first(first).changes());
                std::iter::once(first).chain(inside).collect()
            }
        }
    }

    /// The first so many.
    fn first(&self, choices: usize) -> Self {
        Self {
            names: self.names.clone(),
            saved: Mix::default(),
            starts: self.starts[..choices].to_vec(),
            all: self.all[..choices].to_vec(),
        }
    }

    /// True when they are not alike throughout: then another dump that changes in its course is no news.
    fn changes(&self) -> bool {
        let cuts = self.cuts(Sides::Within);
        let clear = |p: f64| p * cuts.len() as f64 <= ALPHA;
        cuts.iter()
            .any(|cut| self.compare(*cut).p_value.is_some_and(clear))
    }

    /// The nearest cut before that does not divide a request.
    fn whole(&self, cut: usize) -> usize {
        let start = self.starts.get(cut);
        let before = self.starts[..cut].iter().rev();
        cut - before.take_while(|s| Some(*s) == start).count()
    }

    fn mixes(&self, cut: usize) -> (Mix, Mix) {
        let (before, after) = self.all.split_at(cut.min(self.all.len()));
        (self.saved.clone().with(Mix::of(before)), Mix::of(after))
    }

    fn compare(&self, cut: usize) -> Comparison {
        let (before, after) = self.mixes(cut);
        compare(&before, &after, &self.names)
    }

    /// The clearest of the cuts, judged as the best of them. With `onset`, the shares are shown before
    /// and after the estimated change instead of the cut.
    fn judge(&self, sides: Sides, onset: bool) -> Drift {
        let cuts = self.cuts(sides);
        let tested = cuts.iter().map(|cut| (*cut, self.compare(*cut)));
        let best = tested.min_by(|(_, a), (_, b)| a.rank().total_cmp(&b.rank()));
        let Some((cut, found)) = best else {
            return Drift::default();
        };
        let drifted = found
            .p_value
            .is_some_and(|p| p * cuts.len() as f64 <= ALPHA);
        let shown = match (found.clearest(), sides) {
            (Some(tool), _) if drifted && onset => self.onset(tool, sides),
            (_, Sides::Within) if onset => cut.min(self.all.len() / 2),
            (_, Sides::First(first)) if !drifted => first.min(self.all.len()),
            _ => cut,
        };
        self.drift(shown, &found, cuts.len(), sides)
    }

    /// `tests` is how many comparisons the best was chosen from.
    fn drift(&self, cut: usize, found: &Comparison, tests: usize, sides: Sides) -> Drift {
        let (before, after) = self.mixes(cut);
        let shown = compare(&before, &after, &self.names);
        let split = self.starts.get(cut).copied();
        let adjusted = |p: f64| (p * tests as f64).min(1.0);
        let p_value = found.p_value.map(adjusted);
        let drifted = p_value.is_some_and(|p| p <= ALPHA);
        let clearest = found.clearest();
        let mut tools: Vec<ToolShift> = found
            .shifts
            .iter()
            .zip(&shown.shifts)
            .map(|(shift, shown)| {
                let p_value = shift.p_value.map(adjusted);
                ToolShift {
                    tool: self.names.get(shift.tool).to_owned(),
                    before: before.share(shift.tool),
                    after: after.share(shift.tool),
                    p_value,
                    due: shown.due,
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
            divergence: shown.divergence,
            calls_before: first.map_or(0, |t| t.before.whole),
            calls_after: first.map_or(0, |t| t.after.whole),
            split: split.filter(|_| cut > sides.first()),
            tools,
        }
    }
}

#[cfg(test)]
mod tests;
