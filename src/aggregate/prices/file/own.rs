//! This program's own form of a price file: `{"unit": "per 1M tokens", "models": {NAME: prices}}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::node::{Listed, Node};
use super::{Read, Skipped};
use crate::aggregate::prices::vintage;

/// Name and version of the form, for files this program writes.
pub(in super::super) const SCHEMA: &str = "agentdiag.prices.v1";

/// A price file. `schema` may be left out, as may everything but `models`.
#[derive(Deserialize)]
pub(in super::super) struct Document {
    #[serde(default)]
    #[expect(dead_code, reason = "read to refuse other versions")]
    schema: Schema,
    #[serde(default)]
    unit: Unit,
    #[serde(default)]
    #[expect(dead_code, reason = "read to refuse other currencies")]
    currency: Currency,
    #[serde(default)]
    as_of: Option<String>,
    #[serde(default)]
    version: Option<String>,
    models: BTreeMap<String, Listed>,
}

#[derive(Deserialize, Default)]
enum Schema {
    #[default]
    #[serde(rename = "agentdiag.prices.v1")]
    V1,
}

#[derive(Deserialize, Serialize, Default, Clone, Copy)]
pub(in super::super) enum Unit {
    #[default]
    #[serde(rename = "per 1M tokens", alias = "per million tokens")]
    Million,
    #[serde(rename = "per 1K tokens")]
    Thousand,
    #[serde(rename = "per token")]
    One,
}

#[derive(Deserialize, Default)]
enum Currency {
    #[default]
    #[serde(rename = "USD")]
    Usd,
}

impl Unit {
    fn tokens(self) -> f64 {
        match self {
            Self::Million => 1e6,
            Self::Thousand => 1e3,
            Self::One => 1.0,
        }
    }
}

impl Document {
    pub(super) fn read(self) -> Read {
        let per = self.unit.tokens();
        let mut skipped = Skipped::default();
        let mut models = BTreeMap::new();
        for (name, Listed(node)) in self.models {
            match node.plan(per) {
                Ok(plan) => {
                    models.insert(name.trim().to_lowercase(), plan);
                }
                Err(_) => skipped.count("not a price"),
            }
        }
        Read {
            models,
            form: "agentdiag",
            version: self.version,
            as_of: self.as_of.as_deref().and_then(vintage::parse_day),
            skipped,
        }
    }
}

/// Nodes by model, as the configuration file holds them.
pub(in super::super) fn plans(
    models: BTreeMap<String, Listed>,
) -> BTreeMap<String, crate::aggregate::prices::plan::Plan> {
    let plan = |(name, Listed(node)): (String, Listed)| {
        Some((name.trim().to_lowercase(), Node::plan(&node, 1e6).ok()?))
    };
    models.into_iter().filter_map(plan).collect()
}
