//! The table of genai-prices: providers with models, prices in dollars per million tokens, dated and in
//! tiers. Names that a model goes by are taken from its match rule where the rule lists them.

use serde::Deserialize;
use serde_json::Value;

use super::node::Node;
use super::{Price, Read, Skipped, under_providers};

#[derive(Deserialize)]
#[serde(expecting = "a provider of the genai-prices table: {\"id\", \"models\"}")]
pub(super) struct Provider {
    id: String,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(default, rename = "match")]
    rule: Value,
    prices: Value,
    #[serde(default)]
    price_variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    when: Value,
    prices: Value,
    #[serde(default)]
    constraint: Value,
}

pub(super) fn read(providers: Vec<Provider>) -> Read {
    let mut skipped = Skipped::default();
    let mut entries = Vec::new();
    for provider in providers {
        for model in provider.models {
            let Ok(plan) = node(&model).plan(1e6) else {
                skipped.count("no price per token");
                continue;
            };
            let mut names = vec![model.id.clone()];
            equal_to(&model.rule, &mut names);
            names.sort();
            names.dedup();
            let each = names.into_iter();
            entries.extend(each.map(|name| (provider.id.clone(), name, plan.clone())));
        }
    }
    Read {
        models: under_providers(entries),
        form: "genai-prices",
        skipped,
        ..Read::default()
    }
}

/// The names that a rule lists.
fn equal_to(rule: &Value, names: &mut Vec<String>) {
    if let Some(name) = rule["equals"].as_str() {
        names.push(name.to_owned());
    }
    for any in rule["or"].as_array().into_iter().flatten() {
        equal_to(any, names);
    }
}

fn node(model: &Model) -> Node {
    let mut node = Node::default();
    let listed = match &model.prices {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    for (index, entry) in listed.iter().enumerate() {
        let dated = model.prices.is_array();
        let mut part = tiers(if dated { &entry["prices"] } else { entry });
        let constraint = &entry["constraint"];
        let text = |key: &str| constraint[key].as_str().map(str::to_owned);
        if index == 0 {
            node = part;
        } else if let Some(start) = text("start_date") {
            part.from = Some(start);
            node.history.push(part);
        } else {
            (part.from, part.to) = (text("start_time"), text("end_time"));
            node.daily.push(part);
        }
    }
    for variant in &model.price_variants {
        let mut part = tiers(&variant.prices);
        part.from = variant.constraint["start_date"].as_str().map(str::to_owned);
        let tier = variant.when["service_tier"].as_str();
        match variant.when["processing"].as_str().or(tier) {
            Some("batch") => node.batch.push(part),
            Some("flex") => node.flex.push(part),
            Some("priority") => node.priority.push(part),
            Some("fast") => node.fast.push(part),
            _ => {}
        }
    }
    node
}

/// One row of prices, with a further one for every start of a tier.
fn tiers(prices: &Value) -> Node {
    let all = prices.as_object().into_iter().flat_map(|o| o.values());
    let mut starts: Vec<u64> = all
        .flat_map(|price| price["tiers"].as_array().into_iter().flatten())
        .filter_map(|tier| tier["start"].as_u64())
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let at = |start: u64| {
        let price = |key: &str| at_tier(&prices[key], start).map(Price);
        Node {
            input: price("input_mtok"),
            output: price("output_mtok"),
            cached_input: price("cache_read_mtok"),
            cache_write: price("cache_write_mtok"),
            cache_write_1h: price("cache_write_1h_mtok"),
            reasoning: price("output_reasoning_mtok"),
            ..Node::default()
        }
    };
    let step = |start: &u64| Node {
        tokens: Some(*start),
        ..at(*start)
    };
    let requests = at_tier(&prices["requests_kcount"], 0);
    Node {
        per_request: requests.map(|thousand| Price(thousand / 1e3)),
        above: starts.iter().filter(|s| **s > 0).map(step).collect(),
        ..at(0)
    }
}

fn at_tier(price: &Value, start: u64) -> Option<f64> {
    let Some(tiers) = price["tiers"].as_array() else {
        return price.as_f64();
    };
    let reached = |tier: &&Value| tier["start"].as_u64().is_some_and(|at| at <= start);
    let highest = tiers.iter().filter(reached);
    let highest = highest.max_by_key(|tier| tier["start"].as_u64());
    highest
        .map_or(&price["base"], |tier| &tier["price"])
        .as_f64()
}
