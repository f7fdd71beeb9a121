//! Tables of prices in a file: this program's own form and those of four public tables, told apart by
//! their content. Errors say where, and what was expected.

mod genai;
mod litellm;
mod models_dev;
mod node;
mod openrouter;
mod own;

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub(super) use node::{Listed, Node};
use own::Document;
pub(super) use own::{SCHEMA, plans};

use super::plan::Plan;
use crate::units::human::in_words;

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
    /// It is JSON of none of the forms.
    #[error(
        "{path}:1:1: no prices in it; expected {{\"unit\": \"per 1M tokens\", \"models\": {{NAME: {{\"input\": 2.5, \
         \"cached_input\": 1.25, \"output\": 10}}}}}}, or the table of LiteLLM, genai-prices, models.dev or OpenRouter"
    )]
    Empty {
        /// The file.
        path: String,
    },
}

/// Entries of a table that were left out, by reason.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Skipped(pub BTreeMap<&'static str, u64>);

impl Skipped {
    pub(super) fn count(&mut self, reason: &'static str) {
        *self.0.entry(reason).or_default() += 1;
    }
}

/// What a file holds.
#[derive(Clone, Debug)]
pub(super) struct Read {
    /// By name in lower case, with and without provider.
    pub(super) models: BTreeMap<String, Plan>,
    pub(super) form: &'static str,
    pub(super) version: Option<String>,
    pub(super) as_of: Option<i32>,
    pub(super) skipped: Skipped,
}

impl Default for Read {
    fn default() -> Self {
        Self {
            models: BTreeMap::new(),
            form: "agentdiag",
            version: None,
            as_of: None,
            skipped: Skipped::default(),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<Read, PriceError> {
    let name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => parse(&name, &bytes),
        Err(source) => Err(PriceError::Read { path: name, source }),
    }
}

pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Read, PriceError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let look: Value = typed(name, bytes)?;
    let read = match Form::of(&look) {
        Form::Own => typed::<Document>(name, bytes)?.read(),
        Form::GenaiPrices => genai::read(typed(name, bytes)?),
        Form::ModelsDev => models_dev::read(typed(name, bytes)?),
        Form::OpenRouter => openrouter::read(typed(name, bytes)?),
        Form::LiteLlm => litellm::read(typed(name, bytes)?),
    };
    if read.models.is_empty() {
        return Err(PriceError::Empty { path: name.into() });
    }
    Ok(read)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Own,
    GenaiPrices,
    ModelsDev,
    OpenRouter,
    LiteLlm,
}

impl Form {
    fn of(look: &Value) -> Self {
        let has = |key: &str| look.get(key).is_some();
        if look.is_array() {
            Self::GenaiPrices
        } else if look.get("data").is_some_and(Value::is_array) {
            Self::OpenRouter
        } else if look.get("providers").is_some_and(Value::is_object) {
            Self::ModelsDev
        } else if ["unit", "currency", "models", "schema"]
            .into_iter()
            .any(has)
        {
            Self::Own
        } else if Self::holds_providers(look) {
            Self::ModelsDev
        } else {
            Self::LiteLlm
        }
    }

    /// models.dev lists models under providers.
    fn holds_providers(look: &Value) -> bool {
        let first = look.as_object().and_then(|all| all.values().next());
        first.is_some_and(|provider| provider.get("models").is_some_and(Value::is_object))
    }
}

fn typed<'a, T: Deserialize<'a>>(name: &str, bytes: &'a [u8]) -> Result<T, PriceError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        PriceError::Parse {
            path: name.into(),
            line: error.line(),
            column: error.column(),
            message: in_words(text.strip_suffix(&place).unwrap_or(&text)),
        }
    })
}

/// Puts the models of many providers under `provider/model`, and under `model` alone where all that
/// list it agree: which of several prices is meant cannot be told from a bare name.
fn under_providers(
    entries: impl IntoIterator<Item = (String, String, Plan)>,
) -> BTreeMap<String, Plan> {
    let mut models = BTreeMap::new();
    let mut bare: BTreeMap<String, Option<Plan>> = BTreeMap::new();
    for (provider, model, plan) in entries {
        let provider = super::lookup::canonical(&provider);
        let model = model.trim().to_lowercase();
        bare.entry(model.clone())
            .and_modify(|known| {
                if known.as_ref() != Some(&plan) {
                    *known = None;
                }
            })
            .or_insert_with(|| Some(plan.clone()));
        models.insert(format!("{provider}/{model}"), plan);
    }
    for (model, plan) in bare {
        if let Some(plan) = plan {
            models.entry(model).or_insert(plan);
        }
    }
    models
}

/// Dollars: a number, finite and not negative.
#[derive(Clone, Copy, PartialEq, Debug)]
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

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}
