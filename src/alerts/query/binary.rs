//! Operators between two operands, and how elements of two vectors find each other.
//!
//! Source: Prometheus, `promql/engine.go` (`VectorBinop`, `VectorscalarBinop`, `resultMetric`).

use hashbrown::{HashMap, HashSet};

use super::node::{Node, Regroup, distinct};
use super::{Instant, Sample, Value};
use crate::alerts::labels::LabelId;
use crate::alerts::store::Store;
use crate::units::Sym;

type Set<T> = HashSet<T, foldhash::fast::FixedState>;
type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// An operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    And,
    Or,
    Unless,
}

impl Op {
    fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Greater
                | Self::Less
                | Self::AtLeast
                | Self::AtMost
        )
    }

    /// The result, and whether a filter lets it pass.
    fn of(self, a: f64, b: f64) -> (f64, bool) {
        match self {
            Self::Add => (a + b, true),
            Self::Sub => (a - b, true),
            Self::Mul => (a * b, true),
            Self::Div => (a / b, true),
            Self::Mod => (a % b, true),
            Self::Pow => (a.powf(b), true),
            Self::Atan2 => (a.atan2(b), true),
            Self::Equal => (a, a == b),
            Self::NotEqual => (a, a != b),
            Self::Greater => (a, a > b),
            Self::Less => (a, a < b),
            Self::AtLeast => (a, a >= b),
            Self::AtMost => (a, a <= b),
            Self::And | Self::Or | Self::Unless => (f64::NAN, false),
        }
    }
}

/// How many elements of one side may meet one of the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Cardinality {
    OneToOne,
    /// The left side has many; labels taken from the right.
    ManyToOne(Vec<Sym>),
    /// The right side has many; labels taken from the left.
    OneToMany(Vec<Sym>),
}

/// Two operands.
#[derive(Debug)]
pub(super) struct Binary {
    pub(super) op: Op,
    pub(super) left: Node,
    pub(super) right: Node,
    /// `bool`: 0 or 1 instead of a filter.
    pub(super) truth: bool,
    pub(super) cardinality: Cardinality,
    /// The labels that must be equal.
    pub(super) signature: Regroup,
    /// What `on` and `ignoring` leave of a one-to-one match; `None` leaves all.
    pub(super) remaining: Option<Regroup>,
    pub(super) nameless: Regroup,
}

impl Binary {
    pub(super) fn eval(&mut self, store: &mut Store, now: Instant) -> Result<Value, String> {
        let left = self.left.eval(store, now)?;
        let right = self.right.eval(store, now)?;
        match (left, right) {
            (Value::Vector(left), Value::Vector(right)) => match self.op {
                Op::And | Op::Or | Op::Unless => Ok(Value::Vector(self.set(store, left, right))),
                _ => self.vectors(store, left, right).map(Value::Vector),
            },
            (Value::Vector(left), right) => self.with_number(store, left, right.scalar(), false),
            (left, Value::Vector(right)) => self.with_number(store, right, left.scalar(), true),
            (left, right) => {
                let (value, keep) = self.op.of(left.scalar(), right.scalar());
                Ok(Value::Scalar(match self.op.is_comparison() {
                    true => f64::from(u8::from(keep)),
                    false => value,
                }))
            }
        }
    }

    fn with_number(
        &mut self,
        store: &mut Store,
        samples: Vec<Sample>,
        number: f64,
        number_first: bool,
    ) -> Result<Value, String> {
        let mut out = Vec::with_capacity(samples.len());
        for (labels, element) in samples {
            let (mut value, keep) = match number_first {
                true => self.op.of(number, element),
                false => self.op.of(element, number),
            };
            if self.op.is_comparison() {
                value = element;
            }
            if self.truth {
                value = f64::from(u8::from(keep));
            } else if !keep {
                continue;
            }
            out.push((self.named(store, labels), value));
        }
        distinct(out, store).map(Value::Vector)
    }

    /// The metric name stays with a filter only.
    fn named(&mut self, store: &mut Store, labels: LabelId) -> LabelId {
        if self.op.is_comparison() && !self.truth {
            return labels;
        }
        self.nameless.of(store, labels)
    }

    fn set(&mut self, store: &mut Store, left: Vec<Sample>, right: Vec<Sample>) -> Vec<Sample> {
        let other = if self.op == Op::Or { &left } else { &right };
        let there: Set<LabelId> = other
            .iter()
            .map(|(labels, _)| self.signature.of(store, *labels))
            .collect();
        let mut has = |sample: &Sample| there.contains(&self.signature.of(store, sample.0));
        match self.op {
            Op::And => left.into_iter().filter(has).collect(),
            Op::Unless => left.into_iter().filter(|s| !has(s)).collect(),
            _ => {
                let more: Vec<Sample> = right.into_iter().filter(|s| !has(s)).collect();
                left.into_iter().chain(more).collect()
            }
        }
    }

    fn vectors(
        &mut self,
        store: &mut Store,
        left: Vec<Sample>,
        right: Vec<Sample>,
    ) -> Result<Vec<Sample>, String> {
        let swapped = matches!(self.cardinality, Cardinality::OneToMany(_));
        let (many, one) = if swapped {
            (right, left)
        } else {
            (left, right)
        };
        let mut ones: Map<LabelId, Sample> = Map::default();
        for sample in one {
            let signature = self.signature.of(store, sample.0);
            if ones.insert(signature, sample).is_some() {
                let side = if swapped { "left" } else { "right" };
                return Err(format!(
                    "found duplicate series for the match group {} on the {side} hand-side of the operation",
                    store.labels.show(signature)
                ));
            }
        }
        let mut out = Vec::new();
        let mut matched: Set<(LabelId, LabelId)> = Set::default();
        for (labels, value) in many {
            let signature = self.signature.of(store, labels);
            let Some(&(partner, other)) = ones.get(&signature) else {
                continue;
            };
            let (mut value, keep) = match swapped {
                true => self.op.of(other, value),
                false => self.op.of(value, other),
            };
            if self.truth {
                value = f64::from(u8::from(keep));
            } else if !keep {
                continue;
            }
            let labels = self.result(store, labels, partner);
            let key = match self.cardinality {
                Cardinality::OneToOne => (signature, LabelId::MAX),
                _ => (signature, labels),
            };
            if !matched.insert(key) {
                return Err(self.ambiguous(store, signature));
            }
            out.push((labels, value));
        }
        distinct(out, store)
    }

    fn ambiguous(&self, store: &Store, signature: LabelId) -> String {
        let group = store.labels.show(signature);
        match self.cardinality {
            Cardinality::OneToOne => format!(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right), at {group}"
            ),
            _ => format!(
                "multiple matches for labels: grouping labels must ensure unique matches, at {group}"
            ),
        }
    }

    /// Labels of a result from those of the many side and of its partner.
    fn result(&mut self, store: &mut Store, labels: LabelId, partner: LabelId) -> LabelId {
        let mut labels = self.named(store, labels);
        match &self.cardinality {
            Cardinality::OneToOne => {
                if let Some(remaining) = &mut self.remaining {
                    labels = remaining.of(store, labels);
                }
            }
            Cardinality::ManyToOne(taken) | Cardinality::OneToMany(taken) => {
                for name in taken {
                    let value = store.labels.symbol(partner, *name);
                    labels = store.labels.with(labels, *name, value);
                }
            }
        }
        labels
    }
}
