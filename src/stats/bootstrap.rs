//! How far a mean may be off, by drawing again from the sample.

use super::normal_upper;
use super::random::SplitMix;
use super::survey::{self, Estimate, Stratum, Sums};

/// Clusters above which the normal law is as good.
const MANY: usize = 2000;
const SEED: u64 = 0x6d65_616e;

/// A mean (or ratio of sums) with the bootstrap-t interval: clusters are drawn again within their strata, and each
/// draw is measured by its own error, so that skewed values are allowed for (Efron & Tibshirani, "An Introduction to
/// the Bootstrap", 1993, chapter 12). Above 2000 clusters by the normal law. The draws are seeded: the same sample
/// gives the same interval. The ends are `None` for fewer than two clusters.
#[must_use]
pub fn mean_estimate(strata: &[Stratum<'_>], risks: (f64, f64)) -> Option<Estimate> {
    let (mean, variance, clusters) = survey::mean_and_variance(strata)?;
    let error = variance.sqrt();
    if clusters < 2 {
        return Some(Estimate {
            value: mean,
            low: None,
            high: None,
        });
    }
    let (below, above) = if clusters > MANY || error == 0.0 {
        (normal_upper(risks.0), -normal_upper(risks.1))
    } else {
        ends(strata, mean, risks)
    };
    Some(Estimate {
        value: mean,
        low: Some(mean - below * error),
        high: Some(mean - above * error),
    })
}

/// The upper and the lower end of (mean of a draw − mean) / error of the draw.
fn ends(strata: &[Stratum<'_>], mean: f64, risks: (f64, f64)) -> (f64, f64) {
    let strata: Vec<(f64, Vec<Sums>)> = strata
        .iter()
        .map(|stratum| (stratum.weight, survey::clusters(stratum.units)))
        .collect();
    // Some ten draws lie beyond each end.
    let draws = (10.0 / risks.0.min(risks.1)).clamp(1000.0, 4000.0) as usize;
    let mut random = SplitMix::new(SEED);
    let mut scores: Vec<f64> = (0..draws)
        .map(|_| {
            let (mut value, mut variance) = (0.0, 0.0);
            for (weight, sums) in &strata {
                let drawn = (0..sums.len()).map(|_| sums[random.below(sums.len())]);
                let (ratio, of_ratio) = survey::ratio_of(drawn).unwrap_or((0.0, 0.0));
                value += weight * ratio;
                variance += weight * weight * of_ratio;
            }
            if variance > 0.0 {
                (value - mean) / variance.sqrt()
            } else {
                0.0
            }
        })
        .collect();
    scores.sort_by(f64::total_cmp);
    let at = |share: f64| super::quantile(&scores, share).unwrap_or(0.0);
    (at(1.0 - risks.0), at(risks.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Unit;

    fn exponential(random: &mut SplitMix) -> f64 {
        let share = (random.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        -(1.0 - share).ln()
    }

    fn sample(seed: u64, n: u32) -> Vec<Unit> {
        let mut random = SplitMix::new(seed);
        (0..n)
            .map(|cluster| Unit {
                cluster,
                part: exponential(&mut random),
                whole: 1.0,
            })
            .collect()
    }

    #[test]
    fn skewed_means_are_missed_as_rarely_as_promised() {
        let runs = 300_u64;
        let mut missed = (0, 0);
        for seed in 0..runs {
            let units = sample(seed, 60);
            let one = Stratum {
                weight: 1.0,
                units: &units,
            };
            let found = mean_estimate(&[one], (0.025, 0.025)).unwrap();
            missed.0 += u32::from(found.low.unwrap() > 1.0);
            missed.1 += u32::from(found.high.unwrap() < 1.0);
        }
        // 7.5 of 300 are due on each side; 16 lie three standard errors above.
        assert!(missed.0 <= 16 && missed.1 <= 16, "{missed:?}");
    }

    #[test]
    fn the_same_sample_gives_the_same_interval() {
        let units = sample(7, 30);
        let one = Stratum {
            weight: 1.0,
            units: &units,
        };
        assert_eq!(
            mean_estimate(&[one], (0.01, 0.025)),
            mean_estimate(&[one], (0.01, 0.025))
        );
        let lone = Stratum {
            weight: 1.0,
            units: &units[..1],
        };
        assert_eq!(mean_estimate(&[lone], (0.01, 0.01)).unwrap().low, None);
    }
}
