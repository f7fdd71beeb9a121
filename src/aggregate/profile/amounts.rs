//! A sample of amounts that merges: the exact sum, and a histogram for its quantiles.

use serde::{Deserialize, Serialize};

use crate::stats::Histogram;

/// Non-negative amounts: nanoseconds, tokens, calls, nano-dollars.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// All of them together.
    sum: u64,
    values: Histogram,
}

impl Amounts {
    /// Takes in one amount.
    pub fn add(&mut self, amount: u64) {
        self.sum = self.sum.saturating_add(amount);
        self.values.add(amount);
    }

    /// Takes in another sample.
    pub fn merge(&mut self, other: &Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.values.merge(&other.values);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.values.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Their sum, exact.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Their mean; `None` when there are none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.sum as f64 / self.len() as f64)
    }

    /// The amount of rank `q` (0..=1), within 1.6 %; `None` when there are none.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        self.values.quantile(q)
    }

    /// The distribution.
    #[must_use]
    pub fn histogram(&self) -> &Histogram {
        &self.values
    }
}
