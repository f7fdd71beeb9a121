//! Intervals that need no assumption about the shape of a distribution.

use super::distance::normal_two_sided;
use super::order::Ordered;

/// Both ends of an interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Confidence interval of the `q`-quantile from order statistics: the closest pair of values around
/// it that holds it with at least `confidence` (David & Nagaraja, "Order Statistics", 3rd ed.,
/// section 7.1): by exact binomial probabilities, above 5000 values by their normal approximation.
/// `None` when the sample is too small to promise that.
#[must_use]
pub fn quantile_interval(sample: &mut Ordered, q: f64, confidence: f64) -> Option<Interval> {
    let n = sample.len();
    if n == 0 || !(0.0 < q && q < 1.0) {
        return None;
    }
    let (low, high) = ranks(n, q, (1.0 - confidence) / 2.0);
    Some(Interval {
        low: sample.at(low?)?,
        high: sample.at(high?)?,
    })
}

/// Largest sample whose binomial probabilities are summed one by one.
const EXACT: usize = 5000;

/// Places, from zero, of the values below and above which the `q`-quantile of `n` values lies with at most `risk`
/// each; `None` where the sample is too small to promise that.
pub(super) fn ranks(n: usize, q: f64, risk: f64) -> (Option<usize>, Option<usize>) {
    if n > EXACT {
        let (low, high) = normal_ranks(n, q, risk);
        (Some(low), (high < n).then_some(high))
    } else {
        exact_ranks(n, q, risk)
    }
}

/// The number of values below the quantile is binomial.
fn exact_ranks(n: usize, q: f64, risk: f64) -> (Option<usize>, Option<usize>) {
    let (mut below, mut low, mut high) = (0.0, None, None);
    for (k, mass) in binomial(n, q).enumerate() {
        if below + mass <= risk {
            low = Some(k);
        }
        below += mass;
        if below >= 1.0 - risk {
            high = Some(k);
            break;
        }
    }
    (low, high.filter(|high| *high < n))
}

fn normal_ranks(n: usize, q: f64, risk: f64) -> (usize, usize) {
    let z = normal_upper(risk);
    let (centre, reach) = (n as f64 * q, z * (n as f64 * q * (1.0 - q)).sqrt());
    let low = (centre - reach).floor().max(1.0) as usize - 1;
    (low, (centre + reach).ceil() as usize)
}

/// The point above which a standard normal number lies with chance `risk` (up to a half): 1.96 for 0.025.
#[must_use]
pub fn normal_upper(risk: f64) -> f64 {
    let (mut z, mut step) = (0.0, 20.0);
    for _ in 0..60 {
        step /= 2.0;
        if normal_two_sided(z + step) > 2.0 * risk {
            z += step;
        }
    }
    z
}

/// P(K = 0), P(K = 1), … of a binomial(n, q), each from the one before. What is far smaller than any risk asked
/// for is zero, but is carried on with, by powers of [`TINY`], so that large n does not underflow.
fn binomial(n: usize, q: f64) -> impl Iterator<Item = f64> {
    let odds = q / (1.0 - q);
    let log = n as f64 * (1.0 - q).ln() / TINY.ln();
    let (mut mass, mut powers) = (TINY.powf(log.fract()), log.trunc() as u32);
    (0..=n).map(move |k| {
        if mass >= 1.0 && powers > 0 {
            (mass, powers) = (mass * TINY, powers - 1);
        }
        let this = if powers == 0 { mass } else { 0.0 };
        mass *= (n - k) as f64 / (k + 1) as f64 * odds;
        this
    })
}

/// No risk that anybody asks for is as small.
const TINY: f64 = 1e-200;

/// Wilson's score interval of a share of `hits` in `n`, at `z` standard deviations (1.96 for 95 %):
/// Wilson, "Probable Inference" (1927). `None` when `n` is zero.
#[must_use]
pub fn wilson(hits: u64, n: u64, z: f64) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    Some(wilson_share(hits as f64 / n as f64, n as f64, z))
}

/// Wilson's interval of a share of as many as `n` independent units, not necessarily a whole number.
pub(super) fn wilson_share(share: f64, n: f64, z: f64) -> Interval {
    let z2 = z * z;
    let centre = share + z2 / (2.0 * n);
    let reach = z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z2 / n;
    Interval {
        low: ((centre - reach) / whole).clamp(0.0, share),
        high: ((centre + reach) / whole).clamp(share.min(1.0), 1.0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_printed_interval_of_a_median() {
        // n = 20: the 6th and 15th values hold the median with 95.9 %.
        let sample: Vec<f64> = (1..=20).map(f64::from).collect();
        let interval = quantile_interval(&mut Ordered::new(sample), 0.5, 0.95).unwrap();
        assert_eq!((interval.low, interval.high), (6.0, 15.0));
    }

    #[test]
    fn a_small_sample_promises_nothing_about_the_tail() {
        let sample: Vec<f64> = (1..=50).map(f64::from).collect();
        assert_eq!(
            quantile_interval(&mut Ordered::new(sample), 0.99, 0.95),
            None
        );
        assert_eq!(
            quantile_interval(&mut Ordered::new(Vec::new()), 0.5, 0.95),
            None
        );
    }

    #[test]
    fn large_samples_do_not_underflow() {
        let sample: Vec<f64> = (0..200_000).map(f64::from).collect();
        let interval = quantile_interval(&mut Ordered::new(sample), 0.5, 0.95).unwrap();
        assert!(
            (interval.low - 99_562.0).abs() < 3.0 && (interval.high - 100_438.0).abs() < 3.0,
            "{interval:?}"
        );
    }

    #[test]
    fn masses_of_a_binomial() {
        let exact: Vec<f64> = binomial(4, 0.5).collect();
        let textbook = [1.0, 4.0, 6.0, 4.0, 1.0].map(|ways| ways / 16.0);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(exact.iter().zip(&textbook).all(close), "{exact:?}");
        // Where the first mass underflows, all still add up to one, around the mean.
        for (n, q) in [(5000, 0.5), (5000, 0.99), (4999, 0.9), (3, 0.999)] {
            let masses: Vec<f64> = binomial(n, q).collect();
            let sum: f64 = masses.iter().sum();
            let mean: f64 = masses
                .iter()
                .zip(0u32..)
                .map(|(p, k)| p * f64::from(k))
                .sum();
            assert!((sum - 1.0).abs() < 1e-9, "{n} {q}: {sum}");
            assert!((mean - n as f64 * q).abs() < 1e-6, "{n} {q}: {mean}");
        }
    }

    #[test]
    fn wilson_of_the_textbook() {
        let interval = wilson(0, 10, 1.96).unwrap();
        assert!(interval.low == 0.0 && (interval.high - 0.2775).abs() < 1e-3);
        assert_eq!(wilson(0, 0, 1.96), None);
    }

    proptest! {
        #[test]
        fn wilson_holds_the_share(n in 1_u64..10_000, part in 0.0..=1.0_f64) {
            let hits = (part * n as f64) as u64;
            let interval = wilson(hits, n, 1.96).unwrap();
            let share = hits as f64 / n as f64;
            prop_assert!(0.0 <= interval.low && interval.low <= share && share <= interval.high && interval.high <= 1.0);
        }

        #[test]
        fn the_interval_surrounds_the_quantile(n in 10_usize..2000, q in 0.2..0.8_f64) {
            let sample: Vec<f64> = (0..n).map(|i| i as f64).collect();
            if let Some(interval) = quantile_interval(&mut Ordered::new(sample.clone()), q, 0.95) {
                let at = q * (n - 1) as f64;
                prop_assert!(interval.low <= at && at <= interval.high);
            }
        }
    }
}
