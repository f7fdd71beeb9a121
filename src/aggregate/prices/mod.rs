//! What a model call costs: built-in list prices, a user's own file before them, and `None` for
//! whatever neither knows. Unknown is never free.

mod file;
mod rates;
mod table;

use std::path::Path;

use hashbrown::HashMap;

pub use file::PriceError;
use rates::Tier;
pub use rates::Usage;
use table::{Dated, Provider};

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

/// Serving software that runs on one's own machines: its calls have no list price.
const SELF_HOSTED: [&str; 9] = [
    "vllm",
    "sglang",
    "ollama",
    "tgi",
    "llama-cpp",
    "lmstudio",
    "lm-studio",
    "localai",
    "triton",
];

/// Provider names of the OpenTelemetry conventions and of LiteLLM that the tables spell otherwise.
const ALIASES: [(&str, &str); 17] = [
    ("aws-bedrock", "bedrock"),
    ("azure-ai-inference", "azure"),
    ("azure-ai-openai", "azure"),
    ("azure-openai", "azure"),
    ("azure-ai", "azure"),
    ("az-ai-openai", "azure"),
    ("az-ai-inference", "azure"),
    ("gcp-gemini", "gemini"),
    ("gcp-gen-ai", "google"),
    ("gcp-vertex-ai", "vertex-ai"),
    ("vertexai", "vertex-ai"),
    ("mistral-ai", "mistral"),
    ("xai", "x-ai"),
    ("moonshot-ai", "moonshotai"),
    ("togetherai", "together"),
    ("together-ai", "together"),
    ("fireworks-ai", "fireworks"),
];

/// Lower case, `_`, `.` and spaces as `-`, then the alias table.
fn canonical(provider: &str) -> String {
    let plain = provider.trim().to_lowercase().replace(['_', '.', ' '], "-");
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == plain)
        .map_or(plain, |(_, name)| (*name).to_owned())
}

/// A provider as a call names it.
struct Vendor {
    name: String,
    known: Option<&'static Provider>,
}

impl Vendor {
    fn new(provider: &str) -> Self {
        let name = canonical(provider);
        let known = table::provider_of_id(&provider.trim().to_lowercase())
            .or_else(|| (!name.is_empty()).then(|| table::provider(&name)).flatten());
        Self { name, known }
    }
}

fn listed(vendor: &Vendor, name: &str) -> Option<Tariff<'static>> {
    if SELF_HOSTED.contains(&vendor.name.as_str()) {
        return None;
    }
    if let Some(known) = vendor.known {
        return of_provider(known, &vendor.name, name);
    }
    if let Some(found) = extra(&vendor.name, name) {
        return Some(found);
    }
    let prefixed = name.split_once('/').and_then(|(prefix, rest)| {
        let vendor = Vendor::new(prefix);
        of_provider(vendor.known?, &vendor.name, rest)
    });
    let mut owned = suffixes(name).filter_map(|name| of_provider(table::owner(name)?, "", name));
    let found = prefixed
        .or_else(|| owned.next())
        .or_else(|| sole_extra(name));
    found.map(|tariff| Tariff {
        provider_assumed: true,
        ..tariff
    })
}

fn of_provider(known: &'static Provider, provider: &str, name: &str) -> Option<Tariff<'static>> {
    let mut models = suffixes(name).filter_map(|name| table::model(known, name));
    let found = models.next().map(|model| Tariff {
        schedule: Schedule::Dated(model.prices),
        model: model.id,
        source: Source::GenaiPrices,
        provider_assumed: false,
    });
    found.or_else(|| extra(provider, name))
}

/// An entry of the second table for this very provider.
fn extra(provider: &str, name: &str) -> Option<Tariff<'static>> {
    let same = |entry: &&table::Extra| canonical(entry.provider) == provider;
    suffixes(name)
        .find_map(|name| table::extras(name).iter().find(same))
        .map(of_extra)
}

/// The entry of the second table when only one provider, or one price, is listed for a model.
fn sole_extra(name: &str) -> Option<Tariff<'static>> {
    let (first, rest) = table::extras(name).split_first()?;
    rest.iter()
        .all(|other| other.tiers == first.tiers)
        .then(|| of_extra(first))
}

fn of_extra(entry: &'static table::Extra) -> Tariff<'static> {
    Tariff {
        schedule: Schedule::Fixed(entry.tiers),
        model: entry.model,
        source: Source::LiteLlm,
        provider_assumed: false,
    }
}

/// The name, then what is left of it after each `/`: routers and gateways put paths before models.
fn suffixes(name: &str) -> impl Iterator<Item = &str> {
    let tails = name.match_indices('/').map(|(at, _)| &name[at + 1..]);
    std::iter::once(name).chain(tails).filter(|s| !s.is_empty())
}

/// The name without a date or `latest` at its end: `-20250514`, `@20250514`, `-2024-08-06`.
fn undated(name: &str) -> Option<&str> {
    if let Some(plain) = name.strip_suffix("-latest") {
        return Some(plain);
    }
    ["-########", "@########", "-####-##-##"]
        .into_iter()
        .find_map(|shape| {
            let (head, tail) = name.split_at_checked(name.len().checked_sub(shape.len())?)?;
            let rule = table::Rule::Shape { shape, whole: true };
            (!head.is_empty() && rule.matches(tail)).then_some(head)
        })
}

#[cfg(test)]
mod tests;
