//! agentdiag: offline trace analysis and diagnosis of LLM agents.
//!
//! The modules follow the data:
//!
//! ```text
//! files -> ingest -> dialect -> model -> trace -> baseline -> diagnose -> report -> render
//!          bytes     meaning    spans    trees    normal      causes      one value  text, JSON
//! ```
//!
//! `ingest` knows encodings and nothing about language models; `dialect` knows vocabularies and
//! nothing about bytes. Before [`model::Dataset`] all is reading; the middle is pure functions of
//! data and options. Nothing is lost silently ([`model::Ledger`]) and absent is never zero.

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
pub mod report;

pub mod render;

pub mod commands;

pub mod cli;
