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

/// The median of values in any order; reorders them. Selects instead of sorting, with the same result.
#[must_use]
pub fn median(values: &mut [f64]) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let at = 0.5 * last as f64;
    let (_, low, above) = values.select_nth_unstable_by(at.floor() as usize, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    Some(low + (high - low) * at.fract())
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
        fn selecting_the_median_is_sorting_for_it(mut sample in proptest::collection::vec(-1e9..1e9_f64, 0..50)) {
            let selected = median(&mut sample);
            sample.sort_by(f64::total_cmp);
            assert_eq!(selected, quantile(&sample, 0.5));
        }

        #[test]
        fn quantiles_rise_and_stay_inside(mut sample in proptest::collection::vec(-1e9..1e9_f64, 1..50), a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
            sample.sort_by(f64::total_cmp);
            let at = |p| quantile(&sample, p).unwrap();
            assert!(at(a.min(b)) <= at(a.max(b)));
            assert!(sample[0] <= at(a) && at(a) <= sample[sample.len() - 1]);
        }
    }
}
