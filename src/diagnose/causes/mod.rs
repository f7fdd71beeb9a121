//! One file per cause, each charging what it can prove. The order below is the order in which they
//! look at a request: what is surest takes its time out of the account before what is inferred from
//! the rest.

mod failed_attempts;
mod long_generation;
mod lost_call;
mod orchestration_gap;
mod prompt;
mod repeated_tools;
mod residual;
mod shares;
mod tool_bottleneck;
mod unexplained;
mod unshown_cache;

use super::account::Account;
use super::scene::Scene;

/// A cause's look at one request.
pub(super) type Look = fn(&Scene<'_>, u32, &mut Account);

/// In order.
pub(super) const LOOKS: [Look; 9] = [
    failed_attempts::look,   // retry_cascade, provider_error
    repeated_tools::look,    // retry_cascade
    tool_bottleneck::look,   // tool_bottleneck
    orchestration_gap::look, // orchestration_gap: gaps
    prompt::look,            // prefill_surge, cold_cache: pure price
    long_generation::look,   // long_generation
    unshown_cache::look,     // cold_cache: told by time alone
    residual::look,          // routing_change, orchestration_gap, retry_cascade, noisy_neighbour
    unexplained::look,       // what is left
];
