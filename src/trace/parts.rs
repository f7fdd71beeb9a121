//! Where the time of a request went: every nanosecond of it in exactly one part.

use crate::units::Nanos;

/// The partition of a request's wall time along its critical path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// Waiting for a slot on the server.
    pub queue: Nanos,
    /// Prompt processing, or time to first token where only that is known.
    pub prefill: Nanos,
    /// Token generation.
    pub decode: Nanos,
    /// Model time nothing splits.
    pub model_unsplit: Nanos,
    /// Tools.
    pub tool: Nanos,
    /// Retrieval and embedding.
    pub retrieval: Nanos,
    /// Model attempts that failed.
    pub failed_attempts: Nanos,
    /// Waits between attempts of one call.
    pub retry_wait: Nanos,
    /// The agent between its calls.
    pub gap: Nanos,
    /// Anything else on the path.
    pub other: Nanos,
}

impl Parts {
    /// Names and values, in the order shown everywhere.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Nanos); 10] {
        [
            ("queue", self.queue),
            ("prefill", self.prefill),
            ("decode", self.decode),
            ("model_unsplit", self.model_unsplit),
            ("tool", self.tool),
            ("retrieval", self.retrieval),
            ("failed_attempts", self.failed_attempts),
            ("retry_wait", self.retry_wait),
            ("gap", self.gap),
            ("other", self.other),
        ]
    }

    /// The sum of all parts.
    #[must_use]
    pub fn total(&self) -> Nanos {
        self.named().into_iter().map(|(_, value)| value).sum()
    }
}
