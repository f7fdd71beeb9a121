//! Lengths of which `Option` is no larger than the number.

use std::num::NonZeroU64;

/// Milliseconds, kept as the inverted bits of a float. `Option<Millis>` takes eight bytes; the one value that
/// cannot be kept (a certain NaN) counts as another NaN.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Millis(NonZeroU64);

impl Millis {
    /// Milliseconds.
    #[must_use]
    #[inline]
    pub fn new(millis: f64) -> Self {
        Self(NonZeroU64::new(!millis.to_bits()).unwrap_or(NonZeroU64::MIN))
    }

    /// Milliseconds.
    #[must_use]
    #[inline]
    pub fn get(self) -> f64 {
        f64::from_bits(!self.0.get())
    }
}

impl std::fmt::Debug for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_out_as_they_went_in_and_absence_costs_nothing() {
        for millis in [
            0.0,
            -0.0,
            0.1,
            -3.5,
            1e300,
            f64::INFINITY,
            f64::MIN_POSITIVE,
        ] {
            assert_eq!(Millis::new(millis).get().to_bits(), millis.to_bits());
        }
        assert!(Millis::new(f64::from_bits(u64::MAX)).get().is_nan());
        assert_eq!(size_of::<Option<Millis>>(), 8);
    }
}
