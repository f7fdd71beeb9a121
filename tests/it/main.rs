//! The one integration binary: linking is what costs.

mod ingest;
mod layers;
mod render;
mod sample;
