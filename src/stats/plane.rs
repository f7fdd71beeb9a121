//! What two kinds of work cost, from times that faults can only make longer.

/// `base + per_x · x + per_y · y`, none of them negative.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Plane {
    /// Value at x = y = 0.
    pub base: f64,
    /// Rise per unit of x.
    pub per_x: f64,
    /// Rise per unit of y.
    pub per_y: f64,
}

impl Plane {
    /// Value at (x, y).
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> f64 {
        self.base + self.per_x * x + self.per_y * y
    }
}

/// Rounds of reweighting; the coefficients settle to a percent in about ten.
const ROUNDS: usize = 16;
/// Most rows that are looked at; beyond, rows are taken at even steps.
const MOST_ROWS: usize = 20_000;
/// Relative residuals below this count alike.
const CLOSE: f64 = 0.02;

/// Fits rows of (x, y, time > 0) by least absolute *relative* deviation, with iteratively reweighted
/// least squares (Schlossmacher, "An Iterative Technique for Absolute Deviations Curve Fitting", 1973).
/// A residual is taken relative to the time observed, so that a time a hundred times too long weighs
/// no more than one twice too long. Coefficients that would be negative are left out and the rest is
/// fitted again. `None` without rows.
#[must_use]
pub fn relative_plane(rows: &[(f64, f64, f64)]) -> Option<Plane> {
    relative_plane_above(rows, 0.5)
}

/// The same plane above a `share` of the rows, where long times weigh less: their regression quantile (Koenker & Bassett,
/// "Regression Quantiles", 1978). `None` without rows.
#[must_use]
pub fn relative_plane_above(rows: &[(f64, f64, f64)], share: f64) -> Option<Plane> {
    let step = rows.len().div_ceil(MOST_ROWS).max(1);
    // Divided by the time observed, the target is 1 for every row.
    let scaled: Vec<[f64; 3]> = rows
        .iter()
        .step_by(step)
        .filter(|r| r.2 > 0.0 && r.2.is_finite())
        .map(|&(x, y, time)| [1.0 / time, x / time, y / time])
        .collect();
    if scaled.is_empty() {
        return None;
    }
    let mut used = [true; 3];
    loop {
        let fit = reweighted(&scaled, used, share);
        let worst = (0..3)
            .filter(|&i| used[i] && fit[i] < 0.0)
            .min_by(|&a, &b| worth(&scaled, fit, a).total_cmp(&worth(&scaled, fit, b)));
        let Some(worst) = worst else {
            return Some(Plane {
                base: fit[0],
                per_x: fit[1],
                per_y: fit[2],
            });
        };
        used[worst] = false;
    }
}

/// What a coefficient contributes over all rows.
fn worth(rows: &[[f64; 3]], fit: [f64; 3], index: usize) -> f64 {
    rows.iter().map(|r| r[index] * fit[index]).sum()
}

/// `share` of the rows are to lie below.
fn reweighted(rows: &[[f64; 3]], used: [bool; 3], share: f64) -> [f64; 3] {
    let mut fit = [0.0; 3];
    for round in 0..ROUNDS {
        let mut normal = [[0.0; 4]; 3];
        for row in rows {
            let residual = 1.0 - (0..3).map(|i| row[i] * fit[i]).sum::<f64>();
            let weight = if round == 0 {
                1.0
            } else {
                let side = if residual > 0.0 { share } else { 1.0 - share };
                2.0 * side / residual.abs().max(CLOSE)
            };
            for (line, a) in normal.iter_mut().zip(row) {
                for (cell, b) in line.iter_mut().zip(row) {
                    *cell += weight * a * b;
                }
                line[3] += weight * a;
            }
        }
        fit = solve(normal, used);
    }
    fit
}

/// Gaussian elimination of the columns in use; a column without information of its own becomes zero.
fn solve(mut normal: [[f64; 4]; 3], used: [bool; 3]) -> [f64; 3] {
    let scale: [f64; 3] = std::array::from_fn(|i| normal[i][i]);
    let mut alive = used;
    for pivot in 0..3 {
        if !used[pivot] {
            continue;
        }
        if normal[pivot][pivot] <= 1e-9 * scale[pivot] {
            alive[pivot] = false;
            continue;
        }
        let line = normal[pivot];
        for (i, other) in normal.iter_mut().enumerate() {
            if i != pivot && used[i] {
                let factor = other[pivot] / line[pivot];
                for (cell, value) in other.iter_mut().zip(line) {
                    *cell -= factor * value;
                }
            }
        }
    }
    std::array::from_fn(|i| {
        if alive[i] && used[i] {
            normal[i][3] / normal[i][i]
        } else {
            0.0
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two kinds of work at known prices, every third time made longer.
    fn rows(base: f64) -> Vec<(f64, f64, f64)> {
        (0..90_u32)
            .map(|i| {
                let (x, y) = (f64::from(i * 37 % 101) * 20.0, f64::from(i * 53 % 89));
                let time = base + 0.05 * x + 2.0 * y + 1.0;
                (x, y, if i % 3 == 0 { 8.0 * time } else { time })
            })
            .collect()
    }

    #[test]
    fn long_times_do_not_move_the_prices() {
        let plane = relative_plane(&rows(30.0)).unwrap();
        assert!((plane.base - 31.0).abs() < 2.0, "{plane:?}");
        assert!((plane.per_x - 0.05).abs() < 0.005, "{plane:?}");
        assert!((plane.per_y - 2.0).abs() < 0.1, "{plane:?}");
    }

    #[test]
    fn a_lower_plane_runs_below_times_that_were_shared() {
        let shared = |i: u32, time: f64| time * (1.0 + f64::from(i * 29 % 10) / 10.0);
        let rows: Vec<_> = (0..90_u32)
            .map(|i| {
                let (x, y) = (f64::from(i * 37 % 101) * 20.0, f64::from(i * 53 % 89));
                (x, y, shared(i, 30.0 + 0.05 * x + 2.0 * y))
            })
            .collect();
        let below = |share| {
            let plane = relative_plane_above(&rows, share).unwrap();
            let below = rows.iter().filter(|r| r.2 < plane.at(r.0, r.1));
            below.count() as f64 / rows.len() as f64
        };
        for share in [0.15, 0.5, 0.8] {
            assert!((below(share) - share).abs() < 0.1, "{}", below(share));
        }
    }

    #[test]
    fn prices_are_never_negative() {
        let rows: Vec<_> = (1..50)
            .map(|i| (f64::from(i), 3.0, 100.0 - f64::from(i)))
            .collect();
        let plane = relative_plane(&rows).unwrap();
        assert!(plane.base >= 0.0 && plane.per_x >= 0.0 && plane.per_y >= 0.0);
        assert_eq!(relative_plane(&[]), None);
    }
}
