//! Quantiles of values that come in clusters and strata.

use super::interval::ranks;
use super::survey::{self, Estimate, Stratum, Unit};

/// A quantile with its interval from order statistics. Where values come in clusters or strata, the ranks are those
/// of an equally sure sample of independent values (Woodruff, "Confidence Intervals for Medians and Other Position
/// Measures", 1952). An end is `None` when the sample is too small to promise it.
#[must_use]
pub fn quantile_estimate(strata: &[Stratum<'_>], q: f64, risks: (f64, f64)) -> Option<Estimate> {
    let curve = Curve::of(strata)?;
    let value = curve.at(q);
    let size = effective_size(strata, q, value);
    let end = |rank: usize| curve.at(rank as f64 / (size.max(2) - 1) as f64);
    Some(Estimate {
        value,
        low: ranks(size, q, risks.0).0.map(end),
        high: ranks(size, q, risks.1).1.map(end),
    })
}

/// Independent values that would show the share at or below `value` as surely.
fn effective_size(strata: &[Stratum<'_>], q: f64, value: f64) -> usize {
    let n: usize = strata.iter().map(|stratum| stratum.units.len()).sum();
    let apart = |units: &[Unit]| units.windows(2).all(|w| w[0].cluster != w[1].cluster);
    if let [one] = strata
        && apart(one.units)
    {
        return n;
    }
    let (mut variance, mut clusters) = (0.0, 0);
    for stratum in strata {
        let below = stratum.units.iter().map(|unit| Unit {
            part: f64::from(unit.value() <= value),
            whole: 1.0,
            ..*unit
        });
        let sums = survey::clusters(&below.collect::<Vec<_>>());
        let of_ratio = survey::ratio(&sums).map_or(0.0, |(_, variance)| variance);
        variance += stratum.weight * stratum.weight * of_ratio;
        clusters += sums.len();
    }
    match q * (1.0 - q) / variance {
        size if size.is_finite() && size >= 1.0 => size.min(1e9) as usize,
        _ => clusters,
    }
}

/// Values in order, each at the share of the whole that lies below it: with equal weights, the quantiles of type 7.
struct Curve {
    values: Vec<f64>,
    shares: Vec<f64>,
}

impl Curve {
    fn of(strata: &[Stratum<'_>]) -> Option<Self> {
        let mut weighted: Vec<(f64, f64)> = Vec::new();
        for stratum in strata {
            let each = stratum.weight / stratum.units.len() as f64;
            weighted.extend(stratum.units.iter().map(|unit| (unit.value(), each)));
        }
        weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut shares = Vec::with_capacity(weighted.len());
        let mut before = 0.0;
        for (index, (_, weight)) in weighted.iter().enumerate() {
            if let Some((_, last)) = index.checked_sub(1).and_then(|i| weighted.get(i)) {
                before += (last + weight) / 2.0;
            }
            shares.push(before);
        }
        let whole = *shares.last()?;
        if whole > 0.0 {
            shares.iter_mut().for_each(|share| *share /= whole);
        }
        Some(Self {
            values: weighted.into_iter().map(|(value, _)| value).collect(),
            shares,
        })
    }

    fn at(&self, share: f64) -> f64 {
        // A rank is a share only up to rounding.
        const NEAR: f64 = 1e-9;
        let above = self.shares.partition_point(|s| *s < share - NEAR);
        let last = self.values.len() - 1;
        let (low, high) = (above.saturating_sub(1), above.min(last));
        let (from, to) = (self.shares[low], self.shares[high]);
        if to - from <= NEAR || share >= to - NEAR {
            return self.values[high];
        }
        let part = ((share - from) / (to - from)).clamp(0.0, 1.0);
        self.values[low] + (self.values[high] - self.values[low]) * part
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::{Ordered, quantile, quantile_interval};

    fn units(values: &[f64], per: u32) -> Vec<Unit> {
        let unit = |(value, i): (&f64, u32)| Unit {
            cluster: i / per,
            part: *value,
            whole: 1.0,
        };
        values.iter().zip(0..).map(unit).collect()
    }

    proptest! {
        #[test]
        fn independent_values_give_order_statistics(values in prop::collection::vec(0_u32..1000, 1..300), q in 0.05..0.95_f64) {
            let mut values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let units = units(&values, 1);
            let one = Stratum { weight: 1.0, units: &units };
            let found = quantile_estimate(&[one], q, (0.025, 0.025)).unwrap();
            let expected = quantile_interval(&mut Ordered::new(values.clone()), q, 0.95);
            values.sort_by(f64::total_cmp);
            prop_assert!((found.value - quantile(&values, q).unwrap()).abs() < 1e-6);
            if let Some(expected) = expected {
                prop_assert_eq!((found.low, found.high), (Some(expected.low), Some(expected.high)));
            } else {
                prop_assert!(found.low.is_none() || found.high.is_none());
            }
        }
    }

    #[test]
    fn calls_of_one_request_widen_the_interval() {
        let values: Vec<f64> = (0..400_u32).map(|i| f64::from(i / 10)).collect();
        let width = |per| {
            let units = units(&values, per);
            let one = Stratum {
                weight: 1.0,
                units: &units,
            };
            let found = quantile_estimate(&[one], 0.5, (0.025, 0.025)).unwrap();
            found.high.unwrap() - found.low.unwrap()
        };
        assert!(width(10) > 2.0 * width(1), "{} {}", width(10), width(1));
    }

    #[test]
    fn small_samples_promise_one_end_of_a_tail_only() {
        let values: Vec<f64> = (0..30).map(f64::from).collect();
        let units = units(&values, 1);
        let one = Stratum {
            weight: 1.0,
            units: &units,
        };
        let found = quantile_estimate(&[one], 0.95, (0.025, 0.025)).unwrap();
        assert!(found.low.is_some() && found.high.is_none(), "{found:?}");
    }
}
