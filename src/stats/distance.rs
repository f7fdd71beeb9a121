//! How far two sets of counts are apart, and whether chance explains it.

/// Jensen–Shannon divergence of two sets of counts in bits, 0 (same shares) to 1 (nothing in
/// common): Lin, "Divergence Measures Based on the Shannon Entropy" (1991). `None` when either is
/// empty. Extra entries of the longer slice count as missing from the other.
#[must_use]
pub fn jensen_shannon(left: &[u64], right: &[u64]) -> Option<f64> {
    let total = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
    let (left_total, right_total) = (total(left), total(right));
    if left_total == 0.0 || right_total == 0.0 {
        return None;
    }
    let term = |p: f64, middle: f64| {
        if p > 0.0 {
            p * (p / middle).log2()
        } else {
            0.0
        }
    };
    let sum: f64 = pairs(left, right)
        .map(|(a, b)| {
            let (p, q) = (a as f64 / left_total, b as f64 / right_total);
            let middle = (p + q) / 2.0;
            term(p, middle) + term(q, middle)
        })
        .sum();
    Some((sum / 2.0).clamp(0.0, 1.0))
}

/// A G statistic: comparable to chi-square with `df` degrees of freedom.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct GTest {
    /// Twice the log-likelihood ratio, after Williams' correction.
    pub g: f64,
    /// Degrees of freedom: categories that occur, less one.
    pub df: u32,
}

impl GTest {
    /// The chance of a statistic this large when both sets come from the same shares.
    #[must_use]
    pub fn p_value(self) -> f64 {
        chi_square_tail(self.g, self.df)
    }
}

/// G-test of homogeneity of two sets of counts, with Williams' correction for small samples:
/// Sokal & Rohlf, "Biometry", 3rd ed. (1995), section 17.4. Pool rare categories first.
#[must_use]
pub fn g_test(left: &[u64], right: &[u64]) -> GTest {
    let (a, b) = pairs(left, right).fold((0, 0), |(a, b), (l, r)| (a + l, b + r));
    let seen = pairs(left, right).filter(|(l, r)| l + r > 0);
    let df = (seen.clone().count() as u32).saturating_sub(1);
    if a == 0 || b == 0 || df == 0 {
        return GTest::default();
    }
    let (a, b) = (a as f64, b as f64);
    let n = a + b;
    let (mut g, mut inverse) = (0.0, 0.0);
    for (l, r) in seen {
        let both = (l + r) as f64;
        inverse += n / both;
        for (count, side) in [(l as f64, a), (r as f64, b)] {
            if count > 0.0 {
                g += 2.0 * count * (count * n / (both * side)).ln();
            }
        }
    }
    let williams = 1.0 + (n / a + n / b - 1.0) * (inverse - 1.0) / (6.0 * n * f64::from(df));
    GTest {
        g: (g / williams).max(0.0),
        df,
    }
}

/// P(X ≥ x) for chi-square with `df` degrees of freedom: the regularised upper incomplete gamma
/// function Q(df/2, x/2), by series below its mean and by continued fraction above (Press et al.,
/// "Numerical Recipes", section 6.2). 1 when `df` is 0.
#[must_use]
pub fn chi_square_tail(x: f64, df: u32) -> f64 {
    if df == 0 || x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    let (s, x) = (f64::from(df) / 2.0, x / 2.0);
    let scale = (s * x.ln() - x - ln_gamma(s)).exp();
    let tail = if x < s + 1.0 {
        1.0 - scale * lower_series(s, x)
    } else {
        scale * upper_fraction(s, x)
    };
    tail.clamp(0.0, 1.0)
}

/// P(|Z| ≥ |z|) for a standard normal Z.
#[must_use]
pub fn normal_two_sided(z: f64) -> f64 {
    chi_square_tail(z * z, 1)
}

fn lower_series(s: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0 / s, 1.0 / s);
    for n in 1..1000 {
        term *= x / (s + f64::from(n));
        sum += term;
        if term < sum * 1e-16 {
            break;
        }
    }
    sum
}

/// Lentz's method.
fn upper_fraction(s: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut b = x + 1.0 - s;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away(b);
    let mut value = d;
    for n in 1..1000 {
        let n = f64::from(n);
        let a = -n * (n - s);
        b += 2.0;
        d = 1.0 / away(a * d + b);
        c = away(b + a / c);
        let step = c * d;
        value *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// ln Γ(x) for x > 0: Lanczos' approximation with g = 7 and nine terms (P. Godfrey's coefficients).
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        let pi = std::f64::consts::PI;
        return (pi / (pi * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum = TERMS
        .iter()
        .zip(1_u8..)
        .fold(0.999_999_999_999_809_9, |sum, (term, i)| {
            sum + term / (x + f64::from(i))
        });
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

fn pairs<'a>(left: &'a [u64], right: &'a [u64]) -> impl Iterator<Item = (u64, u64)> + Clone + 'a {
    let at = |counts: &[u64], i: usize| counts.get(i).copied().unwrap_or(0);
    (0..left.len().max(right.len())).map(move |i| (at(left, i), at(right, i)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tails_of_the_printed_tables() {
        for (x, df, p) in [
            (3.841, 1, 0.05),
            (6.635, 1, 0.01),
            (16.919, 9, 0.05),
            (21.666, 9, 0.01),
            (124.342, 100, 0.05),
            (2.706, 1, 0.1),
            (1.386, 2, 0.5),
        ] {
            let tail = chi_square_tail(x, df);
            assert!(
                (tail - p).abs() < 2e-4 * 10.0 * p.max(0.1),
                "{x} {df}: {tail}"
            );
        }
        assert!((normal_two_sided(1.959_964) - 0.05).abs() < 1e-6);
        assert_eq!(chi_square_tail(5.0, 0), 1.0);
        assert!(chi_square_tail(2000.0, 5) < 1e-300);
    }

    #[test]
    fn the_worked_example_of_a_g_test() {
        // By hand: 2 Σ O ln(O/E) = 16.8475, Williams' q = 1.018813.
        let test = g_test(&[30, 10], &[12, 28]);
        assert_eq!(test.df, 1);
        assert!((test.g - 16.536416).abs() < 1e-6, "{test:?}");
        assert!(test.p_value() < 1e-3);
    }

    #[test]
    fn nothing_to_compare_is_no_difference() {
        assert_eq!(g_test(&[], &[1, 2]).p_value(), 1.0);
        assert_eq!(g_test(&[5], &[9]).p_value(), 1.0);
        assert_eq!(jensen_shannon(&[0], &[1]), None);
    }

    proptest! {
        #[test]
        fn divergence_is_symmetric_and_bounded(left in prop::collection::vec(0_u64..1000, 1..12), right in prop::collection::vec(0_u64..1000, 1..12)) {
            let (a, b) = (jensen_shannon(&left, &right), jensen_shannon(&right, &left));
            prop_assert_eq!(a.is_some(), b.is_some());
            if let (Some(a), Some(b)) = (a, b) {
                prop_assert!((a - b).abs() < 1e-12 && (0.0..=1.0).contains(&a));
            }
        }

        #[test]
        fn equal_shares_have_no_distance(counts in prop::collection::vec(1_u64..1000, 2..12), times in 1_u64..20) {
            let more: Vec<u64> = counts.iter().map(|c| c * times).collect();
            prop_assert!(jensen_shannon(&counts, &more).unwrap() < 1e-9);
            prop_assert!(g_test(&counts, &more).p_value() > 0.999);
        }

        #[test]
        fn tails_fall(x in 0.0..200.0_f64, more in 0.0..50.0_f64, df in 1_u32..60) {
            prop_assert!(chi_square_tail(x + more, df) <= chi_square_tail(x, df) + 1e-12);
        }
    }
}
