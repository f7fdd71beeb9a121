//! agentdiag: offline trace analysis and diagnosis of LLM agents.
//!
//! The modules follow the data, and a module uses only what stands before it (`tests/it/layers.rs`
//! holds them to that):
//!
//! ```text
//! files -> ingest -> dialect -> model -> trace -> baseline -> diagnose -+-> report -> render
//!          bytes     meaning    spans    trees    normal      causes    |   one value  text, JSON
//!                                          |                            |
//!                                          +-> aggregate: cost, drift --+
//!                                          +-> alerts: rules replayed --+
//!                                          +-> quantity: budget, compare+
//! ```
//!
//! Two kinds of knowledge are kept apart: [`ingest`] knows encodings and nothing about language
//! models; [`dialect`] knows vocabularies and nothing about bytes. Before [`model::Dataset`] all is
//! reading, after [`report::Report`] all is showing, and the middle is pure functions of data and
//! options: it reads no clock and no environment, and prints nothing.
//!
//! Nothing is lost silently: [`model::Ledger`] counts every record that was skipped, mended or
//! guessed, with a place. Absent is never zero: what a dump does not show is `None` to the end.
//!
//! A verdict is an entry in an account. [`trace`] gives every nanosecond of a request to exactly one
//! of its [`trace::Parts`]; [`baseline`] says what the request should have taken, from the
//! healthier part of the same dump; [`diagnose`] divides the difference among causes that can prove
//! their share, and what nobody can prove is `unexplained`. Whatever is learned over requests does
//! not depend on their order, so that the same input gives the same bytes on any number of threads.
//!
//! What was learned from a healthy period can be kept: [`saved`] is the file.
//!
//! [`stage`] cuts the same pipe into pieces that many machines run; what passes between them are rows.
//!
//! [`gpu`] stands aside: it records device metrics for [`ingest`] to read beside traces.
//!
//! [`commands`] wires the stages together; `main.rs` turns an [`error::Outcome`] into an exit code.

pub mod error;
pub mod units;

pub mod stats;

pub mod model;

pub mod ingest;

pub mod dialect;

pub mod trace;

pub mod baseline;

pub mod diagnose;

pub mod aggregate;

pub mod export;

pub mod gpu;

pub mod saved;

pub mod alerts;

pub mod quantity;

pub mod budget;

pub mod compare;

pub mod stage;

pub mod report;

pub mod render;

pub mod commands;

pub mod cli;
