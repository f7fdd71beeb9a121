//! The verdict over one request, and incidents over many.

use super::{Cause, Claim, Outcome, Without};
use crate::units::{Nanos, Sym, Usd, Window};

/// The account of one request. `expected + excess = wall` where an expectation exists.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Diagnosis {
    /// Index into [`Forest::requests`](crate::trace::Forest::requests).
    pub request: u32,
    /// Time the request should have taken; `None` when the dump cannot tell (no calls, open root).
    pub expected: Option<Nanos>,
    /// Wall time less `expected`, never negative.
    pub excess: Nanos,
    /// Slow by the rule in force.
    pub slow: bool,
    /// The verdict, when slow.
    pub primary: Option<Cause>,
    /// 0..=1: how far ahead the verdict is and how good the signals are.
    pub confidence: f64,
    /// Entries of the account, largest first; they sum to `excess`. `Unexplained` is one of them.
    pub claims: Vec<Claim>,
    /// Causes that lost, and why. Kept for slow requests only.
    pub considered: Vec<Outcome>,
    /// Signals that would have decided or sharpened the verdict.
    #[serde(deserialize_with = "super::word::words")]
    pub missing: Vec<super::word::Word>,
}

/// One disturbance over many requests.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its cause.
    pub cause: Cause,
    /// What it concerned: a tool, an endpoint, a region, a model, a service. Absent when spread over several services.
    pub scope: Sym,
    /// Kind of the scope: `tool`, `endpoint`, `region`, `model`, `service`, or `all`.
    pub scope_kind: &'static str,
    /// When it most likely began.
    pub onset: Nanos,
    /// From the first to the last request touched.
    pub window: Window,
    /// Indices of the requests, in order of start.
    pub requests: Vec<u32>,
    /// Total time it cost.
    pub excess: Nanos,
    /// Total cost of the requests touched, where priced.
    pub cost: Option<Usd>,
    /// What would have been without it, where worked out.
    pub without: Option<Without>,
}
