//! Whether chance explains a difference of means, whatever the values are like: by dealing them out again.

use super::random::SplitMix;
use super::survey::{self, Stratum, Sums};
use super::{mean_and_variance, normal_two_sided};

/// Chances above this are taken from the normal law: nobody acts on them.
const PLAIN: f64 = 0.1;
/// Most deals, and as many as large a difference as are enough to stop.
const DEALS: u32 = 5000;
const ENOUGH: u32 = 30;
const SEED: u64 = 0x6465_616c;

/// Chance of so large a difference of the weighted means of two sets when nothing changed: clusters are dealt to the
/// two sets again, within their strata (Good, "Permutation, Parametric, and Bootstrap Tests of Hypotheses", 3rd ed.,
/// 2005). Where no deal comes near, the normal law says how much rarer it is. Both sets have the same strata in the
/// same order. The deals are seeded. `None` when either set is empty.
#[must_use]
pub fn mean_difference(base: &[Stratum<'_>], new: &[Stratum<'_>]) -> Option<f64> {
    let (before, of_before, _) = mean_and_variance(base)?;
    let (after, of_after, _) = mean_and_variance(new)?;
    let (difference, variance) = (after - before, of_before + of_after);
    if difference == 0.0 {
        return Some(1.0);
    }
    let plain = match variance > 0.0 {
        true => normal_two_sided(difference / variance.sqrt()),
        false => 0.0,
    };
    if plain > PLAIN {
        return Some(plain);
    }
    let mut deck: Vec<(f64, usize, Vec<Sums>)> = Vec::new();
    for (base, new) in base.iter().zip(new) {
        let mut sums = survey::clusters(new.units);
        let first = sums.len();
        sums.extend(survey::clusters(base.units));
        deck.push((new.weight, first, sums));
    }
    let mut random = SplitMix::new(SEED);
    let (mut deals, mut as_large) = (0, 0);
    // What rounding makes of one deal is no smaller difference.
    let least = difference.abs() * (1.0 - 1e-9);
    while deals < DEALS && as_large < ENOUGH {
        deals += 1;
        let dealt: f64 = deck.iter_mut().map(|part| deal(part, &mut random)).sum();
        as_large += u32::from(dealt.abs() >= least);
    }
    let chance = f64::from(as_large + 1) / f64::from(deals + 1);
    Some(match as_large {
        0 => chance.min(plain),
        _ => chance,
    })
}

/// The weighted difference of one stratum after another deal.
fn deal((weight, first, sums): &mut (f64, usize, Vec<Sums>), random: &mut SplitMix) -> f64 {
    for place in 0..*first {
        let other = place + random.below(sums.len() - place);
        sums.swap(place, other);
    }
    let (new, base) = sums.split_at(*first);
    let mean = |side: &[Sums]| {
        let (part, whole) = side.iter().fold((0.0, 0.0), |(p, w), s| (p + s.0, w + s.1));
        if whole > 0.0 { part / whole } else { 0.0 }
    };
    *weight * (mean(new) - mean(base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Unit;

    /// Values that are mostly zero and seldom large: the normal law knows little of their mean.
    fn wild(random: &mut SplitMix, n: u32, more: f64) -> Vec<Unit> {
        (0..n)
            .map(|cluster| {
                let part = match random.below(20) {
                    0 => 50.0 + random.below(100) as f64,
                    _ => 0.0,
                };
                Unit {
                    cluster,
                    part: part + more,
                    whole: 1.0,
                }
            })
            .collect()
    }

    fn p(seed: u64, more: f64) -> f64 {
        let mut random = SplitMix::new(seed);
        let (left, right) = (wild(&mut random, 30, 0.0), wild(&mut random, 60, more));
        let one = |units| Stratum { weight: 1.0, units };
        mean_difference(&[one(&left)], &[one(&right)]).unwrap()
    }

    #[test]
    fn small_chances_are_as_small_as_they_say() {
        let runs = 600;
        for limit in [0.05, 0.01] {
            let alarms = (0..runs).filter(|seed| p(*seed, 0.0) <= limit).count() as f64;
            let due = limit * runs as f64;
            assert!(
                alarms <= due + 3.0 * due.sqrt(),
                "{alarms} of {runs} at {limit}"
            );
        }
        assert!(p(1, 80.0) < 1e-6);
    }

    #[test]
    fn nothing_to_deal_is_no_difference() {
        let units = wild(&mut SplitMix::new(1), 10, 0.0);
        let one = Stratum {
            weight: 1.0,
            units: &units,
        };
        assert_eq!(mean_difference(&[one], &[one]), Some(1.0));
        assert_eq!(mean_difference(&[], &[one]), None);
    }
}
