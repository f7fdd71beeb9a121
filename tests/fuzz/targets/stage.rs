//! Rows that stages hand each other.
#![no_main]

use agentdiag_fuzz::{entry, hook};

libfuzzer_sys::fuzz_target!(init: hook::own_panics(), |bytes: &[u8]| entry::run("stage", bytes));
