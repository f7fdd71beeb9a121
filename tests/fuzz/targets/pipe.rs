//! The whole pipe, from telling the format to the pages.
#![no_main]

use agentdiag_fuzz::{entry, hook};

fn init() {
    hook::own_panics();
    hook::one_thread();
}

libfuzzer_sys::fuzz_target!(init: init(), |bytes: &[u8]| entry::run("pipe", bytes));
