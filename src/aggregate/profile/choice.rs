//! Which tools an agent chose: counts that merge, with the sums that a test needs to know how much
//! choices vary between requests (one request that calls a tool ten times is not ten choices).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aggregate::cost::{agent_of, ops};
use crate::aggregate::latency::tool_name;
use crate::model::{Dataset, Digest};
use crate::trace::{Forest, Request, StepKind};

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
    pub(super) fn add(&mut self, tools: &BTreeMap<&str, u64>) {
        let calls: u64 = tools.values().sum();
        self.requests += 1;
        self.calls += calls;
        self.squares += calls * calls;
        for (tool, count) in tools {
            let own = self.tools.entry((*tool).to_owned()).or_default();
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

/// The tools a request chose, by agent. The same tool with the same arguments is chosen once: to repeat
/// a call is a retry and not another choice.
pub(super) fn chosen<'a>(
    data: &'a Dataset,
    forest: &Forest,
    request: &Request,
) -> BTreeMap<&'a str, BTreeMap<&'a str, u64>> {
    let mut chosen: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    let mut asked: Vec<(&str, Digest)> = Vec::new();
    for op in ops(forest, request) {
        let span = data.spans.get(op.span as usize);
        let Some(span) = span.filter(|s| op.kind == StepKind::Tool && s.op.is_tool()) else {
            continue;
        };
        let tool = tool_name(data, op);
        if let Some(arguments) = data.tool_of(span).and_then(|call| call.arguments) {
            if asked.contains(&(tool, arguments)) {
                continue;
            }
            asked.push((tool, arguments));
        }
        let agent = data.text(agent_of(forest, request, op));
        *chosen.entry(agent).or_default().entry(tool).or_default() += 1;
    }
    chosen
}
