//! From an attribute's name to its meaning: one table for all dialects, built once.

use std::sync::LazyLock;

use super::DIALECTS;
use super::field::{Field, RawField};
use super::generic;
use super::vocabulary::Trust;

/// What one dialect means by a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binding {
    /// The field.
    pub(super) field: Field,
    /// Index into [`DIALECTS`].
    pub(super) dialect: u8,
    /// Precedence within the field: smaller wins.
    pub(super) rank: u16,
    /// Counts only in spans of the dialect's own scopes.
    pub(super) own_only: bool,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// These bindings of the table, `start..start + len`.
    Known(u16, u16),
    /// Understood by its form.
    Guessed(Binding),
    /// Not understood, though it looks relevant.
    Strange,
    /// Of no interest.
    Nothing,
}

/// The table.
pub(super) struct KeyTable {
    cells: Vec<u16>,
    names: Vec<Name>,
    bindings: Vec<Binding>,
}

/// A key of the table and where its bindings lie.
struct Name {
    text: &'static str,
    start: u16,
    len: u16,
    wanted: bool,
}

impl Name {
    fn meaning(&self) -> Meaning {
        if self.wanted {
            Meaning::Known(self.start, self.len)
        } else {
            Meaning::Nothing
        }
    }
}

/// All keys of all dialects.
pub(super) static KEYS: LazyLock<KeyTable> = LazyLock::new(KeyTable::build);

const CELLS: usize = 4096;

impl KeyTable {
    fn build() -> Self {
        let dialects = DIALECTS.iter().zip(0..);
        let all = dialects.flat_map(|(dialect, index)| {
            let keys = dialect.keys.iter().enumerate();
            keys.map(move |(place, key)| {
                let binding = Binding {
                    field: key.field,
                    dialect: index,
                    rank: rank(trust_of(dialect.trust, key.field), place),
                    own_only: key.own_only,
                };
                (key.name, binding)
            })
        });
        let all: Vec<(&'static str, Binding)> = all.collect();
        let mut table = Self {
            cells: vec![0; CELLS],
            names: Vec::with_capacity(all.len()),
            bindings: all.iter().map(|(_, binding)| *binding).collect(),
        };
        let places: Vec<usize> = all.iter().map(|(name, _)| table.place(name)).collect();
        let mut start = 0;
        for name in &mut table.names {
            name.start = start;
            start += std::mem::take(&mut name.len);
        }
        // Those of one key stand side by side, in the order of dialects.
        for (place, (_, binding)) in places.into_iter().zip(all) {
            let name = &mut table.names[place];
            table.bindings[usize::from(name.start + name.len)] = binding;
            name.len += 1;
            name.wanted |= binding.field != Field::Unused;
        }
        table
    }

    /// Where the name of a key stands among all, to which it is added if it is new; counts its bindings.
    fn place(&mut self, text: &'static str) -> usize {
        let mut cell = hash(text.as_bytes());
        loop {
            let number = usize::from(self.cells[cell]);
            let Some(place) = number.checked_sub(1) else {
                self.names.push(Name {
                    text,
                    start: 0,
                    len: 1,
                    wanted: false,
                });
                self.cells[cell] = self.names.len() as u16;
                return self.names.len() - 1;
            };
            if self.names[place].text == text {
                self.names[place].len += 1;
                return place;
            }
            cell = (cell + 1) % CELLS;
        }
    }

    /// A key's entry and its number, counted from one.
    fn find(&self, key: &[u8]) -> Option<(u16, &Name)> {
        let mut cell = hash(key);
        loop {
            let number = self.cells[cell];
            let entry = self.names.get((number as usize).checked_sub(1)?)?;
            if entry.text.as_bytes() == key {
                return Some((number, entry));
            }
            cell = (cell + 1) % CELLS;
        }
    }

    /// What a key means, from the table alone.
    pub(super) fn meaning(&self, key: &[u8]) -> Option<Meaning> {
        let (_, name) = self.find(key)?;
        Some(name.meaning())
    }

    /// What the key behind a hint of [`KeyMemo::recognise`] means.
    pub(super) fn hinted(&self, hint: u16) -> Option<Meaning> {
        let name = self.names.get((hint as usize).checked_sub(1)?)?;
        Some(name.meaning())
    }

    /// The bindings behind [`Meaning::Known`].
    pub(super) fn bindings(&self, start: u16, len: u16) -> &[Binding] {
        self.bindings
            .get(start as usize..(start + len) as usize)
            .unwrap_or_default()
    }
}

/// Precedence of the key at `place` of a dialect of the given trust.
pub(super) fn rank(trust: u8, place: usize) -> u16 {
    u16::from(trust) * 256 + place.min(255) as u16
}

/// Figures out of JSON in a string stand behind every plain attribute.
fn trust_of(trust: Trust, field: Field) -> u8 {
    match field {
        Field::Raw(RawField::Usage | RawField::Vendor | RawField::Metadata) => 5,
        _ => trust as u8,
    }
}

/// Spreads keys over the cells by their length, end and middle: beginnings are all alike.
fn hash(key: &[u8]) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = match (key.last_chunk::<8>(), key.len()) {
        (Some(tail), len) => {
            let middle = key[len / 2 - 4..].first_chunk::<8>().unwrap_or(tail);
            u64::from_le_bytes(*tail) ^ u64::from_le_bytes(*middle).rotate_left(29)
        }
        (None, _) => key.iter().fold(0, |h, &b| (h << 8) | u64::from(b)),
    };
    let spread = (mixed ^ (key.len() as u64)).wrapping_mul(MIX);
    (spread ^ (spread >> 29)).wrapping_mul(MIX) as usize >> 52
}

/// Remembers what unknown keys mean, so that each is looked at once.
#[derive(Debug, Default)]
pub(super) struct KeyMemo {
    seen: hashbrown::HashMap<Box<[u8]>, Meaning>,
}

impl KeyMemo {
    const LIMIT: usize = 8192;

    /// `None` for a key of no interest, else its number in the table, or zero where the table lacks it.
    pub(super) fn recognise(&mut self, key: &[u8]) -> Option<u16> {
        match KEYS.find(key) {
            Some((number, name)) => name.wanted.then_some(number),
            None => (!matches!(self.meaning(key), Meaning::Nothing)).then_some(0),
        }
    }

    /// What `key` means.
    pub(super) fn meaning(&mut self, key: &[u8]) -> Meaning {
        if let Some(meaning) = KEYS.meaning(key) {
            return meaning;
        }
        if generic::is_content(key) {
            return Meaning::Nothing;
        }
        if let Some(meaning) = self.seen.get(key) {
            return *meaning;
        }
        let meaning = generic::meaning(key);
        if self.seen.len() < Self::LIMIT {
            self.seen.insert(key.into(), meaning);
        }
        meaning
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_every_dialect_is_found() {
        for dialect in DIALECTS {
            for key in dialect.keys {
                let found = KEYS.find(key.name.as_bytes());
                assert_eq!(found.map(|f| f.1.text), Some(key.name));
                let hinted = found.and_then(|f| KEYS.hinted(f.0));
                assert!(hinted.is_some());
            }
        }
        assert!(KEYS.find(b"gen_ai.usage.input_token").is_none());
        assert!(KEYS.find(b"").is_none());
    }

    #[test]
    fn keys_are_found_within_few_steps() {
        let steps = |key: &str| {
            let (number, _) = KEYS.find(key.as_bytes()).unwrap();
            let from = hash(key.as_bytes());
            (0..)
                .find(|step| KEYS.cells[(from + step) % CELLS] == number)
                .unwrap()
        };
        let all: Vec<usize> = KEYS.names.iter().map(|name| steps(name.text)).collect();
        assert!(
            all.iter().sum::<usize>() < all.len() / 4,
            "{} keys",
            all.len()
        );
        assert!(all.iter().all(|steps| *steps < 8));
    }

    #[test]
    fn no_dialect_lists_a_key_twice() {
        for dialect in DIALECTS {
            for (i, key) in dialect.keys.iter().enumerate() {
                assert!(
                    !dialect.keys[..i].iter().any(|k| k.name == key.name),
                    "{} twice in {}",
                    key.name,
                    dialect.name
                );
            }
        }
    }
}
