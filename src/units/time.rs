//! Instants and durations: integer nanoseconds, so that parts of a whole add up exactly.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Nanoseconds: a duration, or an instant counted from the Unix epoch.
///
/// Arithmetic saturates: a hostile clock must not be able to overflow an account.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Zero nanoseconds.
    pub const ZERO: Self = Self(0);
    /// One millisecond.
    pub const MILLI: Self = Self(1_000_000);
    /// One second.
    pub const SECOND: Self = Self(1_000_000_000);

    /// Whole and fractional milliseconds.
    #[must_use]
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Whole and fractional seconds.
    #[must_use]
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// From seconds; `None` for negative, non-finite or overflowing values.
    #[must_use]
    pub fn from_secs(seconds: f64) -> Option<Self> {
        let nanos = seconds * 1e9;
        (nanos >= 0.0 && nanos < u64::MAX as f64).then(|| Self(nanos.round() as u64))
    }

    /// From milliseconds; `None` for negative, non-finite or overflowing values.
    #[must_use]
    pub fn from_millis(millis: f64) -> Option<Self> {
        Self::from_secs(millis / 1e3)
    }

    /// The time from `earlier` to `self`, zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.since(other)
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Nanos {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns", self.0)
    }
}

/// A half-open stretch of time, `start..end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Window {
    /// First instant inside.
    pub start: Nanos,
    /// First instant after.
    pub end: Nanos,
}

impl Window {
    /// How long it lasts; zero when `end` precedes `start`.
    #[must_use]
    pub fn len(self) -> Nanos {
        self.end.since(self.start)
    }

    /// True when nothing fits in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// How long both last together.
    #[must_use]
    pub fn overlap(self, other: Self) -> Nanos {
        self.end.min(other.end).since(self.start.max(other.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_overflowing() {
        assert_eq!(Nanos(5) - Nanos(9), Nanos::ZERO);
        assert_eq!(Nanos(u64::MAX) + Nanos(1), Nanos(u64::MAX));
    }

    #[test]
    fn hostile_seconds_are_refused() {
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert_eq!(Nanos::from_secs(bad), None);
        }
        assert_eq!(Nanos::from_secs(1.5), Some(Nanos(1_500_000_000)));
    }

    #[test]
    fn windows_overlap_only_where_both_run() {
        let w = |a, b| Window {
            start: Nanos(a),
            end: Nanos(b),
        };
        assert_eq!(w(0, 10).overlap(w(5, 20)), Nanos(5));
        assert_eq!(w(0, 10).overlap(w(10, 20)), Nanos::ZERO);
        assert!(w(3, 3).is_empty());
    }
}
