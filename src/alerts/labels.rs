//! Label sets, interned: a sample names its labels with four bytes, and grouping is a table look-up.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::units::{Interner, Sym};

/// The label that holds a metric's name.
pub(super) const NAME: &str = "__name__";

/// A set of labels in a [`Labels`] table.
pub type LabelId = u32;

/// All label sets of one replay. A label with an empty value is no label.
#[derive(Debug, Default)]
pub struct Labels {
    texts: Interner,
    /// Pairs in the order of the names' texts.
    sets: Vec<Box<[(Sym, Sym)]>>,
    known: HashTable<LabelId>,
}

impl Labels {
    /// The set of these pairs, new or known.
    pub fn intern<'t>(&mut self, pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> LabelId {
        let pairs = pairs.into_iter();
        let mut set: Vec<(Sym, Sym)> = pairs
            .map(|(name, value)| (self.texts.intern(name), self.texts.intern(value)))
            .filter(|(name, value)| !name.is_none() && !value.is_none())
            .collect();
        set.sort_by(|a, b| self.texts.get(a.0).cmp(self.texts.get(b.0)));
        set.dedup_by_key(|(name, _)| *name);
        self.of(&set)
    }

    /// The pairs of a set, by name.
    pub fn pairs(&self, id: LabelId) -> impl Iterator<Item = (&str, &str)> {
        let set = self.set(id).iter();
        set.map(|&(name, value)| (self.texts.get(name), self.texts.get(value)))
    }

    /// The value of a label; empty where the set has none of this name.
    #[must_use]
    pub fn value(&self, id: LabelId, name: &str) -> &str {
        let mut pairs = self.pairs(id);
        pairs.find(|(n, _)| *n == name).map_or("", |(_, v)| v)
    }

    /// `name{label="value"}`, as `PromQL` writes it.
    #[must_use]
    pub fn show(&self, id: LabelId) -> String {
        let inside: Vec<String> = self
            .pairs(id)
            .filter(|(name, _)| *name != NAME)
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        format!("{}{{{}}}", self.value(id, NAME), inside.join(","))
    }

    pub(super) fn text(&mut self, text: &str) -> Sym {
        self.texts.intern(text)
    }

    pub(super) fn symbol(&self, id: LabelId, name: Sym) -> Sym {
        let mut set = self.set(id).iter();
        set.find(|(n, _)| *n == name).map_or(Sym::NONE, |(_, v)| *v)
    }

    /// Only the labels named.
    pub(super) fn keep(&mut self, id: LabelId, names: &[Sym]) -> LabelId {
        self.filter(id, |name| names.contains(&name))
    }

    /// All but the labels named.
    pub(super) fn without(&mut self, id: LabelId, names: &[Sym]) -> LabelId {
        self.filter(id, |name| !names.contains(&name))
    }

    /// The set with one label put in, changed, or (with an empty value) taken out.
    pub(super) fn with(&mut self, id: LabelId, name: Sym, value: Sym) -> LabelId {
        let mut set: Vec<(Sym, Sym)> = self.set(id).to_vec();
        set.retain(|(n, _)| *n != name);
        if !value.is_none() {
            let key = self.texts.get(name);
            let at = set.partition_point(|(n, _)| self.texts.get(*n) < key);
            set.insert(at, (name, value));
        }
        self.of(&set)
    }

    fn set(&self, id: LabelId) -> &[(Sym, Sym)] {
        self.sets.get(id as usize).map_or(&[], |set| set)
    }

    fn filter(&mut self, id: LabelId, wanted: impl Fn(Sym) -> bool) -> LabelId {
        let set = self.set(id);
        if set.iter().all(|(name, _)| wanted(*name)) {
            return id;
        }
        let kept: Vec<(Sym, Sym)> = set.iter().filter(|(n, _)| wanted(*n)).copied().collect();
        self.of(&kept)
    }

    fn of(&mut self, set: &[(Sym, Sym)]) -> LabelId {
        let hash = |set: &[(Sym, Sym)]| FixedState::default().hash_one(set);
        let sets = &self.sets;
        if let Some(&id) = self.known.find(hash(set), |&id| &*sets[id as usize] == set) {
            return id;
        }
        let id = self.sets.len() as LabelId;
        self.sets.push(set.into());
        let sets = &self.sets;
        self.known
            .insert_unique(hash(set), id, |&id| hash(&sets[id as usize]));
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_are_one_whatever_their_order() {
        let mut labels = Labels::default();
        let one = labels.intern([("b", "2"), ("a", "1"), ("c", "")]);
        let two = labels.intern([("a", "1"), ("b", "2")]);
        assert_eq!(one, two);
        assert_eq!(labels.show(one), r#"{a="1",b="2"}"#);
    }

    #[test]
    fn labels_are_kept_dropped_and_set() {
        let mut labels = Labels::default();
        let (a, b, c) = (labels.text("a"), labels.text("b"), labels.text("c"));
        let both = labels.intern([("a", "1"), ("c", "3")]);
        let only = labels.keep(both, &[a]);
        assert_eq!(labels.without(both, &[c]), only);
        let three = labels.with(both, b, c);
        assert_eq!(labels.show(three), r#"{a="1",b="c",c="3"}"#);
        assert_eq!(labels.with(three, b, Sym::NONE), both);
        assert_eq!(labels.value(both, "b"), "");
    }
}
