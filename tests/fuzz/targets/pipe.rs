//! The whole pipe, from telling the format to the pages.
#![no_main]

use agentdiag_fuzz::{entry, hook};

libfuzzer_sys::fuzz_target!(init: hook::own_panics(), |bytes: &[u8]| entry::run("pipe", bytes));
