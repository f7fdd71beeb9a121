//! LiteLLM's table of prices: dollars per token, one key for each price, tier and class of service.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::node::Node;
use super::{Price, Read, Skipped};

/// A class of service by its suffix; the standard one has none.
const CLASSES: [&str; 4] = ["", "_batches", "_flex", "_priority"];

/// One entry of LiteLLM's table: prices per token by class, tier and field, all else skipped.
#[derive(Default)]
pub(super) struct Entry(BTreeMap<(usize, u64), BTreeMap<&'static str, f64>>);

const FIELDS: [&str; 6] = [
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost_above_1hr",
    "cache_creation_input_token_cost",
    "output_cost_per_reasoning_token",
];

/// `input_cost_per_token_above_200k_tokens_flex` is the first field above 200,000 tokens in the class
/// of the third suffix.
fn field_of(key: &str) -> Option<(&'static str, (usize, u64))> {
    FIELDS.into_iter().find_map(|field| {
        let rest = key.strip_prefix(field)?;
        let named = |class: &&str| !class.is_empty() && rest.ends_with(*class);
        let class = CLASSES.iter().position(named).unwrap_or(0);
        let rest = rest.strip_suffix(CLASSES[class])?;
        if rest.is_empty() {
            return Some((field, (class, 0)));
        }
        let size = rest.strip_prefix("_above_")?.strip_suffix("k_tokens")?;
        Some((field, (class, size.parse::<u64>().ok()?.checked_mul(1000)?)))
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
                    let Some((field, place)) = field_of(&key) else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if let Some(price) = map.next_value::<Option<Price>>()? {
                        entry.0.entry(place).or_default().insert(field, price.0);
                    }
                }
                Ok(entry)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Entry {
    fn node(&self) -> Node {
        let mut node = self.class(0);
        node.batch = self.special(1);
        node.flex = self.special(2);
        node.priority = self.special(3);
        node
    }

    fn special(&self, class: usize) -> Vec<Node> {
        let any = self.0.keys().any(|(known, _)| *known == class);
        any.then(|| self.class(class)).into_iter().collect()
    }

    fn class(&self, class: usize) -> Node {
        let row = |above: u64| {
            let named = self.0.get(&(class, above));
            let price = |field: &str| named.and_then(|named| named.get(field)).copied().map(Price);
            Node {
                input: price(FIELDS[0]),
                output: price(FIELDS[1]),
                cached_input: price(FIELDS[2]),
                cache_write_1h: price(FIELDS[3]),
                cache_write: price(FIELDS[4]),
                reasoning: price(FIELDS[5]),
                ..Node::default()
            }
        };
        let starts = self.0.range((class, 1)..=(class, u64::MAX));
        let step = |(&(_, above), _): (&(usize, u64), _)| Node {
            tokens: Some(above),
            ..row(above)
        };
        Node {
            above: starts.map(step).collect(),
            ..row(0)
        }
    }
}

/// All entries with prices of input and output.
pub(super) fn read(entries: BTreeMap<String, Entry>) -> Read {
    let mut read = Read {
        form: "litellm",
        skipped: Skipped::default(),
        ..Read::default()
    };
    for (name, entry) in entries {
        if name == "sample_spec" {
            continue;
        }
        match entry.node().plan(1.0) {
            Ok(plan) => {
                read.models.insert(name.trim().to_lowercase(), plan);
            }
            Err(_) => read.skipped.count("no price per token"),
        }
    }
    read
}
