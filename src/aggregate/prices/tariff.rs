//! The price list of one model, found: what a call of it costs at its time and in its class of service.

use super::plan::{Machine, Plan};
use super::rates::{self, Overlay, Partial, Rates, Tier, Usage};
use super::service::Service;
use super::table::{self, Model, When};
use super::vintage::Source;
use crate::units::{Nanos, Usd};

/// When a call was made, and in which class of service: prices depend on both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Start of the call, Unix time.
    pub at: Nanos,
    /// Its class of service.
    pub service: Service,
}

impl Terms {
    /// The standard class at `at`.
    #[must_use]
    pub fn standard(at: Nanos) -> Self {
        Self {
            at,
            service: Service::Standard,
        }
    }

    fn second(self) -> u64 {
        self.at.0 / Nanos::SECOND.0
    }
}

/// The price list of one model.
#[derive(Clone, Copy, Debug)]
pub struct Tariff<'a> {
    pub(super) schedule: Schedule<'a>,
    /// Model as its table names it.
    pub model: &'a str,
    /// Table it stands in.
    pub source: Source,
    /// True when the provider was not named by the call and had to be told from the model's name.
    pub provider_assumed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Schedule<'a> {
    /// Of the first built-in table; other classes of service where they are the provider's own.
    Listed { model: &'static Model, own: bool },
    /// Of the second built-in table.
    Flat(&'static [Tier]),
    /// The user's.
    Own(&'a Plan),
}

impl<'a> Tariff<'a> {
    /// What `usage` costs, to the nearest nano-dollar; `None` where tokens were used that have no
    /// price, or the price is that of a machine.
    #[must_use]
    pub fn cost(&self, terms: Terms, usage: Usage) -> Option<Usd> {
        self.rates(terms, usage.input)?.cost(usage)
    }

    /// What a prompt token that no cache serves costs, in femto-dollars (1e-15 USD), in a request of
    /// `input` prompt tokens.
    #[must_use]
    pub fn input_price(&self, terms: Terms, input: u64) -> Option<u64> {
        self.rates(terms, input).map(|rates| rates.input)
    }

    /// Rates of a request with `input` prompt tokens.
    fn rates(&self, terms: Terms, input: u64) -> Option<Rates> {
        let standard = rates::at(self.tiers(terms.second())?, input)?;
        Some(self.special(terms, input).over(standard))
    }

    /// False when cached tokens have no price of their own and are paid as input.
    #[must_use]
    pub fn discounts_cache(&self, at: Nanos) -> bool {
        let first = self.tiers(at.0 / Nanos::SECOND.0);
        let first = first.and_then(|tiers| tiers.first());
        first.is_some_and(|tier| tier.rates.cache_read.is_some())
    }

    /// False when the class of service has no price of its own at that time: the call is then priced
    /// at the standard rate.
    #[must_use]
    pub fn knows(&self, terms: Terms) -> bool {
        terms.service == Service::Standard || self.overlays(terms).next().is_some()
    }

    /// The machine the model runs on, where that is what has a price.
    #[must_use]
    pub fn machine(&self) -> Option<Machine> {
        match self.schedule {
            Schedule::Own(plan) => plan.machine,
            Schedule::Listed { .. } | Schedule::Flat(_) => None,
        }
    }

    /// True when older prices are kept beside today's, so that a call is priced as of its time.
    #[must_use]
    pub fn has_history(&self) -> bool {
        let dated = |when: When| matches!(when, When::From(_));
        match self.schedule {
            Schedule::Listed { model, .. } => model.prices.iter().any(|d| dated(d.when)),
            Schedule::Flat(_) => false,
            Schedule::Own(plan) => plan.dated.iter().any(|(when, _)| dated(*when)),
        }
    }

    pub(super) fn tiers(&self, second: u64) -> Option<&'a [Tier]> {
        match self.schedule {
            Schedule::Flat(tiers) => Some(tiers),
            Schedule::Listed { model, .. } => {
                table::in_force(model.prices, second, |d| d.when).map(|d| d.tiers)
            }
            Schedule::Own(plan) => {
                table::in_force(&plan.dated, second, |(when, _)| *when).map(|(_, t)| t.as_slice())
            }
        }
    }

    /// The first variant in force wins, figure by figure.
    fn special(&self, terms: Terms, input: u64) -> Partial {
        self.overlays(terms)
            .fold(Partial::default(), |found, tiers| {
                found.or(rates::overlay_at(tiers, input))
            })
    }

    fn overlays(&self, terms: Terms) -> impl Iterator<Item = &'a [Overlay]> + use<'a> {
        let holds = move |service: Service, from: i64| {
            let started = i64::try_from(terms.second()).is_ok_and(|now| now >= from);
            service == terms.service && service != Service::Standard && started
        };
        let listed = match self.schedule {
            Schedule::Listed { model, own: true } => model.variants,
            _ => &[],
        };
        let plan = match self.schedule {
            Schedule::Own(plan) => plan.special.as_slice(),
            _ => &[],
        };
        let listed = listed.iter().filter(move |v| holds(v.service, v.from));
        let own = plan.iter().filter(move |v| holds(v.service, v.from));
        listed
            .map(|v| v.tiers)
            .chain(own.map(|v| v.tiers.as_slice()))
    }
}
