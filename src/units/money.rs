//! Money as integers, so that sums do not depend on their order.

use std::ops::{Add, AddAssign};

/// US dollars in whole nano-dollars (1e-9 USD).
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Debug,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Usd(pub i64);

impl Usd {
    /// Nothing to pay.
    pub const ZERO: Self = Self(0);

    /// Whole and fractional dollars.
    #[must_use]
    pub fn as_dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// From dollars; `None` when not finite or out of range.
    #[must_use]
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let nano = dollars * 1e9;
        (nano.is_finite() && nano.abs() < i64::MAX as f64).then(|| Self(nano.round() as i64))
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}
