//! Files besides the dump: prices, baselines, alert rules.
#![no_main]

use agentdiag_fuzz::entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::run("config", bytes));
