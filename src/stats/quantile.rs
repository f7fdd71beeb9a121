//! Quantiles of a sample, and a histogram that can be merged in any order.

use std::collections::BTreeMap;

/// The `q`-quantile (0..=1) of a rising slice, linear between neighbours: type 7 of Hyndman & Fan,
/// "Sample Quantiles in Statistical Packages" (1996), the default of R, NumPy and polars.
/// `None` for an empty slice.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = q.clamp(0.0, 1.0) * last as f64;
    let low = at.floor() as usize;
    let below = *sorted.get(low)?;
    let above = *sorted.get((low + 1).min(last))?;
    Some(below + (at - low as f64) * (above - below))
}

/// The middle of a rising slice.
#[must_use]
pub fn median(sorted: &[f64]) -> Option<f64> {
    quantile(sorted, 0.5)
}

/// Bits of a value's fraction that a bucket keeps: 32 buckets per doubling, 3.1 % wide.
const BITS: u32 = 5;

/// Counts of non-negative integers in buckets that widen with the value, like HdrHistogram
/// (G. Tene): exact below 64, then within 1/32 of the value. All state is integer counts, so that
/// folding parts and merging them equals folding the whole, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: BTreeMap<u16, u64>,
}

impl Histogram {
    /// Counts one value.
    pub fn add(&mut self, value: u64) {
        *self.counts.entry(bucket(value)).or_default() += 1;
    }

    /// Takes in what another histogram counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.counts {
            *self.counts.entry(*bucket).or_default() += count;
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.counts.values().sum()
    }

    /// True before the first value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The value of rank `q` (0..=1; the smallest with at least that share at or below it), as the
    /// middle of its bucket: within 1.6 %. `None` while empty.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let total = self.len();
        let rank = ((q.clamp(0.0, 1.0) * total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        self.counts
            .iter()
            .find(|(_, count)| {
                seen += **count;
                seen >= rank
            })
            .map(|(bucket, _)| middle(*bucket))
    }
}

fn bucket(value: u64) -> u16 {
    let exponent = (u64::BITS - value.leading_zeros()).saturating_sub(BITS + 1);
    // Below 64 this is the value itself; above, 32 buckets for each further bit.
    ((exponent << BITS) as u64 + (value >> exponent)) as u16
}

fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    let exponent = (bucket >> BITS).saturating_sub(1);
    let low = (bucket - (exponent << BITS)) << exponent;
    low + ((1_u64 << exponent) >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_of_type_seven() {
        let sample = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&sample, 0.25), Some(1.75));
        assert_eq!(quantile(&sample, 1.0), Some(4.0));
        assert_eq!(median(&sample), Some(2.5));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    proptest! {
        #[test]
        fn quantiles_rise_and_stay_inside(mut sample in prop::collection::vec(-1e9..1e9_f64, 1..50), a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
            sample.sort_by(f64::total_cmp);
            let at = |q| quantile(&sample, q).unwrap();
            prop_assert!(at(a.min(b)) <= at(a.max(b)));
            prop_assert!(sample[0] <= at(a) && at(a) <= sample[sample.len() - 1]);
        }

        #[test]
        fn a_bucket_is_close_to_its_values(value in any::<u64>()) {
            let near = middle(bucket(value));
            let off = near.abs_diff(value) as f64;
            prop_assert!(off <= 0.016 * value as f64, "{value} as {near}");
        }

        #[test]
        fn merging_parts_equals_counting_the_whole(values in prop::collection::vec(any::<u64>(), 0..100), cut in 0_usize..100) {
            let count = |values: &[u64]| {
                let mut histogram = Histogram::default();
                values.iter().for_each(|v| histogram.add(*v));
                histogram
            };
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut merged = count(right);
            merged.merge(&count(left));
            prop_assert_eq!(&merged, &count(&values));
            prop_assert_eq!(merged.len(), values.len() as u64);
        }

        #[test]
        fn histogram_ranks_are_near_the_true_ones(mut values in prop::collection::vec(0_u64..1_000_000_000, 1..200), q in 0.0..=1.0_f64) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|v| histogram.add(*v));
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).max(1);
            let exact = values[rank - 1];
            let near = histogram.quantile(q).unwrap();
            prop_assert!(near.abs_diff(exact) as f64 <= 0.016 * exact as f64);
        }
    }
}
