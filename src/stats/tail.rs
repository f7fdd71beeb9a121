//! How far the upper tail of a sample reaches.

use super::Ordered;

/// Where the tail begins and where its slope is read: the share of values below.
const START: f64 = 0.8;
const FAR: f64 = 0.95;
/// Fewer values than this have no tail to speak of.
const LEAST: usize = 50;

/// The upper tail of positive values, in natural logarithms: excesses over a high threshold as an exponential law
/// (peaks over threshold: Pickands, "Statistical Inference Using Extreme Order Statistics", 1975; Coles, *An
/// Introduction to Statistical Modeling of Extreme Values*, 2001, ch. 4, shape zero). A lognormal sample's tail is
/// lighter: for that the law errs on the far side. Read off two quantiles, so that of a twentieth of the
/// values, which may be what is looked for, it does not matter how far out they lie.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UpperTail {
    /// Where it begins, natural logarithm.
    pub start: f64,
    /// Mean excess over the beginning, natural logarithms.
    scale: f64,
    /// Values in the sample.
    n: usize,
}

impl UpperTail {
    /// `None` for fewer than fifty values, or where the high ones are not positive.
    #[must_use]
    pub fn of(values: &mut Ordered) -> Option<Self> {
        let n = values.len();
        if n < LEAST {
            return None;
        }
        let (start, far) = (values.quantile(START)?.ln(), values.quantile(FAR)?.ln());
        let scale = (far - start) / ((1.0 - START) / (1.0 - FAR)).ln();
        (start.is_finite() && scale.is_finite()).then_some(Self { start, scale, n })
    }

    /// How far above its beginning it reaches once in `samples` samples of this size, natural logarithms.
    #[must_use]
    pub fn reach(&self, samples: f64) -> f64 {
        self.scale * ((1.0 - START) * self.n as f64 * samples).ln().max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_tail_reaches_farther_and_so_does_a_larger_sample() {
        let sample = |n: u32, scale: f64| {
            let shares = (1..=n).map(|i| f64::from(i) / f64::from(n + 1));
            let values = shares.map(|share| (-(1.0 - share).ln() * scale).exp());
            UpperTail::of(&mut Ordered::new(values.collect())).unwrap()
        };
        let tail = sample(1000, 0.3);
        // Of an exponential law the n-th part lies above scale · ln n.
        let once = tail.start + tail.reach(1.0);
        assert!((once - 0.3 * 1000.0_f64.ln()).abs() < 0.05, "{tail:?}");
        assert!(sample(1000, 0.6).reach(1.0) > 1.9 * tail.reach(1.0));
        assert!(sample(100_000, 0.3).reach(1.0) > tail.reach(1.0));
    }

    #[test]
    fn how_far_out_the_most_extreme_lie_does_not_matter() {
        let with = |extreme: f64| {
            let mut values: Vec<f64> = (0..955).map(|i| 1.0 + f64::from(i) / 955.0).collect();
            values.extend([extreme; 45]);
            UpperTail::of(&mut Ordered::new(values)).unwrap()
        };
        assert_eq!(with(10.0), with(1e6));
    }

    #[test]
    fn few_values_have_no_tail() {
        assert!(UpperTail::of(&mut Ordered::new(vec![1.0; 49])).is_none());
        assert!(UpperTail::of(&mut Ordered::new(vec![0.0; 60])).is_none());
    }
}
