//! Where in a sequence something speaks for a claim.

use std::ops::Range;

/// Stretches of a sequence of scores whose sums are highest: the highest of all, then the highest on either side of
/// it, and so on down to `least`; in order. With scores that are logarithms of likelihood ratios, a sum of s or more
/// comes up by chance anywhere among n scores at most about n · exp(−s) times (Karlin & Altschul, "Methods for
/// Assessing the Statistical Significance of Molecular Sequence Features", 1990); the search is Kadane's (Bentley,
/// "Programming Pearls: Algorithm Design Techniques", 1984).
#[must_use]
pub fn highest_stretches(scores: &[f64], least: f64) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut left = vec![(0, scores.len())];
    while let Some((start, end)) = left.pop() {
        let (best, sum) = highest(scores, start..end);
        if sum < least || best.is_empty() {
            continue;
        }
        left.extend([(start, best.start), (best.end, end)]);
        found.push(best);
    }
    found.sort_unstable_by_key(|range| range.start);
    found
}

fn highest(scores: &[f64], part: Range<usize>) -> (Range<usize>, f64) {
    let mut best = (part.start..part.start, 0.0);
    let (mut start, mut sum) = (part.start, 0.0);
    for at in part {
        if sum <= 0.0 {
            (start, sum) = (at, 0.0);
        }
        sum += scores[at];
        if sum > best.1 {
            best = (start..at + 1, sum);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_stretch_comes_with_those_beside_it() {
        let scores = [1.0, 2.0, -9.0, 4.0, -1.0, 4.0, -9.0, 0.5];
        assert_eq!(highest_stretches(&scores, 3.0), [0..2, 3..6]);
        assert_eq!(highest_stretches(&scores, 0.5), [0..2, 3..6, 7..8]);
        assert_eq!(highest_stretches(&scores, 8.0), [] as [Range<usize>; 0]);
    }

    #[test]
    fn nothing_speaks_for_a_claim_that_all_speak_against() {
        assert_eq!(highest_stretches(&[], 0.0), [] as [Range<usize>; 0]);
        assert_eq!(
            highest_stretches(&[-1.0, -2.0], 0.0),
            [] as [Range<usize>; 0]
        );
    }
}
