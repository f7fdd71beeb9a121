//! All prices of a set of tables, for showing and writing them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::file::{Node, SCHEMA};
use super::plan::{Plan, Special};
use super::rates::Tier;
use super::table::{self, Extra, Model, When};
use super::vintage::{GENAI_PRICES, LITELLM, Source, Vintage};
use super::{Layer, Prices};

/// One model and what it costs.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name in its table: `provider/model`, or as the user wrote it.
    pub name: String,
    /// Table it stands in.
    pub source: Source,
    /// Its price list.
    pub plan: Plan,
}

/// A price list as it is written to a file: dollars per million tokens.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    schema: &'static str,
    currency: &'static str,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    models: BTreeMap<String, Node>,
}

/// What is known of the built-in tables.
pub(super) fn builtin() -> [Vintage; 2] {
    let vintage = |source, (version, as_of): (&str, i32), models| Vintage {
        source,
        path: None,
        form: "built-in",
        version: Some(version.to_owned()),
        as_of: Some(as_of),
        models,
    };
    let listed = table::PROVIDERS.iter().map(|p| p.models.len()).sum();
    [
        vintage(Source::GenaiPrices, GENAI_PRICES, listed),
        vintage(Source::LiteLlm, LITELLM, table::EXTRA.len()),
    ]
}

impl Prices {
    /// Every model with a price, by name; a name stands once per table.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.layers.iter().flat_map(of_layer).collect();
        for provider in table::PROVIDERS {
            let models = provider.models.iter();
            entries.extend(models.map(|model| of_model(provider.id, model)));
        }
        entries.extend(table::EXTRA.iter().map(of_extra));
        entries.retain(|entry| !entry.plan.is_empty());
        entries.sort_by(|a, b| (&a.name, a.source).cmp(&(&b.name, b.source)));
        entries
    }

    /// The models of the user's tables alone, by name.
    #[must_use]
    pub fn own_entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.layers.iter().flat_map(of_layer).collect();
        entries.sort_by(|a, b| (&a.name, a.source).cmp(&(&b.name, b.source)));
        entries
    }

    /// `entries` as a price file of this program's own form.
    #[must_use]
    pub fn written(&self, entries: &[Entry]) -> Written {
        let vintages = self.vintages();
        let own = vintages
            .first()
            .filter(|v| !self.layers.is_empty() && v.path.is_some());
        Written {
            schema: SCHEMA,
            currency: "USD",
            unit: "per 1M tokens",
            source: own.map(|v| v.form.to_owned()),
            version: own.and_then(|v| v.version.clone()),
            as_of: own.and_then(Vintage::day),
            models: entries
                .iter()
                .map(|e| (e.name.clone(), Node::from(&e.plan)))
                .collect(),
        }
    }
}

fn of_layer(layer: &Layer) -> impl Iterator<Item = Entry> {
    layer.models.iter().map(|(name, plan)| Entry {
        name: name.clone(),
        source: layer.vintage.source,
        plan: plan.clone(),
    })
}

fn of_model(provider: &str, model: &'static Model) -> Entry {
    let dated = model.prices.iter().map(|d| (d.when, d.tiers.to_vec()));
    let special = model.variants.iter().map(|v| Special {
        service: v.service,
        from: v.from,
        tiers: v.tiers.to_vec(),
    });
    Entry {
        name: format!("{provider}/{}", model.id),
        source: Source::GenaiPrices,
        plan: Plan {
            dated: dated.collect(),
            special: special.collect(),
            machine: None,
        },
    }
}

fn of_extra(extra: &'static Extra) -> Entry {
    Entry {
        name: format!("{}/{}", extra.provider, extra.model),
        source: Source::LiteLlm,
        plan: Plan::flat(extra.tiers.to_vec()),
    }
}

impl Entry {
    /// What else the price depends on, or what it is of.
    #[must_use]
    pub fn remark(&self) -> String {
        if let Some(machine) = self.plan.machine {
            let hour = machine.gpu_hour.as_dollars();
            return format!("{hour} per GPU hour, {} GPUs", machine.gpus);
        }
        let dated = self.plan.dated.len() > 1;
        let mut services: Vec<&str> = self
            .plan
            .special
            .iter()
            .map(|s| s.service.label())
            .collect();
        services.dedup();
        let history = dated.then_some("history");
        history
            .into_iter()
            .chain(services)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Standard prices in force at a Unix second, lowest tier first: above how many input tokens, then
    /// dollars per million tokens of input, cached input, cache writes for five minutes and for an
    /// hour, and output.
    #[must_use]
    pub fn rates_at(&self, second: u64) -> Vec<(u64, [Option<f64>; 5])> {
        let found = table::in_force(&self.plan.dated, second, |(when, _): &(When, Vec<Tier>)| {
            *when
        });
        found.map_or_else(Vec::new, |(_, tiers)| rows(tiers))
    }
}

/// Above how many input tokens, then dollars per million tokens by kind.
pub(super) fn rows(tiers: &[Tier]) -> Vec<(u64, [Option<f64>; 5])> {
    let dollars = |femto: u64| femto as f64 / 1e9;
    let row = |tier: &Tier| {
        let rates = tier.rates;
        let all = [
            Some(rates.input),
            rates.cache_read,
            rates.cache_write,
            rates.cache_write_1h,
            rates.output,
        ];
        (tier.above, all.map(|price| price.map(dollars)))
    };
    tiers.iter().map(row).collect()
}
