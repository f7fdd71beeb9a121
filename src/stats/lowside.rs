//! A centre and a natural spread of values that faults can only make larger.
//!
//! In a dump from a bad day a third of the requests, and half the calls of one tool, may be faulted:
//! more than the median and the median absolute deviation survive. Faults only add time, so the low
//! side of the distribution is what health looks like. In logarithms the start is read off the 5th and
//! 20th percentile (for a normal law they lie 1.645 and 0.842 deviations below the mean), then values
//! above two deviations are trimmed and the fit repeated (cf. Huber & Ronchetti, *Robust Statistics*,
//! 2009, ch. 4, on asymmetric contamination).

use super::distance::normal_two_sided;
use super::interval::normal_upper;
use super::order::Ordered;
use crate::units::roomy;

/// Limits of the spread: a tool that always takes exactly 50 ms still varies a little, and one that
/// varies by more than this is not one population.
#[derive(Clone, Copy, Debug)]
pub struct SpreadLimits {
    /// Least spread, in natural logarithms.
    pub least: f64,
    /// Greatest spread.
    pub most: f64,
}

/// A log-normal description of the healthy part of a sample.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct LowSide {
    /// Centre, natural logarithm.
    pub centre: f64,
    /// Spread, natural logarithms.
    pub spread: f64,
    /// How many values it rests on.
    pub n: usize,
}

/// A sample by its natural logarithms.
trait Logs {
    fn len(&self) -> usize;
    /// The `p`-quantile of the `count` smallest.
    fn quantile_of(&mut self, count: usize, p: f64) -> Option<f64>;
    /// How many are at most `limit`.
    fn count_up_to(&self, limit: f64) -> usize;
}

impl Logs for Ordered {
    fn len(&self) -> usize {
        self.len()
    }

    fn quantile_of(&mut self, count: usize, p: f64) -> Option<f64> {
        self.quantile_of(count, p)
    }

    fn count_up_to(&self, limit: f64) -> usize {
        self.count_up_to(limit)
    }
}

/// Positive values, of which only those are put into logarithms that somebody asks for: these rise with them.
struct Plain(Ordered);

/// Values this far from a limit, relatively, are on the same side of it as their logarithms are, however those are
/// rounded.
const ROUNDED: f64 = 1e-12;

impl Logs for Plain {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn quantile_of(&mut self, count: usize, p: f64) -> Option<f64> {
        self.0.quantile_by(count, p, f64::ln)
    }

    fn count_up_to(&self, limit: f64) -> usize {
        let around = limit.exp();
        let (surely, hardly) = (around * (1.0 - ROUNDED), around * (1.0 + ROUNDED));
        self.0
            .count(|value| value <= surely || (value <= hardly && value.ln() <= limit))
    }
}

impl LowSide {
    /// Fits positive values; others are ignored. `None` when nothing is left.
    #[must_use]
    pub fn fit(values: &[f64], limits: SpreadLimits) -> Option<Self> {
        let mut positive = roomy(values.len());
        positive.extend(values.iter().filter(|v| **v > 0.0 && v.is_finite()));
        Self::of(&mut Plain(Ordered::new(positive)), limits)
    }

    /// The same from finite natural logarithms.
    #[must_use]
    pub fn fit_logs(logs: Vec<f64>, limits: SpreadLimits) -> Option<Self> {
        Self::of(&mut Ordered::new(logs), limits)
    }

    fn of(x: &mut impl Logs, limits: SpreadLimits) -> Option<Self> {
        let n = x.len();
        let clip = |s: f64| s.clamp(limits.least, limits.most);
        let mut spread = clip((x.quantile_of(n, 0.20)? - x.quantile_of(n, 0.05)?) / 0.80);
        let mut centre = x.quantile_of(n, 0.20)? + 0.84 * spread;
        for _ in 0..6 {
            let kept = x.count_up_to(centre + 2.0 * spread);
            if kept == 0 {
                break;
            }
            // Cutting the upper tail at two deviations pulls the median down by a hundredth or three.
            centre = x.quantile_of(kept, 0.5)? + 0.03 * spread;
            spread = clip((centre - x.quantile_of(kept, 0.16)?) / 0.97);
        }
        Some(Self { centre, spread, n })
    }

    /// The typical value.
    #[must_use]
    pub fn typical(&self) -> f64 {
        self.centre.exp()
    }

    /// Median of those values that lie above `value`.
    #[must_use]
    pub fn typical_above(&self, value: f64) -> f64 {
        let height = self.height(value);
        let beyond = normal_two_sided(height) / 2.0;
        let above = if height > 0.0 { beyond } else { 1.0 - beyond };
        (self.centre + self.spread * normal_upper(above / 2.0)).exp()
    }

    /// How many spreads `value` lies above the centre.
    #[must_use]
    pub fn height(&self, value: f64) -> f64 {
        if value > 0.0 {
            (value.ln() - self.centre) / self.spread
        } else {
            f64::NEG_INFINITY
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SpreadLimits = SpreadLimits {
        least: 0.05,
        most: 2.0,
    };

    /// Normal scores at regular probabilities, by bisection on the logistic approximation's shape.
    fn lognormal(n: usize, centre: f64, spread: f64) -> Vec<f64> {
        (1..=n)
            .map(|i| {
                let p = i as f64 / (n + 1) as f64;
                // Tukey lambda 0.1349 follows the normal quantiles within 1 %.
                let z = (p.powf(0.1349) - (1.0 - p).powf(0.1349)) / 0.1975;
                (centre + spread * z).exp()
            })
            .collect()
    }

    #[test]
    fn a_clean_sample_gives_its_own_centre_and_spread() {
        let fit = LowSide::fit(&lognormal(500, 5.0, 0.4), LIMITS).unwrap();
        assert!((fit.centre - 5.0).abs() < 0.03, "{fit:?}");
        assert!((fit.spread - 0.4).abs() < 0.05, "{fit:?}");
    }

    #[test]
    fn half_the_sample_may_be_faulted() {
        let mut values = lognormal(300, 5.0, 0.3);
        values.extend(lognormal(300, 8.0, 0.5));
        let fit = LowSide::fit(&values, LIMITS).unwrap();
        assert!((fit.centre - 5.0).abs() < 0.25, "{fit:?}");
        assert!(fit.height(8.0_f64.exp()) > 3.5);
    }

    #[test]
    fn what_is_left_of_a_sample_is_above() {
        let fit = LowSide {
            centre: 5.0,
            spread: 0.5,
            n: 100,
        };
        assert!((fit.typical_above(0.0) - fit.typical()).abs() < 1e-6);
        // Above the median lies half of the sample; its own median is the upper quartile.
        let quartile = (5.0_f64 + 0.5 * 0.67449).exp();
        assert!((fit.typical_above(fit.typical()) - quartile).abs() < 0.01 * quartile);
        let far = (5.0_f64 + 3.0 * 0.5).exp();
        assert!(fit.typical_above(far) > far);
    }

    proptest::proptest! {
        #[test]
        fn values_fit_as_their_logarithms_do(values in proptest::collection::vec(1u32..400, 0..80), scale in 1e-3..1e9_f64) {
            let values: Vec<f64> = values.iter().map(|value| f64::from(*value) * scale).collect();
            let logs = values.iter().map(|value| value.ln()).collect();
            assert_eq!(LowSide::fit(&values, LIMITS), LowSide::fit_logs(logs, LIMITS));
        }
    }

    #[test]
    fn nothing_positive_is_no_fit() {
        assert_eq!(LowSide::fit(&[0.0, -1.0, f64::NAN], LIMITS), None);
    }
}
