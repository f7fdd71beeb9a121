//! Interned strings: a dump repeats a few hundred names millions of times.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// An interned string. [`Sym::NONE`] means absent; the number itself carries no order.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Default, Debug, serde::Serialize, serde::Deserialize,
)]
pub struct Sym(pub u32);

impl Sym {
    /// No string at all. (The empty string counts as absent.)
    pub const NONE: Self = Self(0);

    /// True for [`Sym::NONE`].
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// `self`, or `other` where `self` is absent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_none() { other } else { self }
    }
}

/// The table behind [`Sym`]s. Each worker fills its own; [`Interner::absorb`] joins two.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    text: String,
    ends: Vec<usize>,
    table: HashTable<u32>,
}

impl Interner {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The symbol of `text`, new or known; [`Sym::NONE`] for an empty one.
    pub fn intern(&mut self, text: &str) -> Sym {
        if text.is_empty() {
            return Sym::NONE;
        }
        let hash = hash(text);
        if let Some(&found) = self
            .table
            .find(hash, |&i| slice(&self.text, &self.ends, i) == text)
        {
            return Sym(found + 1);
        }
        let Ok(index) = u32::try_from(self.ends.len()) else {
            return Sym::NONE;
        };
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.table.insert_unique(hash, index, |&i| {
            self::hash(slice(&self.text, &self.ends, i))
        });
        Sym(index + 1)
    }

    /// Bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let numbers = size_of_val(&self.ends[..]) + self.table.capacity() * size_of::<u32>();
        (self.text.len() + numbers) as u64
    }

    /// The symbol of `text` if it was ever interned.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Sym> {
        self.table
            .find(hash(text), |&i| slice(&self.text, &self.ends, i) == text)
            .map(|&i| Sym(i + 1))
    }

    /// The string behind `sym`; empty for [`Sym::NONE`] or a symbol of another table.
    #[must_use]
    pub fn get(&self, sym: Sym) -> &str {
        match sym.0.checked_sub(1) {
            Some(index) if (index as usize) < self.ends.len() => {
                slice(&self.text, &self.ends, index)
            }
            _ => "",
        }
    }

    /// The string behind `sym`, or `None` for [`Sym::NONE`].
    #[must_use]
    pub fn known(&self, sym: Sym) -> Option<&str> {
        (!sym.is_none()).then(|| self.get(sym))
    }

    /// How many strings are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True before the first string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Takes all of `other` in; the answer maps `other`'s symbols (by number) to this table's.
    pub fn absorb(&mut self, other: &Self) -> Vec<Sym> {
        let mut map = Vec::with_capacity(other.ends.len() + 1);
        map.push(Sym::NONE);
        for index in 0..other.ends.len() {
            map.push(self.intern(slice(&other.text, &other.ends, index as u32)));
        }
        map
    }
}

fn slice<'a>(text: &'a str, ends: &[usize], index: u32) -> &'a str {
    let index = index as usize;
    let start = if index == 0 { 0 } else { ends[index - 1] };
    &text[start..ends[index]]
}

fn hash(text: &str) -> u64 {
    FixedState::default().hash_one(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_share_a_symbol_and_empty_is_absent() {
        let mut names = Interner::new();
        let a = names.intern("chat");
        assert_eq!(names.intern("chat"), a);
        assert_ne!(names.intern("tool"), a);
        assert_eq!(names.intern(""), Sym::NONE);
        assert_eq!((names.get(a), names.known(Sym::NONE)), ("chat", None));
    }

    #[test]
    fn absorbing_maps_every_symbol() {
        let (mut left, mut right) = (Interner::new(), Interner::new());
        left.intern("a");
        let (b, a) = (right.intern("b"), right.intern("a"));
        let map = left.absorb(&right);
        assert_eq!(left.get(map[b.0 as usize]), "b");
        assert_eq!(left.get(map[a.0 as usize]), "a");
        assert_eq!(left.len(), 2);
    }
}
