//! Maps as lists of pairs.

use std::hash::Hash;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Map;

pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
    map: &Map<K, V>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_seq(map)
}

pub(crate) fn deserialize<'de, K, V, D>(from: D) -> Result<Map<K, V>, D::Error>
where
    K: Deserialize<'de> + Eq + Hash,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let pairs: Vec<(K, V)> = Vec::deserialize(from)?;
    Ok(pairs.into_iter().collect())
}
