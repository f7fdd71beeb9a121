//! How much counted of what could have counted: sums that merge, and that say how much requests vary.

use serde::{Deserialize, Serialize};

/// Sums over requests r, of which p_r counted and w_r could have counted: requests, calls, tokens, nano-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Requests in which something could have counted.
    pub requests: u64,
    /// Σ p_r.
    pub part: u64,
    /// Σ w_r.
    pub whole: u64,
    /// Σ p_r².
    pub squares: u128,
    /// Σ p_r · w_r.
    pub cross: u128,
    /// Σ w_r².
    pub whole_squares: u128,
}

impl Rate {
    /// Takes in one request.
    pub fn add(&mut self, part: u64, whole: u64) {
        let (p, w) = (u128::from(part), u128::from(whole));
        self.merge(&Self {
            requests: 1,
            part,
            whole,
            squares: p * p,
            cross: p * w,
            whole_squares: w * w,
        });
    }

    /// Takes in other requests.
    pub fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.part = self.part.saturating_add(other.part);
        self.whole = self.whole.saturating_add(other.whole);
        self.squares = self.squares.saturating_add(other.squares);
        self.cross = self.cross.saturating_add(other.cross);
        self.whole_squares = self.whole_squares.saturating_add(other.whole_squares);
    }

    /// The same requests, of which nothing counted.
    #[must_use]
    pub fn never(self) -> Self {
        Self {
            part: 0,
            squares: 0,
            cross: 0,
            ..self
        }
    }

    /// What counted here, of what could have counted in `all`: those in which nothing did are in that alone.
    #[must_use]
    pub fn of_whole(self, all: &Self) -> Self {
        Self {
            part: self.part,
            squares: self.squares,
            cross: self.cross,
            ..*all
        }
    }

    /// The share that counted; `None` when nothing could have.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }

    /// Σ (p_r − share · w_r)²: how far requests are from that share.
    #[must_use]
    pub fn spread(&self) -> f64 {
        let share = self.share().unwrap_or(0.0);
        let [squares, cross, wholes] =
            [self.squares, self.cross, self.whole_squares].map(|n| n as f64);
        (squares - 2.0 * share * cross + share * share * wholes).max(0.0)
    }
}
