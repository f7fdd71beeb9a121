//! Where prices come from: the same options for every subcommand that adds up costs.

use std::path::PathBuf;

use clap::Args;

use crate::commands::load;

/// Where prices come from.
#[derive(Debug, Args)]
pub struct Priced {
    /// Price of one model, before all others; may be repeated
    ///
    /// MODEL=INPUT/OUTPUT or MODEL=INPUT/CACHED/OUTPUT in US dollars per million tokens, or MODEL=PRICE/gpu-hour*GPUS for a
    /// model on one's own machine.
    #[arg(long, value_name = "MODEL=PRICE", help_heading = "Prices")]
    pub price: Vec<load::Given>,

    /// Prices that go before the configured and the built-in ones
    ///
    /// A JSON file: {"unit": "per 1M tokens", "models": {"NAME": {"input": 2.5, "cached_input": 1.25, "output": 10}}}, or the
    /// table of LiteLLM, genai-prices, models.dev or OpenRouter
    #[arg(long, value_name = "FILE", help_heading = "Prices")]
    pub prices: Option<PathBuf>,

    /// Configuration, instead of agentdiag.toml in the working directory if there is one
    #[arg(long, value_name = "FILE", help_heading = "Prices")]
    pub config: Option<PathBuf>,
}

impl Priced {
    /// `inputs` with the prices that were meant.
    #[must_use]
    pub fn options(&self, inputs: load::Inputs) -> load::Inputs {
        load::Inputs {
            given: self.price.clone(),
            prices: self.prices.clone(),
            config: self.config.clone(),
            ..inputs
        }
    }
}
