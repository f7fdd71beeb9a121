//! The request that broke a budget most, or came closest to breaking it.

use crate::diagnose::Cause;
use crate::model::TraceId;
use crate::quantity::{Sample, Source};
use crate::stats::Unit;
use crate::units::Nanos;

/// One request, as proof.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Worst {
    /// Its trace.
    pub trace: TraceId,
    /// When it began.
    pub start: Nanos,
    /// How long it took.
    pub duration: Nanos,
    /// Its value, where the budget is about values.
    pub value: Option<f64>,
    /// Why it was slow; absent where it was not.
    pub cause: Option<Cause>,
}

impl Worst {
    /// The request with the worst value; of equals the first.
    pub(super) fn of_values(source: &Source<'_>, sample: &Sample, ceiling: bool) -> Option<Self> {
        let sign = if ceiling { 1.0 } else { -1.0 };
        let worst = max_by(sample, |unit| sign * unit.value())?;
        Self::at(source, worst.cluster, Some(worst.value()))
    }

    /// The request with most that counts (or most that does not, where the share should be high); of equals the one
    /// that lost most time.
    pub(super) fn of_share(source: &Source<'_>, sample: &Sample, ceiling: bool) -> Option<Self> {
        let counts = |unit: &Unit| match ceiling {
            true => unit.part,
            false => unit.whole - unit.part,
        };
        let most = max_by(sample, counts).map(|unit| counts(&unit))?;
        if most <= 0.0 {
            return None;
        }
        let units = sample.units();
        let equal = units.iter().filter(|unit| counts(unit) >= most);
        let lost = |cluster: u32| {
            let diagnosis = source.request(cluster).and_then(|(_, d)| d);
            diagnosis.map_or(Nanos::ZERO, |d| d.excess)
        };
        let worst = equal.fold(None, |worst: Option<u32>, unit| match worst {
            Some(known) if lost(known) >= lost(unit.cluster) => Some(known),
            _ => Some(unit.cluster),
        });
        Self::at(source, worst?, None)
    }

    fn at(source: &Source<'_>, cluster: u32, value: Option<f64>) -> Option<Self> {
        let (request, diagnosis) = source.request(cluster)?;
        let slow = diagnosis.filter(|d| d.slow);
        Some(Self {
            trace: request.trace,
            start: request.wall.start,
            duration: request.duration(),
            value,
            cause: slow.map(|d| d.primary.unwrap_or(Cause::Unexplained)),
        })
    }
}

/// The unit with the largest number; of equals the one of the earliest request.
fn max_by(sample: &Sample, number: impl Fn(&Unit) -> f64) -> Option<Unit> {
    let units = sample.units();
    units.into_iter().reduce(|best, unit| {
        if number(&unit) > number(&best) {
            unit
        } else {
            best
        }
    })
}
