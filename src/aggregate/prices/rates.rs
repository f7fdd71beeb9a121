//! What one call costs once its rates are known.

use crate::units::Usd;

/// Token counts of one call, normalised: `input` includes what was read from and written to a
/// cache, `output` includes reasoning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Prompt tokens, all of them.
    pub input: u64,
    /// Of `input`: read from a cache.
    pub cached: u64,
    /// Of `input`: written to a cache, whatever its lifetime.
    pub cache_write: u64,
    /// Of `cache_write`: kept for an hour.
    pub cache_write_1h: u64,
    /// Generated tokens, all of them.
    pub output: u64,
    /// Of `output`: reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Tokens in and out.
    #[must_use]
    pub fn tokens(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Prices in femto-dollars (1e-15 USD) per token. What is not listed costs what contains it:
/// cached and written tokens cost input, reasoning costs output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rates {
    pub(super) input: u64,
    pub(super) output: Option<u64>,
    pub(super) cache_read: Option<u64>,
    pub(super) cache_write: Option<u64>,
    pub(super) cache_write_1h: Option<u64>,
    pub(super) reasoning: Option<u64>,
    /// Per call, on top of tokens.
    pub(super) request: u64,
}

/// Rates that hold for requests of more than `above` input tokens, for all tokens of the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tier {
    pub(super) above: u64,
    pub(super) rates: Rates,
}

/// Rates that a class of service sets in place of the standard ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Partial {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cache_read: Option<u64>,
    pub(super) cache_write: Option<u64>,
    pub(super) cache_write_1h: Option<u64>,
    pub(super) reasoning: Option<u64>,
}

/// [`Partial`] rates for requests of more than `above` input tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Overlay {
    pub(super) above: u64,
    pub(super) rates: Partial,
}

impl Partial {
    /// What is not set here is taken from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            input: self.input.or(other.input),
            output: self.output.or(other.output),
            cache_read: self.cache_read.or(other.cache_read),
            cache_write: self.cache_write.or(other.cache_write),
            cache_write_1h: self.cache_write_1h.or(other.cache_write_1h),
            reasoning: self.reasoning.or(other.reasoning),
        }
    }

    /// `standard` with what is set here in its place.
    pub(super) fn over(self, standard: &Rates) -> Rates {
        Rates {
            input: self.input.unwrap_or(standard.input),
            output: self.output.or(standard.output),
            cache_read: self.cache_read.or(standard.cache_read),
            cache_write: self.cache_write.or(standard.cache_write),
            cache_write_1h: self.cache_write_1h.or(standard.cache_write_1h),
            reasoning: self.reasoning.or(standard.reasoning),
            request: standard.request,
        }
    }
}

/// What a class of service sets for `input` tokens; `tiers` rise.
pub(super) fn overlay_at(tiers: &[Overlay], input: u64) -> Partial {
    let later = tiers.iter().skip(1).rev().find(|tier| input > tier.above);
    later
        .or(tiers.first())
        .map_or_else(Partial::default, |tier| tier.rates)
}

/// The rates that apply to `input` tokens; `tiers` rise, the first holds for everything.
pub(super) fn at(tiers: &[Tier], input: u64) -> Option<&Rates> {
    let later = tiers.iter().skip(1).rev().find(|tier| input > tier.above);
    later.or(tiers.first()).map(|tier| &tier.rates)
}

impl Rates {
    /// The cost to the nearest nano-dollar; `None` when tokens were generated and have no price.
    /// Parts that exceed their whole are cut to it.
    pub(super) fn cost(&self, usage: Usage) -> Option<Usd> {
        let cached = usage.cached.min(usage.input);
        let written = usage.cache_write.min(usage.input - cached);
        let hour = usage.cache_write_1h.min(written);
        let reasoning = usage.reasoning.min(usage.output);
        let write = self.cache_write.unwrap_or(self.input);
        let output = match (self.output, usage.output) {
            (Some(rate), _) => rate,
            (None, 0) => 0,
            (None, _) => return None,
        };
        let femto: u128 = [
            (usage.input - cached - written, self.input),
            (cached, self.cache_read.unwrap_or(self.input)),
            (written - hour, write),
            (hour, self.cache_write_1h.unwrap_or(write)),
            (usage.output - reasoning, output),
            (reasoning, self.reasoning.unwrap_or(output)),
            (1, self.request),
        ]
        .into_iter()
        .map(|(count, rate)| u128::from(count) * u128::from(rate))
        .sum();
        i64::try_from((femto + 500_000) / 1_000_000).ok().map(Usd)
    }
}

/// Femto-dollars each, from dollars per `per`; `None` when not a price.
pub(super) fn femto(dollars: f64, per: f64) -> Option<u64> {
    let each = dollars * (1e15 / per);
    (0.0..1e18).contains(&each).then(|| each.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        input: 3_000_000_000,
        output: Some(15_000_000_000),
        cache_read: Some(300_000_000),
        cache_write: None,
        cache_write_1h: Some(6_000_000_000),
        reasoning: None,
        request: 0,
    };

    #[test]
    fn every_token_is_paid_once_at_its_own_rate() {
        let usage = Usage {
            input: 1000,
            cached: 600,
            cache_write: 100,
            cache_write_1h: 40,
            output: 10,
            reasoning: 4,
        };
        // 300 input, 600 cached, 60 written at the input rate, 40 for an hour, 10 generated
        let nano = 300 * 3000 + 600 * 300 + 60 * 3000 + 40 * 6000 + 10 * 15_000;
        assert_eq!(RATES.cost(usage), Some(Usd(nano)));
    }

    #[test]
    fn generated_tokens_without_a_price_are_unknown_and_not_free() {
        let rates = Rates {
            output: None,
            ..RATES
        };
        let usage = |output| Usage {
            input: 1,
            output,
            ..Usage::default()
        };
        assert_eq!(rates.cost(usage(0)), Some(Usd(3000)));
        assert_eq!(rates.cost(usage(1)), None);
    }

    #[test]
    fn a_tier_needs_more_than_its_start() {
        let high = Rates { input: 9, ..RATES };
        let tiers = [(0, RATES), (200_000, high)].map(|(above, rates)| Tier { above, rates });
        assert_eq!(at(&tiers, 200_000), Some(&RATES));
        assert_eq!(at(&tiers, 200_001), Some(&high));
        assert_eq!(at(&[], 5), None);
    }
}
