//! A user's price file, in either of two forms; errors say where and what was expected.

use std::collections::BTreeMap;
use std::path::Path;

use hashbrown::HashMap;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::litellm;
use super::rates::{Rates, Tier, femto};

/// Why a price file was refused.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// It could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It does not say what a price file says.
    #[error("{path}:{line}:{column}: {message}")]
    Parse {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found and what was expected.
        message: String,
    },
    /// It is JSON of neither form.
    #[error(
        "{path}: no prices in it; expected {{\"unit\": \"per 1M tokens\", \"models\": {{NAME: {{\"input\": 2.5, \
         \"cached_input\": 1.25, \"output\": 10}}}}}} or LiteLLM's table {{NAME: {{\"input_cost_per_token\": \
         2.5e-6, \"output_cost_per_token\": 1e-5}}}}"
    )]
    Empty {
        /// The file.
        path: String,
    },
}

pub(super) type Table = HashMap<String, Vec<Tier>>;

pub(super) fn read(path: &Path) -> Result<Table, PriceError> {
    let name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => parse(&name, &bytes),
        Err(source) => Err(PriceError::Read { path: name, source }),
    }
}

pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Table, PriceError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let form: Form = typed(name, bytes)?;
    let table = if form.simple() {
        typed::<Simple>(name, bytes)?.table()
    } else {
        litellm::table(typed(name, bytes)?)
    };
    if table.is_empty() {
        return Err(PriceError::Empty { path: name.into() });
    }
    Ok(table)
}

fn typed<'a, T: Deserialize<'a>>(name: &str, bytes: &'a [u8]) -> Result<T, PriceError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        PriceError::Parse {
            path: name.into(),
            line: error.line(),
            column: error.column(),
            message: text.strip_suffix(&place).unwrap_or(&text).to_owned(),
        }
    })
}

/// A look at the top level, to tell the forms apart.
#[derive(Deserialize)]
#[serde(expecting = "an object of prices")]
struct Form {
    unit: Option<IgnoredAny>,
    currency: Option<IgnoredAny>,
    models: Option<IgnoredAny>,
}

impl Form {
    fn simple(&self) -> bool {
        self.unit.is_some() || self.currency.is_some() || self.models.is_some()
    }
}

/// `{"unit": "per 1M tokens", "models": {NAME: {"input": …, "output": …}}}`
#[derive(Deserialize)]
struct Simple {
    #[serde(default)]
    unit: Unit,
    #[serde(default)]
    #[expect(dead_code, reason = "read to refuse other currencies")]
    currency: Currency,
    models: BTreeMap<String, Listed>,
}

#[derive(Deserialize, Default, Clone, Copy)]
enum Unit {
    #[default]
    #[serde(rename = "per 1M tokens", alias = "per million tokens")]
    Million,
    #[serde(rename = "per 1K tokens")]
    Thousand,
    #[serde(rename = "per token")]
    One,
}

#[derive(Deserialize, Default)]
enum Currency {
    #[default]
    #[serde(rename = "USD")]
    Usd,
}

#[derive(Deserialize)]
#[serde(expecting = "prices of a model: {\"input\", \"cached_input\", \"output\"}")]
struct Listed {
    input: Price,
    output: Price,
    cached_input: Option<Price>,
    cache_write: Option<Price>,
    reasoning: Option<Price>,
}

impl Simple {
    fn table(self) -> Table {
        let per = match self.unit {
            Unit::Million => 1e6,
            Unit::Thousand => 1e3,
            Unit::One => 1.0,
        };
        let each = |price: Price| femto(price.0, per);
        let rates = |listed: Listed| {
            Some(Rates {
                input: each(listed.input)?,
                output: each(listed.output),
                cache_read: listed.cached_input.and_then(each),
                cache_write: listed.cache_write.and_then(each),
                cache_write_1h: None,
                reasoning: listed.reasoning.and_then(each),
                request: 0,
            })
        };
        let models = self.models.into_iter();
        models
            .filter_map(|(name, listed)| {
                let rates = rates(listed)?;
                Some((name.trim().to_lowercase(), vec![Tier { above: 0, rates }]))
            })
            .collect()
    }
}

/// Dollars: a number, finite and not negative.
#[derive(Clone, Copy)]
pub(super) struct Price(pub(super) f64);

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        if (0.0..1e9).contains(&dollars) {
            Ok(Self(dollars))
        } else {
            Err(D::Error::custom(format!(
                "expected a price in US dollars, zero or more, and found {dollars}"
            )))
        }
    }
}
