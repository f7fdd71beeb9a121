//! What a model call costs: built-in list prices, the user's own before them, and `None` for whatever
//! neither knows. Unknown is never free.
//!
//! What goes first: `--price`, then `--prices FILE`, then the configuration file, then the built-in
//! tables. Within each, the model that answered goes before the one asked for.

mod changes;
mod config;
mod file;
mod flag;
mod listing;
mod lookup;
mod plan;
mod rates;
mod service;
mod table;
mod tariff;
mod vintage;

use std::collections::BTreeMap;
use std::path::Path;

pub use changes::{Change, Changes};
pub use config::Config;
pub use file::{PriceError, Skipped};
pub use flag::{BadPrice, Given};
pub use listing::{Entry, Written};
use lookup::{Vendor, listed, regionless, suffixes, undated};
pub use plan::Machine;
use plan::Plan;
pub use rates::Usage;
pub use service::Service;
use tariff::Schedule;
pub use tariff::{Tariff, Terms};
pub use vintage::{STALE_DAYS, Source, Vintage};

use crate::units::{Nanos, Usd};

/// All known prices.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    /// The user's tables, those that go first before the others.
    layers: Vec<Layer>,
}

/// One table of the user's.
#[derive(Clone, Debug)]
struct Layer {
    vintage: Vintage,
    /// By name in lower case, with and without provider.
    models: BTreeMap<String, Plan>,
}

impl Prices {
    /// The built-in list prices alone.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default()
    }

    /// The built-in prices with those of a file before them: this program's own form, or the table
    /// of LiteLLM, genai-prices, models.dev or OpenRouter.
    ///
    /// # Errors
    /// When the file cannot be read, or says something else: with line and column.
    pub fn with_file(path: &Path) -> Result<Self, PriceError> {
        let mut prices = Self::builtin();
        prices.add_file(path, Source::File)?;
        Ok(prices)
    }

    /// As [`Prices::with_file`], from bytes already read; `name` is shown in errors.
    ///
    /// # Errors
    /// As [`Prices::with_file`].
    pub fn with_bytes(name: &str, bytes: &[u8]) -> Result<Self, PriceError> {
        let mut prices = Self::builtin();
        prices.add(file::parse(name, bytes)?, Some(name), Source::File);
        Ok(prices)
    }

    /// Adds a file behind the tables added before. Says what in it has no price per token.
    ///
    /// # Errors
    /// As [`Prices::with_file`].
    pub fn add_file(&mut self, path: &Path, source: Source) -> Result<Skipped, PriceError> {
        let name = path.display().to_string();
        let read = file::read(path)?;
        let skipped = read.skipped.clone();
        self.add(read, Some(&name), source);
        Ok(skipped)
    }

    /// Adds prices of the command line behind the tables added before.
    pub fn add_given(&mut self, given: &[Given]) {
        if given.is_empty() {
            return;
        }
        let models = given.iter().map(|g| (g.model.clone(), g.plan.clone()));
        let read = file::Read {
            models: models.collect(),
            ..file::Read::default()
        };
        self.add(read, None, Source::Flag);
    }

    /// Adds the prices of a configuration file behind the tables added before.
    ///
    /// # Errors
    /// When it names a price file that cannot be used.
    pub fn add_config(&mut self, config: &Config) -> Result<(), PriceError> {
        if !config.models.is_empty() {
            let read = file::Read {
                models: config.models.clone(),
                as_of: config.as_of,
                ..file::Read::default()
            };
            self.add(read, Some(&config.name), Source::Config);
        }
        if let Some(path) = &config.file {
            self.add_file(path, Source::Config)?;
        }
        Ok(())
    }

    fn add(&mut self, read: file::Read, path: Option<&str>, source: Source) {
        let vintage = Vintage {
            source,
            path: path.map(str::to_owned),
            form: read.form,
            version: read.version,
            as_of: read.as_of,
            models: read.models.len(),
        };
        let models = read.models;
        self.layers.push(Layer { vintage, models });
    }

    /// The tables in the order in which they are asked.
    #[must_use]
    pub fn vintages(&self) -> Vec<Vintage> {
        let own = self.layers.iter().map(|layer| layer.vintage.clone());
        own.chain(listing::builtin()).collect()
    }

    /// The cost of one call at the standard rate; `None` when the model is not known.
    #[must_use]
    pub fn cost(&self, provider: &str, model: &str, at: Nanos, usage: Usage) -> Option<Usd> {
        self.find(provider, &[model])?
            .cost(Terms::standard(at), usage)
    }

    /// The price list of a model by the names it goes by, best first (the model that answered,
    /// then the one asked for). The user's tables win under any of the names.
    #[must_use]
    pub fn find(&self, provider: &str, names: &[&str]) -> Option<Tariff<'_>> {
        let vendor = Vendor::new(provider);
        let names: Vec<String> = names
            .iter()
            .map(|name| name.trim().to_lowercase())
            .filter(|name| !name.is_empty())
            .collect();
        let mut layers = self.layers.iter();
        layers
            .find_map(|layer| names.iter().find_map(|name| layer.find(&vendor.name, name)))
            .or_else(|| names.iter().find_map(|name| listed(&vendor, name)))
            .or_else(|| {
                let mut plain = names.iter().filter_map(|name| regionless(name));
                plain.find_map(|name| listed(&vendor, name))
            })
    }
}

impl Layer {
    fn find(&self, provider: &str, name: &str) -> Option<Tariff<'_>> {
        let tariff = |key: &str| {
            let (model, plan) = self.models.get_key_value(key)?;
            Some(Tariff {
                schedule: Schedule::Own(plan),
                model,
                source: self.vintage.source,
                provider_assumed: false,
            })
        };
        let any = |name: &str| {
            tariff(&format!("{provider}/{name}")).or_else(|| suffixes(name).find_map(tariff))
        };
        any(name)
            .or_else(|| any(undated(name)?))
            .or_else(|| any(regionless(name)?))
    }
}

#[cfg(test)]
mod tests;
