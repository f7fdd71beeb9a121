//! Which panics are findings.

use std::panic;

/// Ends the process at panics of agentdiag itself. Those of the Parquet library are caught where it is
/// called; the engine's own hook would end the process before that.
pub fn own_panics() {
    panic::set_hook(Box::new(|info| {
        if !agentdiag::ingest::contains_panics() {
            eprintln!("{info}");
            std::process::abort();
        }
    }));
}
