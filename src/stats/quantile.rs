//! Quantiles of samples.

/// The `p`-quantile of an ascending slice, interpolated linearly (type 7 of Hyndman & Fan, "Sample
/// quantiles in statistical packages", 1996). `None` for an empty one.
#[must_use]
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = p.clamp(0.0, 1.0) * last as f64;
    let (low, share) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(last);
    Some(sorted[low] + (sorted[high] - sorted[low]) * share)
}

/// The median of values in any order; sorts them.
#[must_use]
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7.0], 0.9), Some(7.0));
        assert_eq!(quantile(&[0.0, 10.0], 0.25), Some(2.5));
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
    }

    proptest::proptest! {
        #[test]
        fn quantiles_rise_and_stay_inside(mut sample in proptest::collection::vec(-1e9..1e9_f64, 1..50), a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
            sample.sort_by(f64::total_cmp);
            let at = |p| quantile(&sample, p).unwrap();
            assert!(at(a.min(b)) <= at(a.max(b)));
            assert!(sample[0] <= at(a) && at(a) <= sample[sample.len() - 1]);
        }
    }
}
