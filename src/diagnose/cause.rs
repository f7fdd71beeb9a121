//! The causes a verdict can name. One label is the same word in JSON, files, fixtures and pages.

/// Why a request was slow.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
pub enum Cause {
    /// More uncached prompt than this step normally has, at the normal price.
    PrefillSurge,
    /// Tokens that are normally cached and were not.
    ColdCache,
    /// Same work, higher price, because of other requests.
    NoisyNeighbour,
    /// A tool took longer than it usually does.
    ToolBottleneck,
    /// Failed attempts, back-off, repeated identical calls and the rounds they add.
    RetryCascade,
    /// Same work served from elsewhere.
    RoutingChange,
    /// More output than normal at the normal rate.
    LongGeneration,
    /// The agent process itself stood still.
    OrchestrationGap,
    /// Calls that hung and then failed.
    ProviderError,
    /// Slow, and the dump does not show why.
    Unexplained,
}

impl Cause {
    /// Every cause, in the order used wherever they are listed.
    pub const ALL: [Self; 10] = [
        Self::PrefillSurge,
        Self::ColdCache,
        Self::NoisyNeighbour,
        Self::ToolBottleneck,
        Self::RetryCascade,
        Self::RoutingChange,
        Self::LongGeneration,
        Self::OrchestrationGap,
        Self::ProviderError,
        Self::Unexplained,
    ];

    /// The stable label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::PrefillSurge => "prefill_surge",
            Self::ColdCache => "cold_cache",
            Self::NoisyNeighbour => "noisy_neighbour",
            Self::ToolBottleneck => "tool_bottleneck",
            Self::RetryCascade => "retry_cascade",
            Self::RoutingChange => "routing_change",
            Self::LongGeneration => "long_generation",
            Self::OrchestrationGap => "orchestration_gap",
            Self::ProviderError => "provider_error",
            Self::Unexplained => "unexplained",
        }
    }

    /// Position in [`Cause::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_and_in_order() {
        for (index, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause.index(), index);
        }
    }

    #[test]
    fn labels_are_as_published() {
        let labels = Cause::ALL.map(Cause::label);
        assert_eq!(
            labels.join(" "),
            "prefill_surge cold_cache noisy_neighbour tool_bottleneck retry_cascade routing_change \
             long_generation orchestration_gap provider_error unexplained"
        );
    }
}
