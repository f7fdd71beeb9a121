//! One thing that may have changed, measured on both sides.

use std::collections::BTreeMap;

use super::{Choices, Comparison, Mix, Sides};
use crate::aggregate::profile::Amounts;
use crate::stats::{Stratum, bucket, median, middle, rank_test};
use crate::units::{Nanos, Sym};

/// How large a change is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Effect {
    /// Jensen–Shannon divergence of the shares, in bits: 0 alike, 1 nothing in common.
    Divergence(f64),
    /// How often a later request exceeds an earlier one of its kind: 0.5 alike.
    Superiority(f64),
}

/// One side of a measure.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Summary {
    /// Requests or choices that show it.
    pub n: u64,
    /// Their median, where it is a number.
    pub median: Option<f64>,
}

/// A share before and after.
#[derive(Clone, PartialEq, Debug)]
pub struct ShareChange {
    /// What it is the share of.
    pub name: String,
    /// Share before.
    pub before: f64,
    /// Share after.
    pub after: f64,
}

/// Something that may have changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Measure {
    /// Stable lower-case name.
    pub name: &'static str,
    /// What is measured, and over what.
    pub what: &'static str,
    /// Chance of so large a change when nothing changed, all comparisons of the study considered;
    /// `None` when there is too little to test.
    pub p_value: Option<f64>,
    /// How large the change is.
    pub effect: Option<Effect>,
    /// The earlier side.
    pub before: Summary,
    /// The later side.
    pub after: Summary,
    /// The shares that changed most, where shares are measured.
    pub changes: Vec<ShareChange>,
}

/// Numbers taken from one histogram of a saved period at most.
const MOST_SAVED: u32 = 5000;

/// Shares listed of a measure.
const LISTED: usize = 5;

/// Numbers of requests, in order of start within each dump.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) starts: Vec<Nanos>,
    /// Kind of task and value.
    pub(super) all: Vec<(String, f64)>,
}

impl Choices<'_> {
    /// The names chosen, compared.
    pub(super) fn measure(&self, name: &'static str, what: &'static str, sides: Sides) -> Measure {
        let cuts = self.cuts(sides);
        let tested = cuts.iter().map(|cut| (*cut, self.compare(*cut)));
        let best = tested.min_by(|(_, a), (_, b)| a.rank().total_cmp(&b.rank()));
        let (cut, found) = best.unwrap_or((0, Comparison::default()));
        let p_value = found.p_value.map(|p| (p * cuts.len() as f64).min(1.0));
        let clear = p_value.is_some_and(|p| p <= super::ALPHA);
        let shown = match sides {
            Sides::First(first) if !clear => first.min(self.all.len()),
            _ => cut,
        };
        let (before, after) = self.mixes(shown);
        let change = |tool: Sym| ShareChange {
            name: self.names.get(tool).to_owned(),
            before: before.share(tool).share().unwrap_or(0.0),
            after: after.share(tool).share().unwrap_or(0.0),
        };
        let whole = |mix: &Mix| {
            let first = found.shifts.first().map(|s| mix.share(s.tool).whole);
            first.unwrap_or(0)
        };
        let mut changes: Vec<ShareChange> = found.shifts.iter().map(|s| change(s.tool)).collect();
        let size = |c: &ShareChange| (c.after - c.before).abs();
        changes.sort_by(|a, b| {
            size(b)
                .total_cmp(&size(a))
                .then_with(|| a.name.cmp(&b.name))
        });
        changes.retain(|c| size(c) > 0.0);
        changes.truncate(LISTED);
        Measure {
            name,
            what,
            p_value,
            effect: found.divergence.map(Effect::Divergence),
            before: Summary {
                n: whole(&before),
                median: None,
            },
            after: Summary {
                n: whole(&after),
                median: None,
            },
            changes,
        }
    }
}

impl Numbers {
    fn cuts(&self, sides: Sides) -> Vec<usize> {
        let n = self.all.len();
        match sides {
            Sides::Within => super::CUTS.map(|(part, of)| n * part / of).to_vec(),
            Sides::Split(at) => vec![self.starts.partition_point(|start| *start < at)],
            Sides::First(values) => vec![values.min(n)],
        }
    }

    /// The numbers compared, within each kind of task.
    pub(super) fn measure(&self, name: &'static str, what: &'static str, sides: Sides) -> Measure {
        let cuts = self.cuts(sides);
        let enough =
            |cut: &usize| (*cut).min(self.all.len() - cut) >= super::mix::LEAST_REQUESTS as usize;
        let tested = cuts.iter().filter(|cut| enough(cut));
        let tested = tested.filter_map(|cut| Some((*cut, rank_test(&self.strata(*cut))?)));
        let best = tested.min_by(|(_, a), (_, b)| a.p_value.total_cmp(&b.p_value));
        let cut = best.map_or_else(|| cuts.first().copied().unwrap_or(0), |(cut, _)| cut);
        let side = |values: &[(String, f64)]| {
            let mut values: Vec<f64> = values.iter().map(|(_, v)| *v).collect();
            Summary {
                n: values.len() as u64,
                median: median(&mut values),
            }
        };
        let (left, right) = self.all.split_at(cut);
        Measure {
            name,
            what,
            p_value: best.map(|(_, test)| (test.p_value * cuts.len() as f64).min(1.0)),
            effect: best.map(|(_, test)| Effect::Superiority(test.superiority)),
            before: side(left),
            after: side(right),
            changes: Vec::new(),
        }
    }

    /// All numbers compared with those of a saved period, by kind of task. That keeps numbers within 1.6 %, so these
    /// are taken as coarsely.
    pub(super) fn against(
        &self,
        (name, what): (&'static str, &'static str),
        saved: &BTreeMap<&str, &Amounts>,
    ) -> Measure {
        let mut strata: BTreeMap<&str, Stratum> = BTreeMap::new();
        for (kind, amounts) in saved {
            strata.entry(kind).or_default().left = amounts.histogram().sample(MOST_SAVED);
        }
        let coarse = |value: f64| middle(bucket(value.round() as u64)) as f64;
        for (kind, value) in &self.all {
            strata.entry(kind).or_default().right.push(coarse(*value));
        }
        let strata: Vec<Stratum> = strata.into_values().collect();
        let side = |of: fn(&Stratum) -> &Vec<f64>| {
            let mut values: Vec<f64> = strata.iter().flat_map(of).copied().collect();
            Summary {
                n: values.len() as u64,
                median: median(&mut values),
            }
        };
        let (mut before, after) = (side(|s| &s.left), side(|s| &s.right));
        let enough = before.n.min(after.n) >= super::mix::LEAST_REQUESTS;
        before.n = saved.values().map(|amounts| amounts.len()).sum();
        let test = rank_test(&strata).filter(|_| enough);
        Measure {
            name,
            what,
            p_value: test.map(|test| test.p_value),
            effect: test.map(|test| Effect::Superiority(test.superiority)),
            before,
            after,
            changes: Vec::new(),
        }
    }

    fn strata(&self, cut: usize) -> Vec<Stratum> {
        let mut strata: BTreeMap<&str, Stratum> = BTreeMap::new();
        for (index, (kind, value)) in self.all.iter().enumerate() {
            let stratum = strata.entry(kind).or_default();
            let side = if index < cut {
                &mut stratum.left
            } else {
                &mut stratum.right
            };
            side.push(*value);
        }
        strata.into_values().collect()
    }
}
