//! The list of models that OpenRouter serves (`GET /api/v1/models`): prices as texts, per token.

use serde::Deserialize;

use super::node::Node;
use super::{Price, Read, Skipped};

#[derive(Deserialize)]
pub(super) struct Document {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(default)]
    pricing: Pricing,
}

#[derive(Deserialize, Default)]
struct Pricing {
    prompt: Option<String>,
    completion: Option<String>,
    input_cache_read: Option<String>,
    input_cache_write: Option<String>,
    internal_reasoning: Option<String>,
    request: Option<String>,
}

pub(super) fn read(document: Document) -> Read {
    let mut read = Read {
        form: "openrouter",
        skipped: Skipped::default(),
        ..Read::default()
    };
    for model in document.data {
        let node = node(&model.pricing);
        match node.plan(1.0) {
            Ok(plan) => {
                let id = model.id.trim().to_lowercase();
                read.models.insert(format!("openrouter/{id}"), plan.clone());
                read.models.insert(id, plan);
            }
            Err(_) => read.skipped.count("no price per token"),
        }
    }
    read
}

/// Routers of variable price write -1; a cache or reasoning price of zero says that there is none.
fn node(pricing: &Pricing) -> Node {
    let price = |text: &Option<String>| {
        let dollars: f64 = text.as_deref()?.trim().parse().ok()?;
        (0.0..1e9).contains(&dollars).then_some(Price(dollars))
    };
    let listed = |text: &Option<String>| price(text).filter(|price| price.0 > 0.0);
    Node {
        input: price(&pricing.prompt),
        output: price(&pricing.completion),
        cached_input: listed(&pricing.input_cache_read),
        cache_write: listed(&pricing.input_cache_write),
        reasoning: listed(&pricing.internal_reasoning),
        per_request: listed(&pricing.request),
        ..Node::default()
    }
}
