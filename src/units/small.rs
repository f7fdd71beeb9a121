//! Counts and indices of which `Option` is no larger than the number.

use std::num::NonZeroU32;

/// A number below 2^32 - 1; larger ones count as the largest. `Option<Small>` takes four bytes, which
/// counts where a dump holds millions of calls of which each shows some figures and lacks others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Small(NonZeroU32);

impl Small {
    /// The number kept.
    #[must_use]
    #[inline]
    pub fn new(number: u32) -> Self {
        Self(NonZeroU32::new(!number).unwrap_or(NonZeroU32::MIN))
    }

    /// The number.
    #[must_use]
    #[inline]
    pub fn get(self) -> u32 {
        !self.0.get()
    }
}

impl From<u32> for Small {
    fn from(number: u32) -> Self {
        Self::new(number)
    }
}

impl From<Small> for u32 {
    fn from(small: Small) -> Self {
        small.get()
    }
}

impl From<Small> for f64 {
    #[inline]
    fn from(small: Small) -> Self {
        Self::from(small.get())
    }
}

impl From<Small> for u64 {
    fn from(small: Small) -> Self {
        Self::from(small.get())
    }
}

impl std::fmt::Debug for Small {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_they_went_in_and_absence_costs_nothing() {
        for number in [0, 1, 77, u32::MAX - 1] {
            assert_eq!(Small::new(number).get(), number);
        }
        assert_eq!(Small::new(u32::MAX).get(), u32::MAX - 1);
        assert_eq!(size_of::<Option<Small>>(), 4);
        assert!(Some(Small::new(0)).is_some());
    }
}
