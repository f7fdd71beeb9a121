//! Location, spread and slope that a few wild values cannot move.

use super::quantile::median;

/// Scales the median absolute deviation to the standard deviation of a normal sample: 1/Φ⁻¹(3/4).
pub const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// Median and median absolute deviation (unscaled). Half of the values may be arbitrary: Rousseeuw
/// & Croux, "Alternatives to the Median Absolute Deviation" (1993). `None` for an empty sample.
#[must_use]
pub fn median_and_mad(sample: &[f64]) -> Option<(f64, f64)> {
    let mut work = sample.to_vec();
    let centre = median(&mut work)?;
    for value in &mut work {
        *value = (*value - centre).abs();
    }
    Some((centre, median(&mut work)?))
}

/// A straight line `y = intercept + slope · x`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Line {
    /// Value at x = 0.
    pub intercept: f64,
    /// Rise per unit of x.
    pub slope: f64,
}

impl Line {
    /// The line's value at `x`.
    #[must_use]
    pub fn at(self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

/// Most pairs whose slope is looked at; beyond, points are taken at even steps.
const MOST_POINTS: usize = 600;

/// Theil–Sen line: the median of the slopes between all pairs of points with different x, and the
/// median of `y − slope · x`. Right as long as fewer than 29 % of the points are arbitrary: Sen,
/// "Estimates of the Regression Coefficient Based on Kendall's Tau" (1968). `None` unless two
/// points differ in x. Above 600 points a fixed subset in order of x is used.
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Line> {
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let points = thinned(&points);
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (index, left) in points.iter().enumerate() {
        let later = &points[index + 1..];
        let rising = later.iter().filter(|right| right.0 > left.0);
        slopes.extend(rising.map(|right| (right.1 - left.1) / (right.0 - left.0)));
    }
    let slope = median(&mut slopes)?;
    let mut rests: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    let intercept = median(&mut rests)?;
    Some(Line { intercept, slope })
}

fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let count = points.len().min(MOST_POINTS);
    (0..count)
        .filter_map(|i| points.get(i * points.len() / count).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wild_value_moves_neither_centre_nor_spread() {
        assert_eq!(median_and_mad(&[1.0, 2.0, 3.0, 4.0, 1e9]), Some((3.0, 1.0)));
        assert_eq!(median_and_mad(&[]), None);
    }

    #[test]
    fn no_line_through_one_x() {
        assert_eq!(theil_sen(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(theil_sen(&[]), None);
    }

    proptest! {
        #[test]
        fn a_quarter_of_bad_points_leaves_the_line_alone(slope in -50.0..50.0_f64, intercept in -50.0..50.0_f64, n in 8_usize..900, bad in -1e6..1e6_f64) {
            let points: Vec<_> = (0..n)
                .map(|i| {
                    let x = i as f64;
                    (x, if i % 5 == 3 { bad } else { intercept + slope * x })
                })
                .collect();
            let line = theil_sen(&points).unwrap();
            prop_assert!((line.slope - slope).abs() < 1e-6, "{line:?}");
            prop_assert!((line.at(0.0) - intercept).abs() < 1e-3, "{line:?}");
        }
    }
}
