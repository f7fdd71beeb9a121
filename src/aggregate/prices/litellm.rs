//! LiteLLM's table of prices, as a user's file.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::file::{Price, Table};
use super::rates::{Rates, Tier, femto};

/// One entry of LiteLLM's table: prices per token by field and tier, all else skipped.
#[derive(Default)]
pub(super) struct Entry(BTreeMap<u64, BTreeMap<&'static str, f64>>);

const FIELDS: [&str; 6] = [
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "cache_creation_input_token_cost_above_1hr",
    "output_cost_per_reasoning_token",
];

/// `input_cost_per_token_above_200k_tokens` is the first field above 200,000 tokens.
fn field_of(key: &str) -> Option<(&'static str, u64)> {
    FIELDS.into_iter().find_map(|field| {
        let rest = key.strip_prefix(field)?;
        if rest.is_empty() {
            return Some((field, 0));
        }
        let size = rest.strip_prefix("_above_")?.strip_suffix("k_tokens")?;
        Some((field, size.parse::<u64>().ok()?.checked_mul(1000)?))
    })
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "prices of a model: {\"input_cost_per_token\", \"output_cost_per_token\"}",
                )
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
                let mut entry = Entry::default();
                while let Some(key) = map.next_key::<String>()? {
                    let Some((field, above)) = field_of(&key) else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if let Some(price) = map.next_value::<Option<Price>>()? {
                        entry.0.entry(above).or_default().insert(field, price.0);
                    }
                }
                Ok(entry)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Entry {
    /// Tiers in rising order; what a tier does not name it takes from the one below.
    fn tiers(self) -> Vec<Tier> {
        let mut known = BTreeMap::new();
        let mut tiers = Vec::new();
        for (above, named) in self.0 {
            known.extend(named);
            let price = |index: usize| known.get(FIELDS[index]).and_then(|usd| femto(*usd, 1.0));
            if let Some(input) = price(0) {
                let rates = Rates {
                    input,
                    output: price(1),
                    cache_read: price(2),
                    cache_write: price(3),
                    cache_write_1h: price(4),
                    reasoning: price(5),
                    request: 0,
                };
                tiers.push(Tier { above, rates });
            }
        }
        tiers
    }
}

/// All entries with an input price.
pub(super) fn table(entries: BTreeMap<String, Entry>) -> Table {
    entries
        .into_iter()
        .filter(|(name, _)| name != "sample_spec")
        .map(|(name, entry)| (name.trim().to_lowercase(), entry.tiers()))
        .filter(|(_, tiers)| !tiers.is_empty())
        .collect()
}
