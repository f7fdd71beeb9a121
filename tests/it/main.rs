//! The one integration binary: linking is what costs.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on should say where"
)]

mod alerts;
mod baseline;
#[path = "../../benches"]
mod benches {
    /// The seeded generator.
    #[allow(dead_code)]
    pub(crate) mod data;
}
mod blinded;
mod budgets;
mod calibration;
mod certainty;
mod charts;
mod check;
mod cli;
mod company;
mod compare;
mod damage;
mod deep;
mod dialects;
mod drifted;
mod evidence;
mod explained;
mod export;
mod fuzzed;
mod gpu;
mod hostile_cli;
mod incidents;
mod ingest;
mod invariants;
mod layers;
mod lost_calls;
mod man;
mod markdown;
mod money;
mod odd;
mod otlp;
mod page;
mod pipeline;
mod privacy;
mod promtool;
mod readme;
mod render;
mod repairs;
mod sample;
mod slowdown;
mod spark;
mod stages;
mod supply;
mod trace;
mod whatif;
mod wide;
mod yardsticks;
