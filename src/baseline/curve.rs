//! The price of a prompt: first-token time against uncached tokens, as a monotone curve.
//!
//! Medians in bins of powers of two, made monotone by pooling adjacent violators (Barlow et al.,
//! *Statistical Inference under Order Restrictions*, 1972), linear in between, the last slope beyond.
//! A curve, not a line: on real servers the price per token falls by a third with batch efficiency and
//! rises again with attention over long prompts.

use crate::stats::median;

/// Bins with fewer points than this say nothing of their own.
const LEAST_PER_BIN: usize = 3;

/// First-token time (milliseconds) by uncached prompt tokens.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Curve {
    /// (tokens, milliseconds), ascending in both.
    knots: Vec<(f64, f64)>,
    /// How many calls it rests on.
    pub n: usize,
}

/// Neighbouring bins between which the price does not rise: the curve is level over all of them.
#[derive(Clone, Copy)]
struct Block {
    from: f64,
    to: f64,
    time: f64,
    n: f64,
}

impl Block {
    fn pooled(self, next: Self) -> Self {
        let n = self.n + next.n;
        Self {
            from: self.from,
            to: next.to,
            time: (self.time * self.n + next.time * next.n) / n,
            n,
        }
    }
}

/// The largest power of two that is not above a number from one on: its exponent.
fn power_of_two(number: f64) -> usize {
    ((number.to_bits() >> 52) as usize).saturating_sub(1023)
}

impl Curve {
    /// Fits (uncached tokens, milliseconds) pairs. `None` without enough of them.
    #[must_use]
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let mut bins: Vec<Vec<(f64, f64)>> = Vec::new();
        for &(tokens, time) in points {
            let bin = power_of_two(tokens.max(0.0) + 16.0);
            if bins.len() <= bin {
                bins.resize(bin + 1, Vec::new());
            }
            bins[bin].push((tokens.max(0.0), time));
        }
        let mut blocks: Vec<Block> = Vec::new();
        let least = if points.len() < 12 { 1 } else { LEAST_PER_BIN };
        for bin in bins.into_iter().filter(|b| b.len() >= least) {
            let middle = |pick: fn(&(f64, f64)) -> f64| {
                let mut v: Vec<f64> = bin.iter().map(pick).collect();
                median(&mut v).unwrap_or(0.0)
            };
            let tokens = middle(|p| p.0);
            blocks.push(Block {
                from: tokens,
                to: tokens,
                time: middle(|p| p.1),
                n: bin.len() as f64,
            });
            while let [.., a, b] = blocks[..]
                && a.time > b.time
            {
                blocks.truncate(blocks.len() - 2);
                blocks.push(a.pooled(b));
            }
        }
        let ends = blocks.iter().flat_map(|block| {
            let last = (block.to > block.from).then_some((block.to, block.time));
            std::iter::once((block.from, block.time)).chain(last)
        });
        (!blocks.is_empty()).then(|| Self {
            knots: ends.collect(),
            n: points.len(),
        })
    }

    /// A straight price: `base` milliseconds and `slope` more per token, from `n` calls.
    #[must_use]
    pub fn straight(base: f64, slope: f64, n: usize) -> Self {
        let knots = [0.0, 1000.0].map(|tokens| (tokens, base + slope * tokens));
        Self {
            knots: knots.to_vec(),
            n,
        }
    }

    /// Expected milliseconds for `tokens` uncached prompt tokens.
    #[must_use]
    pub fn at(&self, tokens: f64) -> f64 {
        let i = self.knots.partition_point(|k| k.0 <= tokens);
        match (i.checked_sub(1).map(|j| self.knots[j]), self.knots.get(i)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (tokens - a.0) / (b.0 - a.0).max(1e-9),
            (Some(a), None) => a.1 + self.last_slope() * (tokens - a.0),
            (None, Some(b)) => (b.1 - self.first_slope() * (b.0 - tokens)).max(0.3 * b.1),
            (None, None) => 0.0,
        }
    }

    /// Uncached prompt tokens, at most `most`, that are expected to take `time` milliseconds; the fewest
    /// where several do.
    pub(super) fn tokens_within(&self, time: f64, most: f64) -> f64 {
        let i = self.knots.partition_point(|k| k.1 < time);
        let tokens = match (i.checked_sub(1).map(|j| self.knots[j]), self.knots.get(i)) {
            (Some(a), Some(b)) => a.0 + (b.0 - a.0) * (time - a.1) / (b.1 - a.1).max(1e-9),
            (Some(a), None) => a.0 + (time - a.1) / self.last_slope().max(1e-9),
            (None, Some(b)) => b.0 - (b.1 - time) / self.first_slope().max(1e-9),
            (None, None) => 0.0,
        };
        tokens.clamp(0.0, most)
    }

    /// All times multiplied with `factor`.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        let knots = self.knots.iter();
        Self {
            knots: knots
                .map(|(tokens, time)| (*tokens, time * factor))
                .collect(),
            n: self.n,
        }
    }

    /// What `extra` of `tokens` cost.
    #[must_use]
    pub fn price(&self, tokens: f64, extra: f64) -> f64 {
        (self.at(tokens) - self.at((tokens - extra).max(0.0))).max(0.0)
    }

    fn slope(&self, a: usize, b: usize) -> f64 {
        match (self.knots.get(a), self.knots.get(b)) {
            (Some(a), Some(b)) if b.0 > a.0 => (b.1 - a.1) / (b.0 - a.0),
            // One knot: through the origin.
            (Some(a), _) if a.0 > 0.0 => a.1 / a.0,
            _ => 0.0,
        }
    }

    /// Over the upper half of the knots: the last two alone are at the mercy of one bin. Prompts among which
    /// the price does not rise say nothing of far larger ones: through the origin.
    fn last_slope(&self) -> f64 {
        let last = self.knots.len().saturating_sub(1);
        let slope = self.slope(last / 2, last);
        match self.knots.last() {
            Some((tokens, time)) if slope <= 0.0 && *tokens > 0.0 => time / tokens,
            _ => slope,
        }
    }

    fn first_slope(&self) -> f64 {
        self.slope(0, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_does_not_rise_is_level_as_far_as_seen() {
        let points: Vec<(f64, f64)> = (0..160)
            .map(|i| match i % 4 {
                0 => (270.0, 400.0 - f64::from(i % 7)),
                _ => (0.0, 400.0 + f64::from(i % 5)),
            })
            .collect();
        let curve = Curve::fit(&points).unwrap();
        for tokens in [0.0, 100.0, 270.0] {
            let found = curve.at(tokens);
            assert!((found - 400.0).abs() < 8.0, "{tokens}: {found}");
        }
        assert!((curve.at(2_700.0) / 4_000.0 - 1.0).abs() < 0.02);
    }

    #[test]
    fn a_straight_price_is_found_and_extended() {
        let points: Vec<(f64, f64)> = (1..400)
            .map(|i| (f64::from(i) * 20.0, 100.0 + f64::from(i) * 4.0))
            .collect();
        let curve = Curve::fit(&points).unwrap();
        for tokens in [200.0, 1000.0, 6000.0, 16_000.0] {
            let expected = 100.0 + tokens / 5.0;
            assert!(
                (curve.at(tokens) - expected).abs() < 0.06 * expected,
                "{tokens}: {} for {expected}",
                curve.at(tokens)
            );
        }
        assert!((curve.price(4000.0, 1000.0) - 200.0).abs() < 20.0);
    }

    #[test]
    fn the_curve_never_falls() {
        let points = [
            (10.0, 50.0),
            (12.0, 60.0),
            (11.0, 55.0),
            (100.0, 40.0),
            (110.0, 42.0),
            (120.0, 44.0),
            (1000.0, 90.0),
            (1100.0, 95.0),
            (1200.0, 99.0),
            (1.0, 1.0),
            (5000.0, 10.0),
            (9.0, 9.0),
        ];
        let curve = Curve::fit(&points).unwrap();
        let mut last = 0.0;
        for t in 0..200 {
            let now = curve.at(f64::from(t) * 50.0);
            assert!(now >= last - 1e-9);
            last = now;
        }
    }

    #[test]
    fn no_points_no_curve() {
        assert_eq!(Curve::fit(&[]), None);
    }
}
