//! Which traces must lie beside each other, and what spans of all traces usually hang under: found by asking all
//! partitions, as often as one answer gives rise to the next question.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::baseline::Map;
use crate::dialect::Signals;
use crate::model::TraceId;
use crate::trace::{HabitCounts, Loose, Talk};

/// What partitions are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Step {
    /// Rebuild your requests. What hints that traces belong together, and which must wait for others?
    #[default]
    Hint,
    /// Where is what others look for?
    Find,
    /// What do spans usually hang under in the traces that wait, once those that belong together lie together?
    Weigh,
    /// Rebuild the requests of the traces that wait.
    Mend,
    /// What do spans usually hang under, once traces that belong together lie together, waiting or not?
    Count,
    /// Rebuild all your requests again.
    Grow,
    /// Nothing more: the requests that were rebuilt are right.
    Settled,
}

impl Step {
    /// True where partitions answer from their facts; else from what they answered to the first question.
    #[must_use]
    pub fn needs_facts(self) -> bool {
        matches!(self, Self::Hint | Self::Count | Self::Grow)
    }

    /// True where an answer says what spans usually hang under.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Hint | Self::Weigh | Self::Count)
    }

    /// True where an answer holds requests.
    #[must_use]
    pub fn rebuilds(self) -> bool {
        matches!(self, Self::Hint | Self::Mend | Self::Grow)
    }
}

/// What one partition says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// Emitters that log their calls, and whose calls are spans.
    pub signals: Signals,
    /// Hints that traces belong to others.
    pub loose: Loose,
    /// Where things are that others look for.
    pub found: Loose,
    /// Whether mending traces depends on habits, and these do not wait.
    pub broken: bool,
    /// Traces that wait.
    pub waiting: Vec<TraceId>,
    /// What spans of the other traces usually hang under.
    pub habits: HabitCounts,
    /// The same of those that wait, as long as they lie alone.
    pub waiting_habits: HabitCounts,
}

impl Evidence {
    /// With what another partition says; the order does not matter.
    pub fn absorb(&mut self, other: Self) {
        self.signals.absorb(&other.signals);
        self.loose.absorb(other.loose);
        self.found.absorb(other.found);
        self.broken |= other.broken;
        self.waiting.extend(other.waiting);
        self.habits.absorb(other.habits);
        self.waiting_habits.absorb(other.waiting_habits);
    }
}

/// What is known across partitions, and what they are asked next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Across {
    /// The question.
    pub step: Step,
    /// Signals of the whole, where anything is logged.
    pub signals: Option<Signals>,
    /// Ids of spans and answers that are looked for, ascending.
    pub wanted: (Vec<u64>, Vec<u64>),
    /// Traces that may belong to others, ascending: they are rebuilt together, in one place.
    pub joined: Vec<TraceId>,
    /// What spans usually hang under, where mending depends on it.
    pub habits: Option<HabitCounts>,
    hints: Loose,
    broken: bool,
    waiting: Vec<TraceId>,
    waiting_habits: HabitCounts,
}

impl Across {
    /// True when the last answers hold.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.step == Step::Settled
    }

    /// What to ask next, after all partitions answered.
    #[must_use]
    pub fn next(mut self, said: Evidence) -> Self {
        match self.step {
            Step::Hint if self.signals.is_none() && said.signals.any_logged() => {
                self.signals = Some(said.signals);
                self
            }
            Step::Hint => self.heard(said),
            Step::Find => self.group(&said.found),
            Step::Weigh => {
                self.habits.get_or_insert_default().absorb(said.habits);
                self.step = Step::Mend;
                self
            }
            Step::Count => {
                self.habits = Some(said.habits);
                self.step = Step::Grow;
                self
            }
            Step::Mend | Step::Grow | Step::Settled => {
                self.step = Step::Settled;
                self
            }
        }
    }

    fn heard(mut self, said: Evidence) -> Self {
        self.broken = said.broken;
        self.wanted = (ids(&said.loose.parents), ids(&said.loose.answers));
        self.hints = said.loose;
        self.waiting = said.waiting;
        self.waiting.sort_unstable();
        self.habits = Some(said.habits);
        self.waiting_habits = said.waiting_habits;
        if self.wanted.0.is_empty() && self.wanted.1.is_empty() {
            return self.group(&Loose::default());
        }
        self.step = Step::Find;
        self
    }

    /// Says which traces may belong together, and so who must rebuild what. Where none belongs to another, traces that
    /// do not wait are right already; so they are where only such belong together that wait.
    fn group(mut self, found: &Loose) -> Self {
        self.joined = joined(&self.hints, found);
        self.hints = Loose::default();
        self.wanted = Default::default();
        let waiting = std::mem::take(&mut self.waiting);
        let of_waiting = std::mem::take(&mut self.waiting_habits);
        let waits = |id| waiting.binary_search(id).is_ok();
        let alone = self.joined.is_empty();
        self.step = if alone && (self.broken || !waiting.is_empty()) {
            self.habits.get_or_insert_default().absorb(of_waiting);
            if self.broken { Step::Grow } else { Step::Mend }
        } else if alone {
            Step::Settled
        } else if !self.broken && self.joined.iter().all(waits) {
            Step::Weigh
        } else {
            self.habits = None;
            let broken = self.broken || !waiting.is_empty();
            if broken { Step::Count } else { Step::Grow }
        };
        self
    }
}

fn ids(list: &[(u64, TraceId)]) -> Vec<u64> {
    let mut ids: Vec<u64> = list.iter().map(|one| one.0).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Traces that lie in one group with another.
fn joined(hints: &Loose, found: &Loose) -> Vec<TraceId> {
    let mut groups = Groups::default();
    for (from, to) in &hints.links {
        groups.unite(*from, *to);
    }
    // A parent id that several spans bear joins nothing.
    let places = by_id(&found.parents);
    for (parent, trace) in &hints.parents {
        if let Some([place]) = places.get(parent).map(Vec::as_slice) {
            groups.unite(*trace, *place);
        }
    }
    let places = by_id(&found.answers);
    for (answer, trace) in &hints.answers {
        for place in places.get(answer).into_iter().flatten() {
            groups.unite(*trace, *place);
        }
    }
    talks(&hints.talks, &mut groups);
    groups.members()
}

fn by_id(list: &[(u64, TraceId)]) -> Map<u64, Vec<TraceId>> {
    let mut places: Map<u64, Vec<TraceId>> = Map::default();
    for (id, trace) in list {
        places.entry(*id).or_default().push(*trace);
    }
    places
}

/// Unites traces of a conversation of which one may have called the other.
fn talks(all: &[Talk], groups: &mut Groups) {
    let mut talks: Vec<&Talk> = all.iter().collect();
    talks.sort_unstable_by_key(|talk| (talk.conversation, talk.reach.start, talk.trace));
    for own in talks.chunk_by(|a, b| a.conversation == b.conversation) {
        // A conversation is at most one person's day: looking at all pairs is cheap.
        let calling: Vec<&&Talk> = own.iter().filter(|talk| !talk.sites.is_empty()).collect();
        for talk in own.iter().filter(|talk| !talk.roots.is_empty()) {
            for other in calling.iter().filter(|other| talk.may_hang_under(other)) {
                groups.unite(talk.trace, other.trace);
            }
        }
    }
}

/// Traces united in groups (Tarjan, "Efficiency of a Good But Not Linear Set Union Algorithm", 1975).
#[derive(Default)]
struct Groups(HashMap<TraceId, TraceId, foldhash::fast::FixedState>);

impl Groups {
    fn top(&mut self, mut of: TraceId) -> TraceId {
        while let Some(&above) = self.0.get(&of) {
            if let Some(&next) = self.0.get(&above) {
                self.0.insert(of, next);
            }
            of = above;
        }
        of
    }

    fn unite(&mut self, a: TraceId, b: TraceId) {
        let (a, b) = (self.top(a), self.top(b));
        if a != b {
            self.0.insert(a.max(b), a.min(b));
        }
    }

    fn members(&self) -> Vec<TraceId> {
        let mut members: Vec<TraceId> = self.0.iter().flat_map(|(a, b)| [*a, *b]).collect();
        members.sort_unstable();
        members.dedup();
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(loose: Loose) -> Evidence {
        Evidence {
            loose,
            broken: true,
            ..Evidence::default()
        }
    }

    #[test]
    fn traces_that_nothing_hints_at_are_settled_at_once() {
        let state = Across::default().next(Evidence::default());
        assert!(state.is_settled());
        let broken = Across::default().next(hints(Loose::default()));
        assert_eq!(broken.step, Step::Grow);
        assert!(broken.habits.is_some() && broken.joined.is_empty());
    }

    fn parents(traces: &[TraceId]) -> Loose {
        Loose {
            parents: traces.iter().map(|trace| (77, *trace)).collect(),
            ..Loose::default()
        }
    }

    fn found(traces: &[TraceId]) -> Evidence {
        Evidence {
            found: parents(traces),
            ..Evidence::default()
        }
    }

    #[test]
    fn a_parent_that_another_trace_has_brings_the_two_together() {
        let [a, b] = [1, 2].map(TraceId);
        let asked = Across::default().next(hints(parents(&[a])));
        assert_eq!((asked.step, &asked.wanted.0[..]), (Step::Find, &[77][..]));
        let one = asked.clone().next(found(&[b]));
        assert_eq!((one.step, &one.joined[..]), (Step::Count, &[a, b][..]));
        assert_eq!(asked.next(found(&[b, TraceId(3)])).step, Step::Grow);
        let counted = one.next(Evidence::default());
        assert_eq!(counted.step, Step::Grow);
        assert!(counted.next(Evidence::default()).is_settled());
    }

    #[test]
    fn traces_that_wait_are_rebuilt_alone_unless_others_belong_to_them() {
        let [a, b, c] = [1, 2, 3].map(TraceId);
        let said = Evidence {
            loose: parents(&[a]),
            waiting: vec![b, a],
            ..Evidence::default()
        };
        let asked = Across::default().next(said);
        assert_eq!(asked.step, Step::Find);
        let nowhere = asked.clone().next(found(&[]));
        assert_eq!(nowhere.step, Step::Mend);
        assert!(nowhere.habits.is_some() && nowhere.next(found(&[])).is_settled());
        let among_them = asked.clone().next(found(&[b]));
        assert_eq!(among_them.step, Step::Weigh);
        assert_eq!(among_them.next(found(&[])).step, Step::Mend);
        assert_eq!(asked.next(found(&[c])).step, Step::Count);
    }

    #[test]
    fn where_nothing_waits_and_nothing_is_found_the_first_answers_hold() {
        let answers = vec![(5, TraceId(1))];
        let loose = Loose {
            answers,
            ..Loose::default()
        };
        let said = Evidence {
            loose,
            ..Evidence::default()
        };
        let asked = Across::default().next(said);
        assert_eq!(asked.step, Step::Find);
        assert!(asked.next(Evidence::default()).is_settled());
    }

    #[test]
    fn chains_of_links_are_one_group() {
        let links = [(1, 2), (5, 6), (2, 3)].map(|(a, b)| (TraceId(a), TraceId(b)));
        let loose = Loose {
            links: links.to_vec(),
            ..Loose::default()
        };
        assert_eq!(
            joined(&loose, &Loose::default()),
            [1, 2, 3, 5, 6].map(TraceId)
        );
    }
}
