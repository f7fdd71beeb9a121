//! From records to meaning: what each vocabulary calls things, and one model for all of them.
//!
//! A dialect is data (`vocabulary`): its scopes, its keys, its role names. All dialects apply to
//! every span in order of trust, each filling only what is still empty; the role is decided first.
//! Adding one takes a file and a line in `DIALECTS`.

mod agentdiag;
mod anthropic_sdk;
mod autogen;
mod blob;
mod calls;
mod claude_code;
mod codex_cli;
mod crewai;
mod fault;
mod field;
mod gemini_cli;
mod general;
mod generic;
mod genkit;
mod google_adk;
mod haystack;
mod http;
mod keys;
mod langfuse;
mod langsmith;
mod litellm;
mod llama_index;
mod logged;
mod mcp;
mod mlflow;
mod names;
mod normalizer;
mod number;
mod openai_agents;
mod openinference;
mod openllmetry;
mod origin;
mod otel_genai;
mod pydantic_ai;
mod recent;
mod records;
mod role;
mod seed_agent;
mod series;
mod serving;
mod shell;
mod slots;
mod spring_ai;
mod strands;
#[cfg(test)]
mod tests;
mod timing;
mod tokens;
mod vercel_ai;
mod vocabulary;

pub use logged::{Signals, choose_signal};
pub use normalizer::Normalizer;
pub use series::merge_series;

use vocabulary::Dialect;

/// Every dialect. A scope that several could own goes to the first; general conventions stand last.
static DIALECTS: [&Dialect; 28] = [
    &serving::DIALECT,
    &agentdiag::DIALECT,
    &seed_agent::DIALECT,
    &vercel_ai::DIALECT,
    &langfuse::DIALECT,
    &langsmith::DIALECT,
    &pydantic_ai::DIALECT,
    &openai_agents::DIALECT,
    &google_adk::DIALECT,
    &anthropic_sdk::DIALECT,
    &claude_code::DIALECT,
    &codex_cli::DIALECT,
    &gemini_cli::DIALECT,
    &genkit::DIALECT,
    &autogen::DIALECT,
    &llama_index::DIALECT,
    &litellm::DIALECT,
    &mcp::DIALECT,
    &strands::DIALECT,
    &haystack::DIALECT,
    &crewai::DIALECT,
    &mlflow::DIALECT,
    &spring_ai::DIALECT,
    &openinference::DIALECT,
    &openllmetry::DIALECT,
    &otel_genai::DIALECT,
    &http::DIALECT,
    &general::DIALECT,
];

/// Place of [`serving`] in [`DIALECTS`]: its keys alone make a span the serving side.
const SERVING: u8 = 0;

/// A dialect as it is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name in reports.
    pub name: &'static str,
    /// What a diagnosis gets from it.
    pub gives: &'static str,
    /// What its emitters do not record; empty for general keys.
    pub loses: &'static str,
}

/// Every dialect.
pub fn dialects() -> impl Iterator<Item = Listed> {
    DIALECTS.iter().map(|dialect| Listed {
        name: dialect.name,
        gives: dialect.gives,
        loses: dialect.loses,
    })
}

/// The dialect of this name, if there is one.
#[must_use]
pub fn named(name: &str) -> Option<&'static str> {
    let mut known = DIALECTS.iter().map(|dialect| dialect.name);
    known.find(|known| *known == name)
}
