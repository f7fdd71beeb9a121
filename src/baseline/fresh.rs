//! How much of a first prompt has to be computed where the dump shows no cached tokens. System prompts and
//! tool definitions repeat, documents and questions do not: the share differs between agents by an order
//! of magnitude, and the time their first calls take tells it.

use super::price::after_first;
use super::{Call, CallIx, Calls, Map, Prices};
use crate::stats::median;
use crate::units::{Millis, Sym};

/// Share of a first prompt that is new, where nothing tells it.
pub(super) const ASSUMED: f64 = 0.3;
/// Agents with fewer first calls than this have the share of all.
const LEAST: usize = 4;

/// Shares by kind of task and agent.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Fresh {
    #[serde(with = "super::pairs")]
    by_agent: Map<(Sym, Sym), f64>,
    any: Option<f64>,
}

impl Fresh {
    /// Reads the shares off the first calls in `group` that show no cache, at the prices of the others.
    pub(super) fn learn(calls: &Calls, group: &[CallIx], prices: &Prices) -> Self {
        let mut by_agent: Map<(Sym, Sym), Vec<f64>> = Map::default();
        let mut all = Vec::new();
        for call in group.iter().map(|&i| calls.get(i)) {
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

    /// Takes from `other` what is not known.
    pub(super) fn or(mut self, other: &Self) -> Self {
        for (agent, share) in &other.by_agent {
            self.by_agent.entry(*agent).or_insert(*share);
        }
        self.any = self.any.or(other.any);
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
    let time = call.first_token.map_or_else(whole, Millis::get);
    Some(price.first.tokens_within(time, input) / input)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::units::{Nanos, Small, Window};

    /// Milliseconds per prompt token and per output token of the server below.
    const PROMPT: f64 = 0.2;
    const OUTPUT: f64 = 20.0;

    /// A call that computed so many prompt tokens.
    pub(in crate::baseline) fn call(
        agent: u32,
        previous: Option<u32>,
        input: u32,
        computed: u32,
        output: u32,
    ) -> Call {
        let millis = 60.0 + PROMPT * f64::from(computed) + OUTPUT * f64::from(output);
        Call {
            op: 0,
            request: 0,
            span: 0,
            previous: previous.map(Small::new),
            round: u32::from(previous.is_some()),
            window: Window {
                start: Nanos(0),
                end: Nanos((millis * 1e6) as u64),
            },
            input: Some(Small::new(input)),
            cached: None,
            output: Some(Small::new(output)),
            first_token: None,
            model: Sym(1),
            endpoint: Sym::NONE,
            region: Sym::NONE,
            service: Sym::NONE,
            kind: Sym(agent),
            agent: Sym(agent),
            finish: Sym::NONE,
            tenant: Sym::NONE,
            server_side_only: false,
            resends: 0,
            engine: None,
        }
    }

    /// Two agents without cache figures: one sends the same long prompt each time, the other a new document.
    fn two_agents() -> Calls {
        let mut calls = Calls::default();
        for i in 0..60_u32 {
            for (agent, prompt, computed) in [(2, 6_000, 120), (3, 30_000, 30_000)] {
                let first = calls.all.len() as u32;
                let (grown, output) = (100 + 97 * (i % 31), 20 + i % 17);
                calls.all.push(call(agent, None, prompt, computed, output));
                let later = call(agent, Some(first), prompt + grown, grown, output);
                calls.all.push(later);
            }
        }
        calls
    }

    #[test]
    fn first_prompts_do_not_bend_the_price_of_prompts_and_tell_their_own_share() {
        let calls = two_agents();
        let all: Vec<u32> = (0..calls.all.len() as u32).collect();
        let prices = Prices::learn(&calls, &all);
        let price = prices.of(Sym(1)).unwrap();
        let extra = price.first.price(20_000.0, 10_000.0);
        assert!((extra / (10_000.0 * PROMPT) - 1.0).abs() < 0.15, "{extra}");
        let share = |agent| prices.fresh_share(&call(agent, None, 1, 1, 1));
        assert!(share(2) < 0.05, "{}", share(2));
        assert!(share(3) > 0.8, "{}", share(3));
        assert!((share(9) - 0.5).abs() < 0.5, "of all: {}", share(9));
    }

    #[test]
    fn a_share_that_nothing_tells_is_assumed() {
        let none = Fresh::default();
        assert!((none.share(&call(2, None, 1, 1, 1)) - ASSUMED).abs() < 1e-9);
    }
}
