//! Which panics are findings, and where work is done.

use std::panic;

/// Ends the process at panics of agentdiag itself. Those of the Parquet and Arrow libraries are caught where
/// they are called; the engine's own hook would end the process before that.
pub fn own_panics() {
    panic::set_hook(Box::new(|info| {
        if !agentdiag::error::contains_panics() {
            eprintln!("{info}");
            std::process::abort();
        }
    }));
}

/// Has rayon's work done on the thread at hand: handing it over takes longer than doing it.
///
/// # Panics
/// When work was done before.
pub fn one_thread() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    let pool = pool.use_current_thread().build_global();
    pool.expect("no work was done yet");
}
