//! What sampling or loss removed, as far as the dump itself tells: parents that are named and absent,
//! steps that were declared or numbered and are not there, sums that exceed the calls below them.
//! Every figure is a lower bound; nothing is repaired from it.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use super::Tree;
use crate::model::{Dataset, Op, Origin, SpanId, SpanIx, TraceIx};
use crate::units::Sym;

/// What is missing at least.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Loss {
    /// Spans that others name as their parent and that are not in the dump.
    pub absent_parents: u64,
    /// Requests without a complete root.
    pub rootless: u64,
    /// Steps that groups say they had.
    pub steps_declared: u64,
    /// Steps of those groups that are in the dump.
    pub steps_seen: u64,
    /// Numbers missing from numbered steps.
    pub step_gaps: u64,
    /// Requests missing between others of their conversations, as their emitter numbers them.
    pub turn_gaps: u64,
    /// Prompt tokens that groups say they used, where that is more than their calls show.
    pub tokens_declared: u64,
    /// Prompt tokens that the calls of those groups show.
    pub tokens_seen: u64,
}

impl Loss {
    /// True when nothing is known to be missing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// With what another part lacks.
    pub fn absorb(&mut self, other: Self) {
        self.absent_parents += other.absent_parents;
        self.rootless += other.rootless;
        self.steps_declared += other.steps_declared;
        self.steps_seen += other.steps_seen;
        self.step_gaps += other.step_gaps;
        self.turn_gaps += other.turn_gaps;
        self.tokens_declared += other.tokens_declared;
        self.tokens_seen += other.tokens_seen;
    }

    /// Adds up what is missing below the spans of a dump; requests without a root are not among it yet.
    #[must_use]
    pub(super) fn of(dataset: &Dataset, tree: &Tree) -> Self {
        let counted = counted(dataset);
        let traces = tree.traces.par_chunks(TRACES).map(|traces| {
            let mut look = Look::new(dataset, tree, &counted);
            traces.iter().for_each(|trace| look.trace(trace));
            look.loss
        });
        let mut loss = traces.reduce(Self::default, |mut all, part| {
            all.absorb(part);
            all
        });
        loss.step_gaps += counted.values().sum::<u64>();
        loss.count_turns(dataset);
        loss
    }

    /// Counts the requests that are missing between others of their conversations. The dump may begin in the
    /// middle of one.
    pub fn count_turns(&mut self, dataset: &Dataset) {
        let mut turns: Numbers<Sym> = Numbers::default();
        for facts in &dataset.tasks {
            if let Some(turn) = facts.turn.filter(|_| !facts.conversation.is_none()) {
                let turns = turns.entry(facts.conversation).or_default();
                turns.push(turn.get());
            }
        }
        self.turn_gaps = turns.values_mut().map(|turns| gaps(turns, u32::MAX)).sum();
    }

    /// A group that declares more steps than lie below it: its step spans, or its model calls where
    /// it has none.
    fn steps(&mut self, dataset: &Dataset, tree: &Tree, top: SpanIx, declared: u32) {
        let (mut steps, mut calls) = (0u64, 0u64);
        for below in tree.subtree(top).skip(1) {
            match dataset.spans[below as usize].op {
                Op::Step => steps += 1,
                Op::Llm => calls += 1,
                _ => {}
            }
        }
        let seen = if steps > 0 { steps } else { calls };
        if seen < u64::from(declared) {
            self.steps_declared += u64::from(declared);
            self.steps_seen += seen;
        }
    }

    /// A sum that exceeds the calls below it by more than one token and one percent. A call that
    /// two records show may be added twice here, so that the loss is not overstated.
    fn tokens(&mut self, dataset: &Dataset, tree: &Tree, top: SpanIx, declared: u64) {
        if tree.ancestors(top).any(|above| {
            let facts = dataset.task_of(&dataset.spans[above as usize]);
            facts.is_some_and(|f| f.rollup_input.is_some_and(|sum| sum.get() > 0))
        }) {
            return;
        }
        let shown = tree.subtree(top).filter_map(|below| {
            let span = &dataset.spans[below as usize];
            let call = dataset.llm_of(span).filter(|_| span.op == Op::Llm)?;
            call.input.map(|input| u64::from(input.value))
        });
        let seen: u64 = shown.sum();
        if seen > 0 && declared > seen + (seen / 100).max(1) {
            self.tokens_declared += declared;
            self.tokens_seen += seen;
        }
    }
}

/// Traces that one task looks at.
const TRACES: usize = 512;

/// Numbers by what they number.
type Numbers<K> = Map<K, Vec<u32>>;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// Numbers that are missing between the steps of each trace, as attributes count them, which may go on from an
/// earlier run.
fn counted(dataset: &Dataset) -> Map<TraceIx, u64> {
    let mut numbers: Numbers<TraceIx> = Numbers::default();
    for round in &dataset.rounds {
        numbers.entry(round.trace).or_default().push(round.number);
    }
    let missing = numbers.into_iter();
    missing
        .map(|(trace, mut numbers)| (trace, gaps(&mut numbers, u32::MAX)))
        .collect()
}

/// Looks at one trace after the other, in memory that is used again.
struct Look<'a> {
    dataset: &'a Dataset,
    tree: &'a Tree,
    counted: &'a Map<TraceIx, u64>,
    loss: Loss,
    /// The number that a name of a step ends in.
    names: Map<Sym, Option<u32>>,
    /// Numbers of steps, with what they hang under.
    steps: Vec<(SpanIx, u32)>,
    absent: Vec<SpanId>,
    numbers: Vec<u32>,
}

impl<'a> Look<'a> {
    fn new(dataset: &'a Dataset, tree: &'a Tree, counted: &'a Map<TraceIx, u64>) -> Self {
        Self {
            dataset,
            tree,
            counted,
            loss: Loss::default(),
            names: Map::default(),
            steps: Vec::new(),
            absent: Vec::new(),
            numbers: Vec::new(),
        }
    }

    fn trace(&mut self, trace: &Range<SpanIx>) {
        let (dataset, tree) = (self.dataset, self.tree);
        let own = trace.start as usize..trace.end as usize;
        let (spans, origins) = (&dataset.spans[own.clone()], &dataset.origins[own]);
        self.steps.clear();
        self.absent.clear();
        for ((span, origin), index) in spans.iter().zip(origins).zip(trace.clone()) {
            if let Some(facts) = dataset.task_of(span) {
                if let Some(declared) = facts.declared_steps {
                    self.loss.steps(dataset, tree, index, declared.get());
                }
                if let Some(sum) = facts.rollup_input {
                    self.loss.tokens(dataset, tree, index, u64::from(sum));
                }
            }
            let parent = tree.parent_of(index);
            let hangs_there = parent.is_some_and(|parent| {
                let over = dataset.spans[parent as usize].trace;
                (over, dataset.id_of(parent)) == (span.trace, origin.parent)
            });
            if !origin.parent.is_none() && !hangs_there {
                self.absent.push(origin.parent);
            }
            if let Some(parent) = parent.filter(|_| span.op == Op::Step) {
                let names = &mut self.names;
                let number = names.entry(span.name);
                let number = number.or_insert_with(|| number_of(dataset.text(span.name)));
                self.steps.extend(number.map(|number| (parent, number)));
            }
        }
        if let Some(first) = spans.first() {
            let counted = self.counted.get(&first.trace).copied().unwrap_or(0);
            self.loss.step_gaps += self.named_gaps().saturating_sub(counted);
        }
        self.loss.absent_parents += self.absent_parents(origins);
    }

    /// Spans that others of their trace name as their parent and that are not there.
    fn absent_parents(&mut self, origins: &[Origin]) -> u64 {
        self.absent.sort_unstable();
        self.absent.dedup();
        if !self.absent.is_empty() {
            let mut seen: Vec<SpanId> = origins.iter().map(|origin| origin.id).collect();
            seen.sort_unstable();
            self.absent.retain(|id| seen.binary_search(id).is_err());
        }
        self.absent.len() as u64
    }

    /// Numbers that are missing between the steps of a trace, as the names of steps below one parent count them, from
    /// one.
    fn named_gaps(&mut self) -> u64 {
        self.steps.sort_unstable();
        let numbers = &mut self.numbers;
        let below = self.steps.chunk_by(|a, b| a.0 == b.0);
        let missing = below.map(|steps| {
            numbers.clear();
            numbers.extend(steps.iter().map(|step| step.1));
            gaps(numbers, 1)
        });
        missing.sum()
    }
}

/// How many numbers are missing up to the last of those found, from `first` on or from the first found.
fn gaps(found: &mut Vec<u32>, first: u32) -> u64 {
    found.sort_unstable();
    found.dedup();
    let ends = found.first().zip(found.last());
    ends.map_or(0, |(&least, &last)| {
        (u64::from(last) + 1 - u64::from(least.min(first))).saturating_sub(found.len() as u64)
    })
}

/// The number at the end of `step 3`.
fn number_of(name: &str) -> Option<u32> {
    let (_, last) = name.rsplit_once(' ')?;
    last.parse().ok().filter(|&n| n < 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_count() {
        assert_eq!(number_of("step 3"), Some(3));
        assert_eq!(number_of("Turn 12"), Some(12));
        assert_eq!(number_of("step"), None);
        assert_eq!(number_of("model gpt-4"), None);
    }
    #[test]
    fn what_is_missing_between_numbers() {
        assert_eq!(gaps(&mut vec![], 1), 0);
        assert_eq!(gaps(&mut vec![3, 1, 3], 1), 1);
        assert_eq!(gaps(&mut vec![3], 1), 2);
        assert_eq!(gaps(&mut vec![0, 1], 1), 0);
        assert_eq!(gaps(&mut vec![7, 5, 9], u32::MAX), 2);
        assert_eq!(
            gaps(&mut vec![u32::MAX, 0], u32::MAX),
            u64::from(u32::MAX) - 1
        );
    }
}
