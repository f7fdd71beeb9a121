//! What spans of a kind usually hang under, learned from the links of the dump that are whole: the
//! grammar by which a lost link is found again. Kinds are told by service, instrumentation scope and
//! operation, and containers by name as well.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::iter::once;
use std::ops::Range;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::{Dataset, Op, Scope, Span, SpanIx};
use crate::trace::NO_SPAN;
use crate::trace::tree::groups;
use crate::units::Sym;

/// A kind of span.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Kind {
    service: Sym,
    scope: u32,
    op: Op,
    name: Sym,
}

impl Kind {
    fn of(dataset: &Dataset, span: &Span) -> Self {
        // Calls carry models and tools in their names, containers what they are.
        let named = span.op.is_group() || matches!(span.op, Op::Other | Op::Http);
        Self {
            service: dataset.resource_of(span).service,
            scope: dataset.emitter_of(span).scope,
            op: span.op,
            name: if named { span.name } else { Sym::NONE },
        }
    }

    /// Itself and, where it has a name, the same without.
    fn forms(self) -> impl Iterator<Item = Self> {
        let unnamed = Self {
            name: Sym::NONE,
            ..self
        };
        once(self).chain((unnamed != self).then_some(unnamed))
    }
}

/// Fewer spans of a kind than this have no habits.
const LEAST: u32 = 5;
/// What less than this share of a kind hangs under is no habit.
const HABIT: f64 = 0.05;
/// A parent of a kind has one such child where at most this share of them has more.
const ONE_EACH: f64 = 0.1;

type Map<K, V> = HashMap<K, V, FixedState>;

fn count<K: Eq + Hash>(counts: &mut Map<K, (u32, u32)>, key: K, more: (u32, u32)) {
    let known = counts.entry(key).or_default();
    *known = (known.0 + more.0, known.1 + more.1);
}

/// Links counted by the kinds of child and parent.
#[derive(Debug, Default)]
pub struct Habits {
    /// Spans of a kind, and how many of them name no parent.
    kinds: Map<Kind, (u32, u32)>,
    /// Linked children by kind of child and of parent, and how many of those are not the first of
    /// their kind below that parent.
    links: Map<(Kind, Kind), (u32, u32)>,
}

impl Habits {
    /// Learns from all spans; `traces` are the ranges of whole traces among them.
    pub(in crate::trace) fn learn(
        dataset: &Dataset,
        parent: &[SpanIx],
        traces: &[Range<SpanIx>],
    ) -> Self {
        // Siblings are of one group, so that each group knows which of them comes first.
        let groups = groups(parent, traces).into_par_iter();
        let learned = groups.map_init(HashSet::default, |below, group| {
            below.clear();
            let mut habits = Self::default();
            for index in group {
                habits.see(dataset, parent, index, below);
            }
            habits
        });
        learned.reduce(Self::default, Self::with)
    }

    fn see(
        &mut self,
        dataset: &Dataset,
        parent: &[SpanIx],
        index: SpanIx,
        below: &mut HashSet<(SpanIx, Kind), FixedState>,
    ) {
        let span = &dataset.records[index as usize];
        let kind = Kind::of(dataset, span);
        for kind in kind.forms() {
            let none = u32::from(span.parent.is_none());
            count(&mut self.kinds, kind, (1, none));
        }
        let above = parent[index as usize];
        if above == NO_SPAN {
            return;
        }
        let over = Kind::of(dataset, &dataset.records[above as usize]);
        let again = u32::from(!below.insert((above, kind)));
        for kind in kind.forms() {
            count(&mut self.links, (kind, over), (1, again));
        }
    }

    /// Takes in what was learned from other groups.
    fn with(mut self, other: Self) -> Self {
        for (kind, more) in other.kinds {
            count(&mut self.kinds, kind, more);
        }
        for (link, more) in other.links {
            count(&mut self.links, link, more);
        }
        self
    }

    /// The kind under which enough spans like `span` are known: by name, else without.
    fn known(&self, dataset: &Dataset, span: &Span) -> Option<Kind> {
        let mut forms = Kind::of(dataset, span).forms();
        forms.find(|&kind| self.linked(kind) >= LEAST)
    }

    /// Spans of a kind that name a parent.
    fn linked(&self, kind: Kind) -> u32 {
        self.kinds.get(&kind).map_or(0, |(all, none)| all - none)
    }

    /// True where most spans like `span` name a parent.
    pub(super) fn has_parents(&self, dataset: &Dataset, span: &Span) -> bool {
        let mut forms = Kind::of(dataset, span).forms();
        let counts = forms.find_map(|kind| self.kinds.get(&kind).filter(|(all, _)| *all >= LEAST));
        counts.is_some_and(|(all, none)| 2 * none < *all)
    }

    /// What `over` is to spans like `span`.
    pub(in crate::trace) fn relation(
        &self,
        dataset: &Dataset,
        span: &Span,
        over: &Span,
    ) -> Relation {
        let Some(kind) = self.known(dataset, span) else {
            return Relation::Unknown;
        };
        let link = self.links.get(&(kind, Kind::of(dataset, over)));
        let (count, again) = link.copied().unwrap_or_default();
        if f64::from(count) < HABIT * f64::from(self.linked(kind)) {
            Relation::Strange
        } else if f64::from(again) <= ONE_EACH * f64::from(count) {
            Relation::OneEach
        } else {
            Relation::Many
        }
    }

    /// Spans like `span` below the parents of one kind are counted as one.
    pub(super) fn alike(dataset: &Dataset, a: &Span, b: &Span) -> bool {
        Kind::of(dataset, a) == Kind::of(dataset, b)
    }
}

/// A kind of span by its names, which mean the same everywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct KindName {
    service: String,
    scope: [String; 2],
    op: Op,
    name: String,
}

/// The counts behind [`Habits`]: those of parts add up to those of the whole.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HabitCounts {
    kinds: BTreeMap<KindName, (u32, u32)>,
    links: BTreeMap<(KindName, KindName), (u32, u32)>,
}

impl HabitCounts {
    pub(in crate::trace) fn of(dataset: &Dataset, habits: &Habits) -> Self {
        let name = |kind: &Kind| {
            let scope = dataset.scopes.get(kind.scope as usize);
            let scope = scope.copied().unwrap_or_default();
            KindName {
                service: dataset.text(kind.service).to_owned(),
                scope: [scope.name, scope.version].map(|sym| dataset.text(sym).to_owned()),
                op: kind.op,
                name: dataset.text(kind.name).to_owned(),
            }
        };
        let kinds = habits.kinds.iter();
        let links = habits.links.iter();
        Self {
            kinds: kinds.map(|(kind, n)| (name(kind), *n)).collect(),
            links: links
                .map(|((kind, over), n)| ((name(kind), name(over)), *n))
                .collect(),
        }
    }

    /// Takes in the counts of another part.
    pub fn absorb(&mut self, other: Self) {
        let add = |known: &mut (u32, u32), more: (u32, u32)| {
            *known = (known.0 + more.0, known.1 + more.1);
        };
        for (kind, count) in other.kinds {
            add(self.kinds.entry(kind).or_default(), count);
        }
        for (link, count) in other.links {
            add(self.links.entry(link).or_default(), count);
        }
    }

    /// The habits they amount to, in the numbers of `dataset`.
    #[must_use]
    pub fn habits(&self, dataset: &mut Dataset) -> Habits {
        let kinds = self.kinds.iter().map(|(name, n)| (name.kind(dataset), *n));
        let kinds = kinds.collect();
        let links = self.links.iter();
        let links = links.map(|((name, over), n)| ((name.kind(dataset), over.kind(dataset)), *n));
        Habits {
            links: links.collect(),
            kinds,
        }
    }
}

impl KindName {
    fn kind(&self, dataset: &mut Dataset) -> Kind {
        let [name, version] = [0, 1].map(|i| dataset.names.intern(&self.scope[i]));
        let scope = Scope { name, version };
        let known = dataset.scopes.iter().position(|known| *known == scope);
        let place = known.unwrap_or_else(|| {
            dataset.scopes.push(scope);
            dataset.scopes.len() - 1
        });
        Kind {
            service: dataset.names.intern(&self.service),
            scope: place as u32,
            op: self.op,
            name: dataset.names.intern(&self.name),
        }
    }
}

/// What a span is to another, by the habits of the dump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::trace) enum Relation {
    /// Its parent usually, and of one such child.
    OneEach,
    /// Its parent usually, and of several.
    Many,
    /// Never or hardly ever its parent.
    Strange,
    /// Too few of the kind to tell.
    Unknown,
}
