//! Quantiles: of a histogram's buckets, and of plain values.
//!
//! Source: Prometheus, `promql/quantile.go`.

/// Differences of this relative size between neighbouring buckets are rounding.
const TOLERANCE: f64 = 1e-12;

/// A bucket of a histogram: how many observations are at or below a bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    pub(super) bound: f64,
    pub(super) count: f64,
}

/// The quantile `q` of cumulative buckets, interpolated inside the bucket it falls in. NaN without
/// observations or without a bucket up to infinity.
pub(super) fn of_buckets(q: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
    if buckets.last().is_none_or(|b| b.bound != f64::INFINITY) {
        return f64::NAN;
    }
    coalesce(buckets);
    make_monotonic(buckets);
    let Some((top, below)) = buckets.split_last().filter(|(_, below)| !below.is_empty()) else {
        return f64::NAN;
    };
    if top.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * top.count;
    let Some(b) = below.iter().position(|bucket| bucket.count >= rank) else {
        return below[below.len() - 1].bound;
    };
    let end = below[b].bound;
    if b == 0 && end <= 0.0 {
        return end;
    }
    let (start, before) = match b {
        0 => (0.0, 0.0),
        _ => (below[b - 1].bound, below[b - 1].count),
    };
    start + (end - start) * ((rank - before) / (below[b].count - before))
}

fn coalesce(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|next, kept| {
        let same = next.bound == kept.bound;
        if same {
            kept.count += next.count;
        }
        same
    });
}

/// Counts that go down, as rates of counters scraped at different times may, are held up.
fn make_monotonic(buckets: &mut [Bucket]) {
    let Some(mut above) = buckets.first().map(|b| b.count) else {
        return;
    };
    for bucket in &mut buckets[1..] {
        if bucket.count < above || nearly(above, bucket.count) {
            bucket.count = above;
        } else {
            above = bucket.count;
        }
    }
}

fn nearly(a: f64, b: f64) -> bool {
    let sum = a.abs() + b.abs();
    a == b || (sum > f64::MIN_POSITIVE && (a - b).abs() / sum.min(f64::MAX) < TOLERANCE)
}

/// The quantile `q` of plain values, interpolated between ranks. NaN without values.
pub(super) fn of_values(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    // NaN counts as the smallest.
    values.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b)));
    let rank = q * (values.len() - 1) as f64;
    let lower = rank.floor().max(0.0);
    let upper = ((lower + 1.0) as usize).min(values.len() - 1);
    let weight = rank - rank.floor();
    values[lower as usize] * (1.0 - weight) + values[upper] * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        let pairs = pairs.iter();
        pairs
            .map(|&(bound, count)| Bucket { bound, count })
            .collect()
    }

    #[test]
    fn a_quantile_lies_between_the_bounds_of_its_bucket() {
        let inf = f64::INFINITY;
        let mut b = buckets(&[(1.0, 0.0), (2.0, 10.0), (4.0, 20.0), (inf, 20.0)]);
        assert_eq!(of_buckets(0.75, &mut b), 3.0);
        let mut open = buckets(&[(1.0, 5.0), (inf, 10.0)]);
        assert_eq!(of_buckets(0.9, &mut open), 1.0);
        let mut none = buckets(&[(1.0, 0.0), (inf, 0.0)]);
        assert!(of_buckets(0.9, &mut none).is_nan());
        let mut closed = buckets(&[(1.0, 5.0), (2.0, 10.0)]);
        assert!(of_buckets(0.9, &mut closed).is_nan());
    }

    #[test]
    fn counts_that_go_down_are_held_up() {
        let mut b = buckets(&[(1.0, 5.0), (2.0, 4.0), (f64::INFINITY, 10.0)]);
        assert_eq!(of_buckets(0.5, &mut b), 1.0);
    }

    #[test]
    fn values_interpolate_between_ranks() {
        assert_eq!(of_values(0.5, &mut [4.0, 1.0]), 2.5);
        assert_eq!(of_values(1.0, &mut [4.0, 1.0, 9.0]), 9.0);
        assert!(of_values(0.5, &mut []).is_nan());
    }
}
