//! Kubernetes events, as JSON and as a table.
#![no_main]

use agentdiag_fuzz::entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::run("k8s", bytes));
