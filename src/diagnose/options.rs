//! What counts as slow.

use crate::units::Nanos;

/// The rule in force.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug)]
pub struct Options {
    /// Slow from this multiple of the request's own expectation on.
    pub slow_factor: f64,
    /// … and from this much excess on.
    pub slow_floor: Nanos,
    /// Instead: slow from this duration on.
    pub slow_over: Option<Nanos>,
    /// Instead: the slowest share of all requests (0..=1).
    pub slow_top: Option<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            slow_factor: 1.3,
            slow_floor: Nanos(500_000_000),
            slow_over: None,
            slow_top: None,
        }
    }
}

impl Options {
    /// The floor in milliseconds: the yardstick for every "worth mentioning", so that a dump on another
    /// time scale needs one option and not ten.
    #[must_use]
    pub fn floor(&self) -> f64 {
        self.slow_floor.as_millis()
    }
}
