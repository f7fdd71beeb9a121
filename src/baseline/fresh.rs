//! How much of a first prompt has to be computed where the dump shows no cached tokens. System prompts and
//! tool definitions repeat, documents and questions do not: the share differs between agents by an order
//! of magnitude, and the time their first calls take tells it.

use super::price::after_first;
use super::{Call, Calls, Map, Prices};
use crate::stats::median;
use crate::units::Sym;

/// Share of a first prompt that is new, where nothing tells it.
pub(super) const ASSUMED: f64 = 0.3;
/// Agents with fewer first calls than this have the share of all.
const LEAST: usize = 4;

/// Shares by kind of task and agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Fresh {
    by_agent: Map<(Sym, Sym), f64>,
    any: Option<f64>,
}

impl Fresh {
    /// Reads the shares off the first calls in `group` that show no cache, at the prices of the others.
    pub(super) fn learn(calls: &Calls, group: &[&Call], prices: &Prices) -> Self {
        let mut by_agent: Map<(Sym, Sym), Vec<f64>> = Map::default();
        let mut all = Vec::new();
        for call in group {
            if let Some(share) = share_of(calls, call, prices) {
                by_agent
                    .entry((call.kind, call.agent))
                    .or_default()
                    .push(share);
                all.push(share);
            }
        }
        let any = (all.len() >= LEAST).then(|| median(&mut all)).flatten();
        let enough = by_agent.into_iter().filter(|(_, v)| v.len() >= LEAST);
        Self {
            by_agent: enough
                .filter_map(|(agent, mut v)| Some((agent, median(&mut v)?)))
                .collect(),
            any,
        }
    }

    /// Takes from `other` what it knows.
    pub(super) fn with(mut self, other: &Self) -> Self {
        self.by_agent.extend(&other.by_agent);
        self.any = other.any.or(self.any);
        self
    }

    /// Share of a first prompt like this one's that is usually new.
    pub(super) fn share(&self, call: &Call) -> f64 {
        let agent = self.by_agent.get(&(call.kind, call.agent)).copied();
        agent.or(self.any).unwrap_or(ASSUMED)
    }
}

/// The share of this first prompt that its time to the first token pays for.
fn share_of(calls: &Calls, call: &Call, prices: &Prices) -> Option<f64> {
    let shown = call.cached.is_some() || call.before(calls).is_some_and(|b| b.input.is_some());
    let input = f64::from(call.input.filter(|input| !shown && input.get() > 0)?);
    let price = prices.of(call.model)?;
    let whole = || call.total() - price.rate * after_first(call);
    let time = call.first_token.unwrap_or_else(whole);
    Some(price.first.tokens_within(time, input) / input)
}
