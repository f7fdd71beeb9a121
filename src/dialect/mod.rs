//! From records to meaning: what each vocabulary calls things, and one model for all of them.
//!
//! A dialect is data (`vocabulary`): its scopes, its keys, its role names. All dialects apply to
//! every span in order of trust, each filling only what is still empty; the role is decided first.
//! Adding one takes a file and a line in `DIALECTS`.

mod anthropic_sdk;
mod blob;
mod calls;
mod claude_code;
mod crewai;
mod fault;
mod field;
mod general;
mod generic;
mod google_adk;
mod haystack;
mod http;
mod keys;
mod langfuse;
mod langsmith;
mod litellm;
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
mod timing;
mod tokens;
mod vercel_ai;
mod vocabulary;

pub use normalizer::Normalizer;
pub use series::merge_series;

use vocabulary::Dialect;

/// Every dialect. A scope that several could own goes to the first; general conventions stand last.
static DIALECTS: [&Dialect; 22] = [
    &serving::DIALECT,
    &seed_agent::DIALECT,
    &vercel_ai::DIALECT,
    &langfuse::DIALECT,
    &langsmith::DIALECT,
    &pydantic_ai::DIALECT,
    &openai_agents::DIALECT,
    &google_adk::DIALECT,
    &anthropic_sdk::DIALECT,
    &claude_code::DIALECT,
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

/// The dialects' names, as reports list them.
pub fn dialect_names() -> impl Iterator<Item = &'static str> {
    DIALECTS.iter().map(|dialect| dialect.name)
}
