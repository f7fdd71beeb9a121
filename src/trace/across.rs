//! What hints that traces belong together, trace by trace: whoever holds all hints can say which traces must lie
//! beside each other to be joined as in one process.

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::forest::{Joined, Sorted};
use super::repair::{self, HabitCounts, Habits, RANDOM, SLACK};
use super::{NO_SPAN, Options};
use crate::model::{Dataset, Digest, Op, SpanId, SpanIx, TraceId};
use crate::units::{Sym, Window};

/// Hints of some traces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Loose {
    /// Traces that a span link joins.
    pub links: Vec<(TraceId, TraceId)>,
    /// Parents named and not in the trace that names them.
    pub parents: Vec<(u64, TraceId)>,
    /// Answers that a serving side gave to a client that is not in its trace.
    pub answers: Vec<(u64, TraceId)>,
    /// Traces that name one conversation.
    pub talks: Vec<Talk>,
}

impl Loose {
    /// With hints of further traces.
    pub fn absorb(&mut self, other: Self) {
        self.links.extend(other.links);
        self.parents.extend(other.parents);
        self.answers.extend(other.answers);
        self.talks.extend(other.talks);
    }
}

/// A trace of one conversation: where it may hang under another, and what may hang under it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Talk {
    /// Digest of the conversation.
    pub conversation: u64,
    /// The trace.
    pub trace: TraceId,
    /// Digests of the services of its roots, and when these ran.
    pub roots: Vec<(u64, Window)>,
    /// Digests of the services of its call sites.
    pub sites: Vec<u64>,
    /// From the first start to the last end of these.
    pub reach: Window,
}

impl Talk {
    /// True where a root of this trace may have been called from `other`.
    #[must_use]
    pub fn may_hang_under(&self, other: &Self) -> bool {
        self.trace != other.trace
            && self.conversation == other.conversation
            && self.roots.iter().any(|(service, ran)| {
                ran.start + SLACK >= other.reach.start
                    && ran.end <= other.reach.end + SLACK
                    && other.sites.iter().any(|site| site != service)
            })
    }
}

impl Sorted {
    /// What hints that these traces belong to others.
    #[must_use]
    pub fn loose(&self, dataset: &Dataset, options: &Options) -> Loose {
        let mut loose = match options.stitch {
            true => self.fragments(dataset),
            false => Loose::default(),
        };
        loose.answers = self.alone(dataset);
        for list in [&mut loose.parents, &mut loose.answers] {
            list.sort_unstable();
            list.dedup();
        }
        loose
    }

    fn fragments(&self, dataset: &Dataset) -> Loose {
        let mut loose = Loose::default();
        let links = dataset.links.iter().map(|link| (link.from.0, link.to.0));
        loose.links.extend(links.filter(|(from, to)| from != to));
        for (span, &above) in dataset.records.iter().zip(&self.parent) {
            if above == NO_SPAN && span.parent.0 >= RANDOM {
                loose.parents.push((span.parent.0, dataset.trace_of(span)));
            }
        }
        for trace in &self.traces {
            if let Some(conversation) = repair::conversation(dataset, trace.clone()) {
                let talk = self.talk(dataset, trace.clone(), conversation);
                loose.talks.extend(talk);
            }
        }
        loose
    }

    /// Serving sides below no client, by the answer they gave.
    fn alone(&self, dataset: &Dataset) -> Vec<(u64, TraceId)> {
        let is_alone = |index: SpanIx| {
            let above = |&span: &SpanIx| Some(self.parent[span as usize]).filter(|&p| p != NO_SPAN);
            let ancestors = std::iter::successors(above(&index), above);
            // Circles are open already; a bound costs nothing.
            let mut ancestors = ancestors.take(dataset.records.len());
            !ancestors.any(|span| dataset.records[span as usize].op.is_model())
        };
        let spans = dataset.records.iter().zip(0..);
        let engines = spans.filter(|(span, _)| span.op == Op::Engine);
        let given = engines.filter_map(|(span, i)| {
            let answer = dataset.llm_of(span)?.response_id?;
            is_alone(i).then(|| (answer.0.get(), dataset.trace_of(span)))
        });
        given.collect()
    }

    fn talk(&self, dataset: &Dataset, trace: std::ops::Range<SpanIx>, said: Sym) -> Option<Talk> {
        let digest = |sym: Sym| Digest::of(dataset.text(sym).as_bytes()).0.get();
        let span = |i: SpanIx| &dataset.records[i as usize];
        let service = |i: SpanIx| dataset.resource_of(span(i)).service;
        let known = |i: &SpanIx| !service(*i).is_none() && !span(*i).is_open();
        let is_root = |i: &SpanIx| self.parent[*i as usize] == NO_SPAN && span(*i).parent.is_none();
        let roots = trace.clone().filter(is_root).filter(known);
        let sites = || {
            trace
                .clone()
                .filter(|&i| repair::is_call_site(dataset, i))
                .filter(known)
        };
        let mut services: Vec<u64> = sites().map(|i| digest(service(i))).collect();
        services.sort_unstable();
        services.dedup();
        let talk = Talk {
            conversation: digest(said),
            trace: dataset.trace_of(span(trace.start)),
            roots: roots
                .map(|i| (digest(service(i)), span(i).window()))
                .collect(),
            sites: services,
            reach: Window {
                start: sites().map(|i| span(i).start).min().unwrap_or_default(),
                end: sites().map(|i| span(i).end).max().unwrap_or_default(),
            },
        };
        (!talk.roots.is_empty() || !talk.sites.is_empty()).then_some(talk)
    }

    /// What the spans of these traces usually hang under.
    #[must_use]
    pub fn habits(&self, dataset: &Dataset) -> HabitCounts {
        HabitCounts::of(dataset, &Habits::learn(dataset, &self.parent, &self.traces))
    }
}

/// What is looked for in other traces: spans by id, and calls by their answer.
pub struct Wanted {
    parents: Set,
    answers: Set,
}

type Set = HashSet<u64, foldhash::fast::FixedState>;

impl Wanted {
    /// These ids of spans, and these answers.
    #[must_use]
    pub fn new(parents: &[u64], answers: &[u64]) -> Self {
        let [parents, answers] = [parents, answers].map(|list| list.iter().copied().collect());
        Self { parents, answers }
    }

    /// Notes in `found` what of it is said of a span.
    pub fn look(&self, trace: TraceId, id: SpanId, answer: Option<Digest>, found: &mut Loose) {
        if self.parents.contains(&id.0) {
            found.parents.push((id.0, trace));
        }
        let answer = answer.map(|answer| answer.0.get());
        if let Some(answer) = answer.filter(|answer| self.answers.contains(answer)) {
            found.answers.push((answer, trace));
        }
    }
}

impl Joined {
    /// True where mending these traces depends on what spans of all traces usually hang under.
    #[must_use]
    pub fn needs_habits(&self, dataset: &Dataset, options: &Options) -> bool {
        let Sorted { traces, parent, .. } = &self.sorted;
        options.repair && repair::needs_habits(dataset, parent, traces)
    }
}
