//! Shares that know when there is nothing to share.

/// `part` of `whole`: a coverage or hit rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ratio {
    /// How many had it.
    pub part: u64,
    /// How many could have had it.
    pub whole: u64,
}

impl Ratio {
    /// The share in 0..=1, or `None` when there was nothing to count: absent is not zero.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }

    /// Counts one more, `hit` or not.
    pub fn count(&mut self, hit: bool) {
        self.whole += 1;
        self.part += u64::from(hit);
    }
}
