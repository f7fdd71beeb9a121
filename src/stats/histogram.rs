//! Counts of values in buckets: a sample that can be merged in any order.

use std::collections::BTreeMap;

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

    proptest! {
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
