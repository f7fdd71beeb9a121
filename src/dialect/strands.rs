//! Strands Agents: GenAI keys, known by its provider name where its scope is the service's name.

use super::vocabulary::{Dialect, Pattern, Trust, unused};

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "strands",
    gives: "roles, tokens, cycles, first-token times in milliseconds",
    loses: "a trustworthy sum on the agent: it adds up over the agent's life",
    trust: Trust::Vendor,
    scopes: &[Pattern::Starts("strands")],
    keys: &[
        unused("event_loop.cycle_id"),
        unused("event_loop.parent_cycle_id"),
    ],
    unused: &["event_loop.", "gen_ai.agent.tools"],
    ..Dialect::SILENT
};
