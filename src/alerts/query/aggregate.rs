//! Aggregation: `sum`, `avg`, `max`, `topk` and their kin, `by` or `without` labels.

use hashbrown::HashMap;

use super::node::{Node, Regroup};
use super::{Instant, Sample, call, quantile, range};
use crate::alerts::labels::LabelId;
use crate::alerts::store::Store;

/// What becomes of the elements of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum How {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    Quantile,
    TopK,
    BottomK,
}

/// An aggregation.
#[derive(Debug)]
pub(super) struct Aggregate {
    pub(super) how: How,
    /// How many (`topk`), or which quantile.
    pub(super) number: Option<Box<Node>>,
    pub(super) of: Box<Node>,
    pub(super) group: Regroup,
}

impl Aggregate {
    pub(super) fn eval(&mut self, store: &mut Store, now: Instant) -> Result<Vec<Sample>, String> {
        let number = match &mut self.number {
            Some(node) => node.eval(store, now)?.scalar(),
            None => f64::NAN,
        };
        let samples = self.of.eval(store, now)?.into_vector(store);
        let mut order: Vec<(LabelId, Vec<Sample>)> = Vec::new();
        let mut known = HashMap::<LabelId, usize, foldhash::fast::FixedState>::default();
        for sample in samples {
            let group = self.group.of(store, sample.0);
            let index = *known.entry(group).or_insert_with(|| {
                order.push((group, Vec::new()));
                order.len() - 1
            });
            order[index].1.push(sample);
        }
        if let How::TopK | How::BottomK = self.how {
            return Ok(order
                .into_iter()
                .flat_map(|(_, members)| self.extreme(members, number))
                .collect());
        }
        Ok(order
            .into_iter()
            .map(|(group, members)| (group, self.one(&members, number)))
            .collect())
    }

    fn one(&self, members: &[Sample], number: f64) -> f64 {
        let values = || members.iter().map(|m| m.1);
        let all = || values().collect::<Vec<f64>>();
        match self.how {
            How::Sum => range::sum(values()),
            How::Avg => range::mean(values()),
            How::Min => extreme(values(), |a, b| b < a),
            How::Max => extreme(values(), |a, b| b > a),
            How::Count => members.len() as f64,
            How::Group => 1.0,
            How::Stddev => range::variance(&all()).sqrt(),
            How::Stdvar => range::variance(&all()),
            How::Quantile => quantile::of_values(number, &mut all()),
            How::TopK | How::BottomK => f64::NAN,
        }
    }

    fn extreme(&self, mut members: Vec<Sample>, number: f64) -> Vec<Sample> {
        call::sort(&mut members, self.how == How::TopK);
        members.truncate(if number >= 1.0 { number as usize } else { 0 });
        members
    }
}

/// NaN gives way to anything.
fn extreme(values: impl Iterator<Item = f64>, better: impl Fn(f64, f64) -> bool) -> f64 {
    let best = values.reduce(|a, b| if a.is_nan() || better(a, b) { b } else { a });
    best.unwrap_or(f64::NAN)
}
