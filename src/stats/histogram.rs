//! Counts of values in buckets: a sample that can be merged in any order.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Bits of a value's fraction that a bucket keeps: 32 buckets per doubling, 3.1 % wide.
const BITS: u32 = 5;

/// Counts of non-negative integers in buckets that widen with the value, like HdrHistogram
/// (G. Tene): exact below 64, then within 1/32 of the value. All state is integer counts, so that
/// folding parts and merging them equals folding the whole, in any order.
///
/// In JSON it is the list of its `[bucket, count]` pairs, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: BTreeMap<u16, u64>,
}

impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(&self.counts)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut histogram = Self::default();
        for (bucket, count) in Vec::<(u16, u64)>::deserialize(from)? {
            if bucket > LAST {
                let limit = format!("bucket {bucket}; buckets end at {LAST}");
                return Err(D::Error::custom(limit));
            }
            histogram.count(bucket, count);
        }
        Ok(histogram)
    }
}

impl Histogram {
    /// Counts one value.
    pub fn add(&mut self, value: u64) {
        self.count(bucket(value), 1);
    }

    fn count(&mut self, bucket: u16, times: u64) {
        if times > 0 {
            let count = self.counts.entry(bucket).or_default();
            *count = count.saturating_add(times);
        }
    }

    /// Takes in what another histogram counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.counts {
            self.count(*bucket, *count);
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.counts
            .values()
            .fold(0, |sum, n| sum.saturating_add(*n))
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
                seen = count.saturating_add(seen);
                seen >= rank
            })
            .map(|(bucket, _)| middle(*bucket))
    }

    /// The values, each as the middle of its bucket, ascending; where there are more than `most`, those
    /// at as many even ranks.
    #[must_use]
    pub fn sample(&self, most: u32) -> Vec<f64> {
        let total = self.len();
        let size = total.min(u64::from(most));
        let mut sample = Vec::with_capacity(size as usize);
        let mut seen = 0_u64;
        for (bucket, count) in &self.counts {
            seen = seen.saturating_add(*count);
            // Value number `i` stands for the rank in the middle of its share of all ranks.
            let until = (u128::from(size) * u128::from(seen) * 2 / u128::from(total)).div_ceil(2);
            let more = (until as usize).saturating_sub(sample.len());
            sample.extend(std::iter::repeat_n(middle(*bucket) as f64, more));
        }
        sample
    }
}

/// The last bucket: that of `u64::MAX`.
const LAST: u16 = ((u64::BITS - BITS - 1) << BITS) as u16 + (1 << (BITS + 1)) - 1;

/// The bucket that holds `value`.
#[must_use]
pub(crate) fn bucket(value: u64) -> u16 {
    let exponent = (u64::BITS - value.leading_zeros()).saturating_sub(BITS + 1);
    // Below 64 this is the value itself; above, 32 buckets for each further bit.
    ((exponent << BITS) as u64 + (value >> exponent)) as u16
}

/// The middle of a bucket; of one that does not exist, that of the last.
#[must_use]
pub(crate) fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket.min(LAST));
    let exponent = (bucket >> BITS).saturating_sub(1);
    let low = (bucket - (exponent << BITS)) << exponent;
    low + ((1_u64 << exponent) >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_bucket_is_that_of_the_greatest_value() {
        assert_eq!(bucket(u64::MAX), LAST);
        let beyond = format!("[[{}, 1]]", LAST + 1);
        let error = serde_json::from_str::<Histogram>(&beyond).unwrap_err();
        assert!(error.to_string().contains("buckets end at"), "{error}");
    }

    proptest! {
        #[test]
        fn a_bucket_is_close_to_its_values(value in any::<u64>()) {
            let near = middle(bucket(value));
            let off = near.abs_diff(value) as f64;
            prop_assert!(off <= 0.016 * value as f64, "{value} as {near}");
        }

        #[test]
        fn what_is_written_is_read_again(values in prop::collection::vec(any::<u64>(), 0..50)) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|v| histogram.add(*v));
            let text = serde_json::to_string(&histogram).unwrap();
            prop_assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), histogram);
        }

        #[test]
        fn a_sample_has_the_quantiles_of_the_whole(values in prop::collection::vec(1_u64..1_000_000, 1..300), most in 1_u32..400) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|v| histogram.add(*v));
            let sample = histogram.sample(most);
            prop_assert_eq!(sample.len(), values.len().min(most as usize));
            prop_assert!(sample.is_sorted());
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let (size, i) = (sample.len(), sample.len() / 2);
            let rank = ((2 * i + 1) * sorted.len()).div_ceil(2 * size);
            prop_assert_eq!(sample[i], super::middle(super::bucket(sorted[rank - 1])) as f64);
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
