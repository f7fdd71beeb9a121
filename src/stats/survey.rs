//! Means and shares of values that come in clusters (the calls of one request) and in strata (kinds of task): as a
//! survey is evaluated (Cochran, "Sampling Techniques", 3rd ed., chapters 5, 6 and 9).

use super::interval::wilson_share;
use super::normal_upper;

/// One value, or one part of a whole.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unit {
    /// What it came with: values of one cluster are not independent.
    pub cluster: u32,
    /// The value; of a share, what counts.
    pub part: f64,
    /// 1 for a value; of a share, what could have counted.
    pub whole: f64,
}

impl Unit {
    /// The value; of a share, the share of this unit alone.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.part / self.whole
    }
}

/// One stratum: units in order of cluster.
#[derive(Clone, Copy, Debug)]
pub struct Stratum<'a> {
    /// Its share of the whole; those of all strata sum to 1.
    pub weight: f64,
    /// What is in it.
    pub units: &'a [Unit],
}

/// A number and how far it may be off.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Below this it is with the accepted risk only; `None` when the sample cannot promise anything.
    pub low: Option<f64>,
    /// Above this it is with the accepted risk only; `None` when the sample cannot promise anything.
    pub high: Option<f64>,
}

impl Estimate {
    /// A number that is not in doubt.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self {
            value,
            low: Some(value),
            high: Some(value),
        }
    }
}

/// Sums of one cluster: part and whole.
pub(super) type Sums = (f64, f64);

/// The sums of each cluster.
pub(super) fn clusters(units: &[Unit]) -> Vec<Sums> {
    units
        .chunk_by(|a, b| a.cluster == b.cluster)
        .map(|cluster| {
            let part = cluster.iter().map(|unit| unit.part).sum();
            (part, cluster.iter().map(|unit| unit.whole).sum())
        })
        .collect()
}

/// The ratio of sums and its variance, linearised, between clusters drawn with replacement. `None` for an empty
/// stratum.
pub(super) fn ratio(clusters: &[Sums]) -> Option<(f64, f64)> {
    let (ratio, _) = ratio_of(clusters.iter().copied())?;
    // In two passes, for the exact zero of values that are all alike.
    let whole: f64 = clusters.iter().map(|(_, whole)| whole).sum();
    let spread = clusters
        .iter()
        .map(|(part, whole)| (part - ratio * whole).powi(2))
        .sum();
    Some((ratio, correction(clusters.len()) * spread_of(spread, whole)))
}

/// The same in one pass.
pub(super) fn ratio_of(clusters: impl Iterator<Item = Sums>) -> Option<(f64, f64)> {
    let (mut n, mut part, mut whole) = (0, 0.0, 0.0);
    let (mut parts, mut both, mut wholes) = (0.0, 0.0, 0.0);
    for (p, w) in clusters {
        n += 1;
        part += p;
        whole += w;
        parts += p * p;
        both += p * w;
        wholes += w * w;
    }
    if whole <= 0.0 {
        return None;
    }
    let ratio = part / whole;
    let spread = (parts - 2.0 * ratio * both + ratio * ratio * wholes).max(0.0);
    Some((ratio, correction(n) * spread_of(spread, whole)))
}

fn spread_of(spread: f64, whole: f64) -> f64 {
    spread / (whole * whole)
}

fn correction(n: usize) -> f64 {
    if n > 1 {
        n as f64 / (n - 1) as f64
    } else {
        1.0
    }
}

/// The weighted mean of the ratios of all strata, its variance, and how many clusters there are.
#[must_use]
pub fn mean_and_variance(strata: &[Stratum<'_>]) -> Option<(f64, f64, usize)> {
    let mut all = (0.0, 0.0, 0);
    for stratum in strata {
        let sums = clusters(stratum.units);
        let (mean, variance) = ratio(&sums)?;
        all.0 += stratum.weight * mean;
        all.1 += stratum.weight * stratum.weight * variance;
        all.2 += sums.len();
    }
    (all.2 > 0).then_some(all)
}

/// A share, and the independent units that would show it as surely.
fn share_and_size(strata: &[Stratum<'_>]) -> Option<(f64, f64)> {
    let (share, variance, clusters) = mean_and_variance(strata)?;
    let share = share.clamp(0.0, 1.0);
    let size = match share * (1.0 - share) / variance {
        size if size.is_finite() && size > 0.0 => size,
        _ => clusters as f64,
    };
    Some((share, size))
}

/// A share with Wilson's interval at the size of an equally sure sample of independent units (the effective size of
/// Kish, "Survey Sampling", 1965). Where all or none counts, each cluster stands for one unit. The risk of each end
/// is its own.
#[must_use]
pub fn share_estimate(strata: &[Stratum<'_>], risks: (f64, f64)) -> Option<Estimate> {
    let (share, size) = share_and_size(strata)?;
    Some(Estimate {
        value: share,
        low: Some(wilson_share(share, size, normal_upper(risks.0)).low),
        high: Some(wilson_share(share, size, normal_upper(risks.1)).high),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(parts: &[(u32, f64)]) -> Vec<Unit> {
        let unit = |&(cluster, part)| Unit {
            cluster,
            part,
            whole: 1.0,
        };
        parts.iter().map(unit).collect()
    }

    #[test]
    fn calls_of_one_request_count_as_one() {
        let apart: Vec<(u32, f64)> = (0..40).map(|i| (i, f64::from(i % 4 == 0))).collect();
        // The same forty calls, of ten requests that each fail as a whole.
        let together: Vec<(u32, f64)> = (0..40).map(|i| (i / 4, f64::from(i < 10))).collect();
        let width = |parts: &[(u32, f64)]| {
            let units = units(parts);
            let one = Stratum {
                weight: 1.0,
                units: &units,
            };
            let found = share_estimate(&[one], (0.025, 0.025)).unwrap();
            assert!((found.value - 0.25).abs() < 1e-12);
            found.high.unwrap() - found.low.unwrap()
        };
        assert!(width(&together) > 1.5 * width(&apart));
    }

    #[test]
    fn strata_take_their_weight_and_not_their_size() {
        let (small, large) = (units(&[(0, 1.0), (1, 1.0)]), units(&[(2, 0.0); 1]));
        let strata = [
            Stratum {
                weight: 0.5,
                units: &small,
            },
            Stratum {
                weight: 0.5,
                units: &large,
            },
        ];
        let (mean, variance, clusters) = mean_and_variance(&strata).unwrap();
        assert_eq!((mean, variance, clusters), (0.5, 0.0, 3));
        assert_eq!(mean_and_variance(&[]), None);
    }
}
