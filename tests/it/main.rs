//! The one integration binary: linking is what costs.

mod cli;
mod dialects;
mod ingest;
mod layers;
mod man;
mod readme;
mod render;
mod sample;
