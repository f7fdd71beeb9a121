//! Where the time of a request went: every nanosecond of it in exactly one part.

use crate::units::Nanos;

/// One kind of time on the critical path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Part {
    /// See [`Parts::queue`].
    Queue,
    /// See [`Parts::prefill`].
    Prefill,
    /// See [`Parts::decode`].
    Decode,
    /// See [`Parts::model_unsplit`].
    ModelUnsplit,
    /// See [`Parts::tool`].
    Tool,
    /// See [`Parts::retrieval`].
    Retrieval,
    /// See [`Parts::failed_attempts`].
    FailedAttempts,
    /// See [`Parts::retry_wait`].
    RetryWait,
    /// See [`Parts::gap`].
    Gap,
    /// See [`Parts::other`].
    Other,
}

impl Part {
    /// Every part, in the order shown everywhere.
    pub const ALL: [Self; 10] = [
        Self::Queue,
        Self::Prefill,
        Self::Decode,
        Self::ModelUnsplit,
        Self::Tool,
        Self::Retrieval,
        Self::FailedAttempts,
        Self::RetryWait,
        Self::Gap,
        Self::Other,
    ];

    /// What it is time of.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Queue => "waiting for a slot on the server",
            Self::Prefill => "prompt processing, or time to first token",
            Self::Decode => "token generation",
            Self::ModelUnsplit => "model time nothing splits",
            Self::Tool => "tools",
            Self::Retrieval => "retrieval and embedding",
            Self::FailedAttempts => "model attempts that failed",
            Self::RetryWait => "waits between attempts",
            Self::Gap => "the agent between its calls",
            Self::Other => "anything else; the ten parts sum to the duration",
        }
    }

    /// The name, as everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Prefill => "prefill",
            Self::Decode => "decode",
            Self::ModelUnsplit => "model_unsplit",
            Self::Tool => "tool",
            Self::Retrieval => "retrieval",
            Self::FailedAttempts => "failed_attempts",
            Self::RetryWait => "retry_wait",
            Self::Gap => "gap",
            Self::Other => "other",
        }
    }
}

/// The partition of a request's wall time along its critical path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
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
    /// Gives `time` to `part`.
    pub fn add(&mut self, part: Part, time: Nanos) {
        let sum = match part {
            Part::Queue => &mut self.queue,
            Part::Prefill => &mut self.prefill,
            Part::Decode => &mut self.decode,
            Part::ModelUnsplit => &mut self.model_unsplit,
            Part::Tool => &mut self.tool,
            Part::Retrieval => &mut self.retrieval,
            Part::FailedAttempts => &mut self.failed_attempts,
            Part::RetryWait => &mut self.retry_wait,
            Part::Gap => &mut self.gap,
            Part::Other => &mut self.other,
        };
        *sum += time;
    }

    /// The time given to `part`.
    #[must_use]
    pub fn of(&self, part: Part) -> Nanos {
        match part {
            Part::Queue => self.queue,
            Part::Prefill => self.prefill,
            Part::Decode => self.decode,
            Part::ModelUnsplit => self.model_unsplit,
            Part::Tool => self.tool,
            Part::Retrieval => self.retrieval,
            Part::FailedAttempts => self.failed_attempts,
            Part::RetryWait => self.retry_wait,
            Part::Gap => self.gap,
            Part::Other => self.other,
        }
    }

    /// Names and values, in the order shown everywhere.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Nanos); 10] {
        Part::ALL.map(|part| (part.name(), self.of(part)))
    }

    /// The sum of all parts.
    #[must_use]
    pub fn total(&self) -> Nanos {
        self.named().into_iter().map(|(_, value)| value).sum()
    }
}
