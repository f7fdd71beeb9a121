//! What differs between two sets of prices.

use super::{Prices, Source};

/// A model whose price differs.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Name in the first set.
    pub model: String,
    /// Table of the second set that it was found in.
    pub source: Source,
    /// Which price: `input`, `cached_input`, `cache_write`, `cache_write_1h`, `output`, with the start
    /// of the tier behind it where it is not the first.
    pub price: String,
    /// Dollars per million tokens in the first set.
    pub left: Option<f64>,
    /// Dollars per million tokens in the second set.
    pub right: Option<f64>,
}

/// All that differs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Changes {
    /// Models in both with the same prices.
    pub same: u64,
    /// Prices that differ, by model.
    pub changed: Vec<Change>,
    /// Models of the first set that the second does not know, by name.
    pub only_left: Vec<String>,
    /// Models of the user's tables of the second set that the first does not know, by name.
    pub only_right: Vec<String>,
}

const NAMES: [&str; 5] = [
    "input",
    "cached_input",
    "cache_write",
    "cache_write_1h",
    "output",
];

impl Changes {
    /// Compares the user's tables of `left` with all of `right`, as of a Unix second.
    #[must_use]
    pub fn between(left: &Prices, right: &Prices, second: u64) -> Self {
        let mut changes = Self::default();
        for entry in left.own_entries() {
            let (provider, model) = entry.name.split_once('/').unwrap_or(("", &entry.name));
            let found = right
                .find(provider, &[model])
                .or_else(|| right.find("", &[&entry.name]));
            let Some(found) = found else {
                changes.only_left.push(entry.name);
                continue;
            };
            let ours = entry.rates_at(second);
            let theirs = found
                .tiers(second)
                .map_or_else(Vec::new, super::listing::rows);
            let before = changes.changed.len();
            let mut starts: Vec<u64> = ours
                .iter()
                .chain(&theirs)
                .map(|(above, _)| *above)
                .collect();
            starts.sort_unstable();
            starts.dedup();
            for start in starts {
                let at = |rows: &[(u64, [Option<f64>; 5])]| {
                    let reached = rows.iter().rev().find(|(above, _)| *above <= start);
                    reached.map_or([None; 5], |(_, prices)| *prices)
                };
                for ((name, left), right) in NAMES.into_iter().zip(at(&ours)).zip(at(&theirs)) {
                    if left != right {
                        changes.changed.push(Change {
                            model: entry.name.clone(),
                            source: found.source,
                            price: if start == 0 {
                                name.to_owned()
                            } else {
                                format!("{name} above {start}")
                            },
                            left,
                            right,
                        });
                    }
                }
            }
            changes.same += u64::from(changes.changed.len() == before);
        }
        for entry in right.own_entries() {
            let (provider, model) = entry.name.split_once('/').unwrap_or(("", &entry.name));
            if left.find(provider, &[model]).is_none() {
                changes.only_right.push(entry.name);
            }
        }
        changes
    }
}
