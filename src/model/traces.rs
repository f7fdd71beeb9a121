//! The trace ids of a dump, each kept once: spans carry their number.

use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::{TraceId, weight};

/// Number of a trace id in [`Traces`]; it carries no order.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct TraceIx(pub u32);

/// All trace ids, numbered as they are met. Each worker fills its own; [`Traces::absorb`] joins two.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    ids: Vec<TraceId>,
    numbers: HashTable<u32>,
}

impl Traces {
    /// The number of `id`, new or known.
    pub fn number(&mut self, id: TraceId) -> TraceIx {
        // Spans of one trace tend to follow one another.
        if self.ids.last() == Some(&id) {
            return TraceIx(self.ids.len() as u32 - 1);
        }
        let ids = &self.ids;
        let found = self.numbers.entry(
            hash(id),
            |&i| ids.get(i as usize) == Some(&id),
            |&i| hash(ids.get(i as usize).copied().unwrap_or_default()),
        );
        let number = *found.or_insert(self.ids.len() as u32).get();
        if number as usize == self.ids.len() {
            self.ids.push(id);
        }
        TraceIx(number)
    }

    /// The id behind a number; the absent id for a number of another table.
    #[must_use]
    #[inline]
    pub fn get(&self, number: TraceIx) -> TraceId {
        self.ids.get(number.0 as usize).copied().unwrap_or_default()
    }

    /// Bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        weight(&self.ids) + (self.numbers.capacity() * size_of::<u32>()) as u64
    }

    /// How many ids were numbered; traces that were taken apart or left out since are counted too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True before the first.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Takes all of `other` in; the answer holds this table's number for each of `other`'s.
    pub fn absorb(&mut self, other: &Self) -> Vec<TraceIx> {
        other.ids.iter().map(|&id| self.number(id)).collect()
    }
}

fn hash(id: TraceId) -> u64 {
    foldhash::fast::FixedState::default().hash_one(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ids_share_a_number_and_absorbing_maps_every_number() {
        let (mut left, mut right) = (Traces::default(), Traces::default());
        let [a, b, c] = [1, 2, 3].map(TraceId);
        assert_eq!([a, b, a, a, b].map(|id| left.number(id).0), [0, 1, 0, 0, 1]);
        assert_eq!([c, b].map(|id| right.number(id).0), [0, 1]);
        let map = left.absorb(&right);
        assert_eq!(map, [TraceIx(2), TraceIx(1)]);
        assert_eq!((left.get(map[0]), left.len()), (c, 3));
        assert_eq!(left.get(TraceIx(9)), TraceId::default());
    }
}
