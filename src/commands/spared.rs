//! What incidents cost in tokens: diagnosis says which, prices say how much.

use crate::aggregate::{Prices, Usage, recost};
use crate::diagnose::{Incident, Spared, SparedTokens};
use crate::model::Dataset;
use crate::units::Usd;

/// Prices the tokens that each incident wasted; absent where one of its calls cannot be priced.
pub(super) fn price(dataset: &Dataset, prices: &Prices, incidents: &mut [Incident]) {
    for without in incidents.iter_mut().filter_map(|i| i.without.as_mut()) {
        let saved = without.spared.iter().map(|spared| {
            let span = dataset.spans.get(spared.span as usize)?;
            if !dataset.llm_of(span).is_some_and(|call| call.has_usage()) {
                return Some(0); // nor is it in the cost of its request
            }
            let (observed, instead) = recost(dataset, prices, span, |usage| spare(spared, usage))?;
            Some(match spared.tokens {
                SparedTokens::Call => observed.0,
                _ => observed.0.saturating_sub(instead.0),
            })
        });
        let saved: Option<Vec<i64>> = saved.collect();
        without.saved = saved.map(|saved| saved.into_iter().map(Usd).sum());
    }
}

fn spare(spared: &Spared, usage: &mut Usage) {
    match spared.tokens {
        SparedTokens::Call => {}
        SparedTokens::Input(tokens) => {
            usage.input = usage.input.saturating_sub(tokens).max(usage.cached);
        }
        SparedTokens::Cached(tokens) => {
            usage.cached = usage.cached.saturating_add(tokens).min(usage.input);
        }
        SparedTokens::Output(tokens) => {
            usage.output = usage.output.saturating_sub(tokens).max(usage.reasoning);
        }
    }
}
