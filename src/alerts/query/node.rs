//! An expression as a tree, with what each node remembers from one instant to the next.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::aggregate::Aggregate;
use super::binary::Binary;
use super::call::Call;
use super::range::RangeCall;
use super::select::Selector;
use super::{Instant, Sample, Value};
use crate::alerts::labels::LabelId;
use crate::alerts::store::Store;
use crate::units::Sym;

/// One node.
#[derive(Debug)]
pub(super) enum Node {
    Number(f64),
    Text(String),
    Select(Selector),
    Range(RangeCall),
    Call(Call),
    Aggregate(Aggregate),
    Binary(Box<Binary>),
    Negate(Box<Node>, Regroup),
}

impl Node {
    pub(super) fn eval(&mut self, store: &mut Store, now: Instant) -> Result<Value, String> {
        match self {
            Self::Number(value) => Ok(Value::Scalar(*value)),
            Self::Text(text) => Ok(Value::Text(text.clone())),
            Self::Select(selector) => Ok(Value::Vector(selector.instant(store, now.at))),
            Self::Range(call) => call.eval(store, now).map(Value::Vector),
            Self::Call(call) => call.eval(store, now),
            Self::Aggregate(aggregate) => aggregate.eval(store, now).map(Value::Vector),
            Self::Binary(binary) => binary.eval(store, now),
            Self::Negate(inner, nameless) => Ok(match inner.eval(store, now)? {
                Value::Vector(samples) => Value::Vector(
                    samples
                        .into_iter()
                        .map(|(labels, value)| (nameless.of(store, labels), -value))
                        .collect(),
                ),
                other => Value::Scalar(-other.scalar()),
            }),
        }
    }
}

/// The part of a label set that an operation looks at, remembered per set.
#[derive(Debug)]
pub(super) struct Regroup {
    labels: Vec<Sym>,
    keep: bool,
    known: HashMap<LabelId, LabelId, foldhash::fast::FixedState>,
}

impl Regroup {
    /// Only `labels`, or all but them.
    pub(super) fn new(labels: Vec<Sym>, keep: bool) -> Self {
        Self {
            labels,
            keep,
            known: HashMap::default(),
        }
    }

    /// All but the metric name.
    pub(super) fn nameless(store: &mut Store) -> Self {
        let name = store.labels.text(crate::alerts::labels::NAME);
        Self::new(vec![name], false)
    }

    pub(super) fn of(&mut self, store: &mut Store, id: LabelId) -> LabelId {
        let Self {
            labels,
            keep,
            known,
        } = self;
        *known.entry(id).or_insert_with(|| match keep {
            true => store.labels.keep(id, labels),
            false => store.labels.without(id, labels),
        })
    }
}

/// Values of a subquery's inner expression, kept while they are inside its range.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) done: VecDeque<(i64, Vec<Sample>)>,
}

/// An operation may map two series to one set of labels, which a vector cannot hold.
pub(super) fn distinct(samples: Vec<Sample>, store: &Store) -> Result<Vec<Sample>, String> {
    if samples.len() < 2 {
        return Ok(samples);
    }
    let mut seen = hashbrown::HashSet::<LabelId, foldhash::fast::FixedState>::default();
    for (labels, _) in &samples {
        if !seen.insert(*labels) {
            let labels = store.labels.show(*labels);
            return Err(format!(
                "vector cannot contain metrics with the same labelset: {labels}"
            ));
        }
    }
    Ok(samples)
}
