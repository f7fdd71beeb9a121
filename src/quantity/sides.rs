//! A sample beside that of a baseline, like with like.

use std::collections::BTreeMap;

use super::Sample;
use crate::stats::{SurveyStratum, Unit};

/// Requests that a kind of task needs on either side to be compared.
const FEW: usize = 3;

/// What makes a kind of task weigh more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weigh {
    /// Its wholes: for means and shares, so that the kinds together give the mean of all.
    Wholes,
    /// How many values it has: for quantiles.
    Values,
}

/// Two samples of the same kinds of task, in the same mix: that of the first.
pub struct Sides {
    kinds: Vec<(f64, Vec<Unit>, Vec<Unit>)>,
    /// Values of the first sample.
    pub n: u64,
    /// Values of the second sample.
    pub n_baseline: u64,
    /// Values of the first sample whose kind the second lacks, or has too few of.
    pub left_out: u64,
}

impl Sides {
    /// Pairs the kinds that both have.
    #[must_use]
    pub fn of(now: &Sample, baseline: &Sample, weigh: Weigh) -> Self {
        let requests = |units: &[Unit]| units.chunk_by(|a, b| a.cluster == b.cluster).count();
        let enough = |units: &[Unit]| requests(units) >= FEW;
        let (mut kinds, mut left_out) = (BTreeMap::new(), 0);
        for (kind, units) in &now.strata {
            match baseline.strata.get(kind).filter(|theirs| enough(theirs)) {
                Some(theirs) if enough(units) => {
                    kinds.insert(kind, (units, theirs));
                }
                _ => left_out += units.len() as u64,
            }
        }
        let weigh = |units: &[Unit]| match weigh {
            Weigh::Wholes => units.iter().map(|unit| unit.whole).sum::<f64>(),
            Weigh::Values => units.len() as f64,
        };
        let all: f64 = kinds.values().map(|(units, _)| weigh(units)).sum();
        let count = |sum: u64, units: &[Unit]| sum + units.len() as u64;
        Self {
            n: kinds.values().fold(0, |sum, (units, _)| count(sum, units)),
            n_baseline: kinds.values().fold(0, |sum, (_, units)| count(sum, units)),
            left_out,
            kinds: kinds
                .into_values()
                .map(|(now, before)| (weigh(now) / all, now.clone(), before.clone()))
                .collect(),
        }
    }

    /// The first sample.
    #[must_use]
    pub fn now(&self) -> Vec<SurveyStratum<'_>> {
        let kinds = self.kinds.iter();
        kinds
            .map(|(weight, units, _)| SurveyStratum {
                weight: *weight,
                units,
            })
            .collect()
    }

    /// The second sample, in the mix of the first.
    #[must_use]
    pub fn baseline(&self) -> Vec<SurveyStratum<'_>> {
        let kinds = self.kinds.iter();
        kinds
            .map(|(weight, _, units)| SurveyStratum {
                weight: *weight,
                units,
            })
            .collect()
    }
}
