//! What a model call costs: built-in list prices, a user's own file before them, and `None` for
//! whatever neither knows. Unknown is never free.

mod file;
mod litellm;
mod lookup;
mod rates;
mod table;

use std::path::Path;

use hashbrown::HashMap;

pub use file::PriceError;
use lookup::{Vendor, listed, suffixes, undated};
use rates::Tier;
pub use rates::Usage;
use table::Dated;

use crate::units::{Nanos, Usd};

/// Where a price comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// The user's own file.
    File,
    /// The genai-prices table.
    GenaiPrices,
    /// LiteLLM's table.
    LiteLlm,
}

impl Source {
    /// The name shown to readers.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::File => "price file",
            Self::GenaiPrices => "genai-prices",
            Self::LiteLlm => "LiteLLM",
        }
    }
}

/// All known prices.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    user: HashMap<String, Vec<Tier>>,
}

/// The price list of one model.
#[derive(Clone, Copy, Debug)]
pub struct Tariff<'a> {
    schedule: Schedule<'a>,
    /// Model as its table names it.
    pub model: &'a str,
    /// Table it stands in.
    pub source: Source,
    /// True when the provider was not named by the call and had to be told from the model's name.
    pub provider_assumed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Schedule<'a> {
    Dated(&'static [Dated]),
    Fixed(&'a [Tier]),
}

impl Tariff<'_> {
    /// What `usage` costs at `at` (Unix time), to the nearest nano-dollar; `None` where tokens were
    /// used that have no price.
    #[must_use]
    pub fn cost(&self, at: Nanos, usage: Usage) -> Option<Usd> {
        rates::at(self.tiers(at)?, usage.input)?.cost(usage)
    }

    /// False when cached tokens have no price of their own and are paid as input.
    #[must_use]
    pub fn discounts_cache(&self, at: Nanos) -> bool {
        let first = self.tiers(at).and_then(|tiers| tiers.first());
        first.is_some_and(|tier| tier.rates.cache_read.is_some())
    }

    fn tiers(&self, at: Nanos) -> Option<&[Tier]> {
        match self.schedule {
            Schedule::Fixed(tiers) => Some(tiers),
            Schedule::Dated(dated) => {
                table::in_force(dated, at.0 / Nanos::SECOND.0).map(|dated| dated.tiers)
            }
        }
    }
}

impl Prices {
    /// The built-in list prices alone.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default()
    }

    /// The built-in prices with those of a file before them: the simple form
    /// `{"unit": "per 1M tokens", "models": {NAME: {"input", "cached_input", "output"}}}` or
    /// LiteLLM's table.
    ///
    /// # Errors
    /// When the file cannot be read, or says something else: with line and column.
    pub fn with_file(path: &Path) -> Result<Self, PriceError> {
        file::read(path).map(|user| Self { user })
    }

    /// As [`Prices::with_file`], from bytes already read; `name` is shown in errors.
    ///
    /// # Errors
    /// As [`Prices::with_file`].
    pub fn with_bytes(name: &str, bytes: &[u8]) -> Result<Self, PriceError> {
        file::parse(name, bytes).map(|user| Self { user })
    }

    /// The cost of one call; `None` when the model is not known.
    #[must_use]
    pub fn cost(&self, provider: &str, model: &str, at: Nanos, usage: Usage) -> Option<Usd> {
        self.find(provider, &[model])?.cost(at, usage)
    }

    /// The price list of a model by the names it goes by, best first (the model that answered,
    /// then the one asked for). The user's file wins under any of the names.
    #[must_use]
    pub fn find(&self, provider: &str, names: &[&str]) -> Option<Tariff<'_>> {
        let vendor = Vendor::new(provider);
        let names = || {
            names
                .iter()
                .map(|name| name.trim().to_lowercase())
                .filter(|name| !name.is_empty())
        };
        names()
            .find_map(|name| self.own(&vendor.name, &name))
            .or_else(|| names().find_map(|name| listed(&vendor, &name)))
    }

    fn own(&self, provider: &str, name: &str) -> Option<Tariff<'_>> {
        let tariff = |key: &str| {
            let (model, tiers) = self.user.get_key_value(key)?;
            Some(Tariff {
                schedule: Schedule::Fixed(tiers),
                model,
                source: Source::File,
                provider_assumed: false,
            })
        };
        if self.user.is_empty() {
            return None;
        }
        tariff(&format!("{provider}/{name}"))
            .or_else(|| suffixes(name).find_map(tariff))
            .or_else(|| suffixes(undated(name)?).find_map(tariff))
    }
}

#[cfg(test)]
mod tests;
