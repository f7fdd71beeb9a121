//! A law for values that scatter more widely to one side than to the other.

use super::median;

/// Nothing varies less than this, to either side.
const LEAST: f64 = 0.01;

/// The asymmetric Laplace law around a centre (Kotz, Kozubowski & Podgórski, *The Laplace Distribution and
/// Generalizations*, 2001, ch. 3). Its tails are long: a value far out says no more than one not quite so far.
#[derive(Clone, Copy, Debug)]
pub struct Lopsided {
    /// Mean distance below the centre.
    below: f64,
    /// Mean distance above it.
    above: f64,
}

impl Lopsided {
    /// The law of values around their median. `None` without values.
    #[must_use]
    pub fn fit(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        let centre = median(&mut values)?;
        let mean = |side: f64| {
            let distances = values.iter().map(|v| side * (v - centre));
            let (sum, n) = distances
                .filter(|d| *d > 0.0)
                .fold((0.0, 0), |(sum, n), d| (sum + d, n + 1));
            (sum / f64::from(n.max(1))).max(LEAST)
        };
        Some(Self {
            below: mean(-1.0),
            above: mean(1.0),
        })
    }

    /// How much likelier a distance from the centre is where the centre lies `shift` higher: the logarithm of the
    /// ratio.
    #[must_use]
    pub fn gain(&self, distance: f64, shift: f64) -> f64 {
        self.height(distance - shift) - self.height(distance)
    }

    fn height(&self, distance: f64) -> f64 {
        if distance > 0.0 {
            -distance / self.above
        } else {
            distance / self.below
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_its_own_width() {
        let law = Lopsided::fit([-0.2, -0.1, 0.0, 0.3, 0.5]).unwrap();
        assert!((law.below - 0.15).abs() < 1e-9 && (law.above - 0.4).abs() < 1e-9);
        let even = Lopsided::fit([1.0, 1.0]).unwrap();
        assert!((even.below - LEAST).abs() < 1e-9 && (even.above - LEAST).abs() < 1e-9);
        assert!(Lopsided::fit([]).is_none());
    }

    #[test]
    fn a_shift_is_borne_out_by_what_lies_near_it_and_no_more_by_what_lies_beyond() {
        let law = Lopsided {
            below: 0.1,
            above: 0.2,
        };
        assert!((law.gain(0.4, 0.4) - 2.0).abs() < 1e-9);
        assert!((law.gain(4.0, 0.4) - 2.0).abs() < 1e-9);
        assert!((law.gain(0.0, 0.4) + 4.0).abs() < 1e-9);
        assert!((law.gain(-1.0, 0.4) + 4.0).abs() < 1e-9);
        assert!(law.gain(0.3, 0.0).abs() < 1e-9);
    }
}
