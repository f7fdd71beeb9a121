//! Jaeger's API and documents.
#![no_main]

use agentdiag_fuzz::entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::run("jaeger", bytes));
