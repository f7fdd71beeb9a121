//! The one integration binary: linking is what costs.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

mod baseline;
mod cli;
mod deep;
mod dialects;
mod hostile_cli;
mod ingest;
mod invariants;
mod layers;
mod man;
mod otlp;
mod pipeline;
mod privacy;
mod readme;
mod render;
mod sample;
mod yardsticks;
