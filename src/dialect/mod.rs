//! From records to meaning: what each vocabulary calls things, and one model for all of them.
//!
//! A dialect is data ([`vocabulary`]): its scopes, its keys, its role names. All dialects apply to
//! every span in order of trust, each filling only what is still empty; the role is decided first.
//! Adding one takes a file and a line in [`DIALECTS`].

mod blob;
mod calls;
mod fault;
mod field;
mod general;
mod generic;
mod http;
mod keys;
mod names;
mod normalizer;
mod openinference;
mod openllmetry;
mod origin;
mod otel_genai;
mod recent;
mod role;
mod seed_agent;
mod series;
mod serving;
mod slots;
mod timing;
mod tokens;
mod vocabulary;

pub use normalizer::Normalizer;
pub use series::merge_series;

use vocabulary::Dialect;

/// Every dialect. A scope that several could own goes to the first; general conventions stand last.
static DIALECTS: [&Dialect; 7] = [
    &serving::DIALECT,
    &seed_agent::DIALECT,
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
