//! A number on both sides, and whether chance explains the difference.

use super::rows::Measure;
use crate::quantity::Sides;
use crate::stats::{
    Estimate, SurveyStratum, Unit, mean_difference, mean_estimate, quantile_estimate,
    share_estimate,
};

/// Risk at each end of an interval of 95 %.
const TAIL: f64 = 0.025;

/// A number on both sides.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Difference {
    /// Of the earlier set, in the mix of tasks of the later one.
    pub base: f64,
    /// Of the later set.
    pub new: f64,
    /// Ends of the 95 % interval of `new` − `base`.
    pub low: Option<f64>,
    /// See [`Difference::low`].
    pub high: Option<f64>,
    /// Chance of so large a difference when nothing changed, of this comparison alone.
    pub p_value: Option<f64>,
}

impl Difference {
    pub(super) fn of(measure: Measure, sides: &Sides) -> Option<Self> {
        let (base, new) = (sides.baseline(), sides.now());
        let (before, after) = (estimate(measure, &base)?, estimate(measure, &new)?);
        let difference = after.value - before.value;
        // Variance estimates recovery: Zou & Donner (2008).
        let reach = |own: Option<f64>, other: Option<f64>| {
            Some((after.value - own?).hypot(before.value - other?))
        };
        let p_value = match measure {
            Measure::Mean | Measure::Rate => mean_difference(&base, &new),
            Measure::Quantile(q) => beyond(q, &base, &new),
        };
        Some(Self {
            base: before.value,
            new: after.value,
            low: reach(after.low, before.high).map(|reach| difference - reach),
            high: reach(after.high, before.low).map(|reach| difference + reach),
            p_value,
        })
    }

    /// How much larger the new number is, as a share of the old; `None` where that is zero.
    #[must_use]
    pub fn change(&self) -> Option<f64> {
        (self.base != 0.0).then(|| self.new / self.base - 1.0)
    }
}

fn estimate(measure: Measure, strata: &[SurveyStratum<'_>]) -> Option<Estimate> {
    match measure {
        Measure::Mean => mean_estimate(strata, (TAIL, TAIL)),
        Measure::Rate => share_estimate(strata, (TAIL, TAIL)),
        Measure::Quantile(q) => quantile_estimate(strata, q, (TAIL, TAIL)),
    }
}

/// Whether as many values as before lie beyond the quantile of both sides together.
fn beyond(q: f64, base: &[SurveyStratum<'_>], new: &[SurveyStratum<'_>]) -> Option<f64> {
    let pooled: Vec<Vec<Unit>> = base
        .iter()
        .zip(new)
        .map(|(base, new)| [base.units, new.units].concat())
        .collect();
    let both: Vec<SurveyStratum<'_>> = pooled
        .iter()
        .zip(new)
        .map(|(units, new)| SurveyStratum {
            weight: new.weight,
            units,
        })
        .collect();
    let limit = quantile_estimate(&both, q, (TAIL, TAIL))?.value;
    let marked = |strata: &[SurveyStratum<'_>]| -> Vec<Vec<Unit>> {
        let mark = |unit: &Unit| Unit {
            part: f64::from(unit.value() > limit),
            whole: 1.0,
            ..*unit
        };
        let marked = strata.iter();
        marked
            .map(|stratum| stratum.units.iter().map(mark).collect())
            .collect()
    };
    let (before, after) = (marked(base), marked(new));
    mean_difference(&again(base, &before), &again(new, &after))
}

fn again<'u>(strata: &[SurveyStratum<'_>], units: &'u [Vec<Unit>]) -> Vec<SurveyStratum<'u>> {
    let strata = strata.iter().zip(units);
    strata
        .map(|(stratum, units)| SurveyStratum {
            weight: stratum.weight,
            units,
        })
        .collect()
}
