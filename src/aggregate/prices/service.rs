//! Classes of service that providers sell at other prices than the standard one.

/// A class of service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Service {
    /// The standard class, and whatever a call does not say.
    #[default]
    Standard,
    /// Asynchronous batches.
    Batch,
    /// Cheaper and slower, when there is room.
    Flex,
    /// Dearer and ahead of others.
    Priority,
    /// Dearer and faster.
    Fast,
}

impl Service {
    /// Every class with prices of its own.
    pub(super) const SPECIAL: [Self; 4] = [Self::Batch, Self::Flex, Self::Priority, Self::Fast];

    /// The class behind a `service_tier` as providers write it; unknown words are standard.
    #[must_use]
    pub fn of_tier(tier: &str) -> Self {
        let said = |word: &str| tier.trim().eq_ignore_ascii_case(word);
        let of = |service: &&Self| said(service.label());
        match Self::SPECIAL.iter().find(of) {
            Some(service) => *service,
            None if said("batches") => Self::Batch,
            None => Self::Standard,
        }
    }

    /// The class as one lower-case word.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Fast => "fast",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_providers_name_classes() {
        for service in Service::SPECIAL {
            assert_eq!(Service::of_tier(service.label()), service);
        }
        assert_eq!(Service::of_tier(" Batch "), Service::Batch);
        for standard in ["", "default", "auto", "standard", "scale"] {
            assert_eq!(Service::of_tier(standard), Service::Standard);
        }
    }
}
