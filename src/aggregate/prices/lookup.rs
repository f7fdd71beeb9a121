//! Which price list a call belongs to, by the names of its provider and its model.

use super::table::{self, Provider};
use super::tariff::Schedule;
use super::{Source, Tariff};

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
const ALIASES: [(&str, &str); 20] = [
    ("amazon-bedrock", "bedrock"),
    ("google-vertex", "vertex-ai"),
    ("google-vertex-anthropic", "vertex-ai"),
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
pub(super) fn canonical(provider: &str) -> String {
    let plain = provider.trim().to_lowercase().replace(['_', '.', ' '], "-");
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == plain)
        .map_or(plain, |(_, name)| (*name).to_owned())
}

/// A provider as a call names it.
pub(super) struct Vendor {
    pub(super) name: String,
    known: Option<&'static Provider>,
}

impl Vendor {
    pub(super) fn new(provider: &str) -> Self {
        let name = canonical(provider);
        let known = table::provider_of_id(&provider.trim().to_lowercase())
            .or_else(|| (!name.is_empty()).then(|| table::provider(&name)).flatten());
        Self { name, known }
    }
}

/// The built-in price list of a model.
pub(super) fn listed(vendor: &Vendor, name: &str) -> Option<Tariff<'static>> {
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
    let found = models.next().map(|(model, own)| Tariff {
        schedule: Schedule::Listed { model, own },
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

pub(super) fn of_extra(entry: &'static table::Extra) -> Tariff<'static> {
    Tariff {
        schedule: Schedule::Flat(entry.tiers),
        model: entry.model,
        source: Source::LiteLlm,
        provider_assumed: false,
    }
}

/// The name, then what is left of it after each `/`: routers and gateways put paths before models.
pub(super) fn suffixes(name: &str) -> impl Iterator<Item = &str> {
    let tails = name.match_indices('/').map(|(at, _)| &name[at + 1..]);
    std::iter::once(name).chain(tails).filter(|s| !s.is_empty())
}

/// The name without a date or `latest` at its end: `-20250514`, `@20250514`, `-2024-08-06`.
pub(super) fn undated(name: &str) -> Option<&str> {
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

/// Where a name says in which part of the world its model runs, the name without it:
/// `eu.anthropic.claude-…`, `global.amazon.nova-…`.
pub(super) fn regionless(name: &str) -> Option<&str> {
    const PARTS: [&str; 10] = [
        "us", "eu", "apac", "ap", "au", "jp", "ca", "sa", "us-gov", "global",
    ];
    let last = name.rsplit('/').next()?;
    let (part, rest) = last.split_once('.')?;
    (PARTS.contains(&part) && !rest.is_empty()).then_some(rest)
}
