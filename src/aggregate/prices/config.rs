//! Prices in the configuration file: the table `[prices]` of `agentdiag.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::file::{Listed, PriceError, plans};
use super::plan::Plan;
use super::vintage;

/// What a configuration file says of prices.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file, as it is named in errors.
    pub(super) name: String,
    /// A price file, found from where the configuration lies.
    pub(super) file: Option<PathBuf>,
    pub(super) as_of: Option<i32>,
    pub(super) models: BTreeMap<String, Plan>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    prices: Section,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Section {
    file: Option<PathBuf>,
    as_of: Option<String>,
    models: BTreeMap<String, Listed>,
}

impl Config {
    /// Reads a configuration file; all but its `[prices]` is left to others.
    ///
    /// # Errors
    /// When it cannot be read, or says something else: with line and column.
    pub fn read(path: &Path) -> Result<Self, PriceError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| PriceError::Read {
            path: name.clone(),
            source,
        })?;
        let mut config = Self::parse(&name, &text)?;
        if let (Some(file), Some(folder)) = (&mut config.file, path.parent()) {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// Reads the text of a configuration file called `name`.
    ///
    /// # Errors
    /// When it says something else: with line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, PriceError> {
        let document: Document = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let (line, column) = place(text, at);
            PriceError::Parse {
                path: name.to_owned(),
                line,
                column,
                message: error.message().to_owned(),
            }
        })?;
        let prices = document.prices;
        Ok(Self {
            name: name.to_owned(),
            file: prices.file,
            as_of: prices.as_of.as_deref().and_then(vintage::parse_day),
            models: plans(prices.models),
        })
    }
}

/// Line and column, from 1, of a byte.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::super::{Prices, Source, Usage};
    use super::*;
    use crate::units::{Nanos, Usd};

    #[test]
    fn prices_of_the_configuration_go_before_the_tables() {
        let text = "[[budget]]\nname = \"x\"\n[prices]\nas_of = \"2026-05-01\"\n[prices.models.\"gpt-4o\"]\ninput = 1\noutput = 2\n";
        let config = Config::parse("agentdiag.toml", text).unwrap();
        let mut prices = Prices::builtin();
        prices.add_config(&config).unwrap();
        let usage = Usage {
            input: 1_000_000,
            ..Usage::default()
        };
        assert_eq!(
            prices.cost("openai", "gpt-4o", Nanos::ZERO, usage),
            Some(Usd(1_000_000_000))
        );
        assert_eq!(prices.vintages()[0].source, Source::Config);
    }

    #[test]
    fn errors_name_line_and_column() {
        let error = Config::parse(
            "a.toml",
            "[prices]\n\n[prices.models.m]\ninput = \"x\"\noutput = 1\n",
        )
        .unwrap_err();
        assert!(error.to_string().starts_with("a.toml:4:"), "{error}");
        let error = Config::parse("a.toml", "[prices]\nfiles = 1\n").unwrap_err();
        assert!(
            error.to_string().contains("unknown field `files`"),
            "{error}"
        );
    }
}
