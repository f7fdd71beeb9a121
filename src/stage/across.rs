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
    /// What hints that traces belong together? Partitions also rebuild their requests, in case nothing does.
    #[default]
    Hint,
    /// Where is what others look for?
    Find,
    /// What do spans usually hang under, once traces that belong together lie together?
    Count,
    /// Rebuild your requests.
    Grow,
    /// Nothing more: the requests of the last answer are right.
    Settled,
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
    /// Whether mending traces depends on habits.
    pub broken: bool,
    /// What spans usually hang under.
    pub habits: HabitCounts,
}

impl Evidence {
    /// With what another partition says; the order does not matter.
    pub fn absorb(&mut self, other: Self) {
        self.signals.absorb(&other.signals);
        for (own, other) in [
            (&mut self.loose, other.loose),
            (&mut self.found, other.found),
        ] {
            own.links.extend(other.links);
            own.parents.extend(other.parents);
            own.answers.extend(other.answers);
            own.talks.extend(other.talks);
        }
        self.broken |= other.broken;
        self.habits.absorb(other.habits);
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
            Step::Hint => {
                self.broken = said.broken;
                self.wanted = (ids(&said.loose.parents), ids(&said.loose.answers));
                self.hints = said.loose;
                if self.wanted.0.is_empty() && self.wanted.1.is_empty() {
                    return self.group(&Loose::default(), Some(said.habits), Step::Settled);
                }
                self.habits = Some(said.habits);
                self.step = Step::Find;
                self
            }
            Step::Find => {
                let habits = self.habits.take();
                self.group(&said.found, habits, Step::Grow)
            }
            Step::Count => {
                self.habits = Some(said.habits);
                self.step = Step::Grow;
                self
            }
            Step::Grow | Step::Settled => {
                self.step = Step::Settled;
                self
            }
        }
    }

    /// Says which traces may belong together. `habits` are those of traces that lie alone; where none belongs to
    /// another and nothing is broken, `done` is next.
    fn group(mut self, found: &Loose, habits: Option<HabitCounts>, done: Step) -> Self {
        self.joined = joined(&self.hints, found);
        self.hints = Loose::default();
        self.wanted = Default::default();
        self.step = match (self.joined.is_empty(), self.broken) {
            (true, false) => done,
            (true, true) => {
                self.habits = habits;
                Step::Grow
            }
            (false, true) => Step::Count,
            (false, false) => Step::Grow,
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

    #[test]
    fn a_parent_that_another_trace_has_brings_the_two_together() {
        let [a, b] = [1, 2].map(TraceId);
        let loose = Loose {
            parents: vec![(77, a)],
            ..Loose::default()
        };
        let asked = Across::default().next(hints(loose));
        assert_eq!((asked.step, &asked.wanted.0[..]), (Step::Find, &[77][..]));
        let found = |traces: &[TraceId]| {
            let parents = traces.iter().map(|trace| (77, *trace)).collect();
            let found = Loose {
                parents,
                ..Loose::default()
            };
            asked.clone().next(Evidence {
                found,
                ..Evidence::default()
            })
        };
        let one = found(&[b]);
        assert_eq!((one.step, &one.joined[..]), (Step::Count, &[a, b][..]));
        assert_eq!(found(&[b, TraceId(3)]).step, Step::Grow);
        let counted = one.next(Evidence::default());
        assert_eq!(counted.step, Step::Grow);
        assert!(counted.next(Evidence::default()).is_settled());
    }

    #[test]
    fn partitions_that_were_asked_where_things_are_rebuild_their_requests_after_that() {
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
        assert_eq!(asked.next(Evidence::default()).step, Step::Grow);
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
