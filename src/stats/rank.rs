//! Whether numbers of one set tend to be larger than those of another.

use super::distance::normal_two_sided;

/// Two sets compared within strata.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RankTest {
    /// Chance of so large a difference when both come from the same distribution.
    pub p_value: f64,
    /// How often a number of the second set exceeds one of the first, ties counted half: 0.5 where they
    /// are alike.
    pub superiority: f64,
}

/// Values of one stratum, of both sets.
#[derive(Clone, Debug, Default)]
pub struct Stratum {
    /// Of the first set.
    pub left: Vec<f64>,
    /// Of the second set.
    pub right: Vec<f64>,
}

/// Wilcoxon's rank-sum test with ties, combined over strata with van Elteren's weights 1/(N + 1):
/// Lehmann, "Nonparametrics" (1975), chapters 1 and 3. By the normal law, so for samples of ten and
/// more. `None` when no stratum has values of both sets that differ.
#[must_use]
pub fn rank_test(strata: &[Stratum]) -> Option<RankTest> {
    let (mut excess, mut variance) = (0.0, 0.0);
    let (mut wins, mut pairs) = (0.0, 0.0);
    for stratum in strata {
        let (n, m) = (stratum.left.len() as f64, stratum.right.len() as f64);
        if n == 0.0 || m == 0.0 {
            continue;
        }
        let all = n + m;
        let (ranks, ties) = rank_sum(stratum);
        let superior = ranks - m * (m + 1.0) / 2.0;
        wins += superior;
        pairs += n * m;
        let weight = 1.0 / (all + 1.0);
        excess += weight * (superior - n * m / 2.0);
        let tied = ties / (all * (all - 1.0)).max(1.0);
        variance += weight * weight * n * m / 12.0 * (all + 1.0 - tied);
    }
    (variance > 0.0).then(|| RankTest {
        p_value: normal_two_sided(excess / variance.sqrt()),
        superiority: wins / pairs,
    })
}

/// The sum of the ranks of the right side, mid-ranks for ties; and Σ t³ − t over groups of ties.
fn rank_sum(stratum: &Stratum) -> (f64, f64) {
    let left = stratum.left.iter().map(|v| (*v, false));
    let mut all: Vec<(f64, bool)> = left
        .chain(stratum.right.iter().map(|v| (*v, true)))
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut sum, mut ties, mut before) = (0.0, 0.0, 0.0);
    for group in all.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let size = group.len() as f64;
        let own = group.iter().filter(|(_, right)| *right).count() as f64;
        sum += own * (before + (size + 1.0) / 2.0);
        ties += size * size * size - size;
        before += size;
    }
    (sum, ties)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(left: &[f64], right: &[f64]) -> Stratum {
        Stratum {
            left: left.to_vec(),
            right: right.to_vec(),
        }
    }

    #[test]
    fn the_rank_sum_of_the_textbook() {
        // W of the right side: 3 + 4.5 + 6 = 13.5 of ranks 1..6, with one tie of two.
        let stratum = one(&[1.0, 2.0, 4.0], &[3.0, 4.0, 5.0]);
        assert_eq!(rank_sum(&stratum), (13.5, 6.0));
        let test = rank_test(&[stratum]).unwrap();
        assert!((test.superiority - 7.5 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn strata_are_compared_within_themselves() {
        // Within each stratum alike, though the second set has more of the larger stratum.
        let small: Vec<f64> = (0..40).map(f64::from).collect();
        let large: Vec<f64> = small.iter().map(|v| v + 1000.0).collect();
        let strata = [one(&small, &small[..4]), one(&large[..4], &large)];
        assert!(rank_test(&strata).unwrap().p_value > 1e-3);
        assert_eq!(rank_test(&[one(&[1.0], &[])]), None);
        assert_eq!(rank_test(&[one(&[2.0, 2.0], &[2.0])]), None);
    }

    proptest! {
        #[test]
        fn sides_are_exchangeable(left in prop::collection::vec(0_u8..20, 1..30), right in prop::collection::vec(0_u8..20, 1..30)) {
            let floats = |v: &[u8]| v.iter().map(|n| f64::from(*n)).collect::<Vec<_>>();
            let there = rank_test(&[one(&floats(&left), &floats(&right))]);
            let back = rank_test(&[one(&floats(&right), &floats(&left))]);
            prop_assert_eq!(there.is_some(), back.is_some());
            if let (Some(a), Some(b)) = (there, back) {
                prop_assert!((a.p_value - b.p_value).abs() < 1e-9);
                prop_assert!((a.superiority + b.superiority - 1.0).abs() < 1e-9);
            }
        }
    }
}
