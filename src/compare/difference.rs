//! A number on both sides, and whether chance explains the difference.

use super::rows::Measure;
use crate::quantity::Sides;
use crate::stats::{
    Estimate, SurveyStratum, mean_and_variance, mean_estimate, normal_two_sided, normal_upper,
    quantile_estimate, share_and_size, share_estimate,
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
            Measure::Mean => means(&base, &new, difference),
            Measure::Rate => shares(&base, &new),
            Measure::Quantile(_) => quantiles(before, after),
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

fn two_sided(difference: f64, variance: f64) -> Option<f64> {
    match variance {
        v if v > 0.0 => Some(normal_two_sided(difference / v.sqrt())),
        // Nothing varies: alike, or told apart by every single value.
        _ => (difference == 0.0).then_some(1.0),
    }
}

fn means(base: &[SurveyStratum<'_>], new: &[SurveyStratum<'_>], difference: f64) -> Option<f64> {
    let (_, before, _) = mean_and_variance(base)?;
    let (_, after, _) = mean_and_variance(new)?;
    two_sided(difference, before + after)
}

/// By the share of both together, as if nothing had changed.
fn shares(base: &[SurveyStratum<'_>], new: &[SurveyStratum<'_>]) -> Option<f64> {
    let ((before, n), (after, m)) = (share_and_size(base)?, share_and_size(new)?);
    let both = (before * n + after * m) / (n + m);
    two_sided(after - before, both * (1.0 - both) * (1.0 / n + 1.0 / m))
}

/// Woodruff's standard error: half the interval over its z.
fn quantiles(before: Estimate, after: Estimate) -> Option<f64> {
    let z = 2.0 * normal_upper(TAIL);
    let error = |e: Estimate| Some((e.high? - e.low?) / z);
    let (base, new) = (error(before)?, error(after)?);
    two_sided(after.value - before.value, base * base + new * new)
}
