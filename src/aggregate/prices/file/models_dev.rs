//! The table of models.dev: providers, each with models, each with a cost in dollars per million tokens.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::node::Node;
use super::{Price, Read, Skipped, under_providers};
use crate::aggregate::prices::vintage;

/// Providers at the top, as the site serves them, or under `providers` beside where they were taken from.
#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(default, rename = "_provenance")]
    provenance: Option<Provenance>,
    #[serde(default)]
    providers: BTreeMap<String, Provider>,
    #[serde(flatten)]
    top: BTreeMap<String, Provider>,
}

#[derive(Deserialize)]
struct Provenance {
    commit: Option<String>,
    commit_date: Option<String>,
}

#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    models: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
struct Model {
    cost: Option<Cost>,
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Cost {
    input: Option<Price>,
    output: Option<Price>,
    #[serde(alias = "cached_input", alias = "cache_input")]
    cache_read: Option<Price>,
    #[serde(alias = "cached_write")]
    cache_write: Option<Price>,
    reasoning: Option<Price>,
    request: Option<Price>,
    #[serde(default)]
    tiers: Vec<CostTier>,
    #[serde(default)]
    #[expect(dead_code, reason = "the same as the tier that starts there")]
    context_over_200k: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct CostTier {
    tier: Start,
    #[serde(flatten)]
    cost: TierCost,
}

#[derive(Deserialize)]
struct Start {
    size: u64,
}

#[derive(Deserialize)]
struct TierCost {
    input: Option<Price>,
    output: Option<Price>,
    cache_read: Option<Price>,
    cache_write: Option<Price>,
    reasoning: Option<Price>,
}

pub(super) fn read(document: Document) -> Read {
    let mut skipped = Skipped::default();
    let mut newest = None;
    let mut entries = Vec::new();
    for (provider, listed) in document.providers.into_iter().chain(document.top) {
        for (name, model) in listed.models {
            let updated = model.last_updated.as_deref();
            newest = newest.max(updated.and_then(vintage::parse_day));
            let Some(cost) = model.cost else {
                skipped.count("no cost");
                continue;
            };
            match node(cost).plan(1e6) {
                Ok(plan) => entries.push((provider.clone(), name, plan)),
                Err(_) => skipped.count("no price per token"),
            }
        }
    }
    let commit_date = document
        .provenance
        .as_ref()
        .and_then(|p| p.commit_date.as_deref());
    Read {
        models: under_providers(entries),
        form: "models.dev",
        as_of: commit_date.and_then(vintage::parse_day).or(newest),
        version: document.provenance.and_then(|p| p.commit),
        skipped,
    }
}

/// A cache price of zero beside a price of input says that there is none.
fn node(cost: Cost) -> Node {
    let listed = |price: Option<Price>| price.filter(|price| price.0 > 0.0);
    Node {
        input: cost.input,
        output: cost.output,
        cached_input: listed(cost.cache_read),
        cache_write: listed(cost.cache_write),
        reasoning: listed(cost.reasoning),
        per_request: listed(cost.request),
        above: cost.tiers.into_iter().map(tier).collect(),
        ..Node::default()
    }
}

fn tier(CostTier { tier, cost }: CostTier) -> Node {
    let listed = |price: Option<Price>| price.filter(|price| price.0 > 0.0);
    Node {
        tokens: Some(tier.size),
        input: cost.input,
        output: cost.output,
        cached_input: listed(cost.cache_read),
        cache_write: listed(cost.cache_write),
        reasoning: listed(cost.reasoning),
        ..Node::default()
    }
}
