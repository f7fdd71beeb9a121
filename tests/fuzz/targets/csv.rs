//! CSV tables of spans.
#![no_main]

use agentdiag_fuzz::entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::run("csv", bytes));
