//! Which tools an agent chose (or models, or anything else that is one of several): counts that merge, with the sums
//! that a test needs to know how much choices vary between requests (one request that calls a tool ten times is not ten choices).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Tools chosen by one agent in one kind of task: the sums over requests r with at least one choice,
/// with n_r the choices of r and n_rj those of tool j.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// Requests with a choice.
    pub requests: u64,
    /// Σ n_r.
    pub calls: u64,
    /// Σ n_r².
    pub squares: u64,
    /// By tool.
    pub tools: BTreeMap<String, ToolChoice>,
}

/// One tool among the choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolChoice {
    /// Σ n_rj.
    pub calls: u64,
    /// Σ n_rj².
    pub squares: u64,
    /// Σ n_rj · n_r.
    pub cross: u64,
}

impl Choices {
    pub(super) fn add(&mut self, tools: &[(Cow<'_, str>, u64)]) {
        let calls: u64 = tools.iter().map(|(_, count)| count).sum();
        self.requests += 1;
        self.calls += calls;
        self.squares += calls * calls;
        for (tool, count) in tools {
            let own = self.tools.entry(tool.clone().into_owned()).or_default();
            own.calls += count;
            own.squares += count * count;
            own.cross += count * calls;
        }
    }

    /// Takes in other choices.
    pub fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.calls = self.calls.saturating_add(other.calls);
        self.squares = self.squares.saturating_add(other.squares);
        for (tool, theirs) in &other.tools {
            let own = self.tools.entry(tool.clone()).or_default();
            own.calls = own.calls.saturating_add(theirs.calls);
            own.squares = own.squares.saturating_add(theirs.squares);
            own.cross = own.cross.saturating_add(theirs.cross);
        }
    }
}
