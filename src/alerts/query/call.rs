//! Functions over an instant vector or a number.

use std::cmp::Ordering;

use super::node::{Node, Regroup, distinct};
use super::quantile::{Bucket, of_buckets};
use super::{Instant, Sample, Value};
use crate::alerts::labels::LabelId;
use crate::alerts::store::Store;
use hashbrown::HashMap;
use regex::Regex;

/// Such a function.
#[derive(Clone, Debug)]
pub(super) enum Function {
    /// A number to a number, element by element.
    Map(fn(f64) -> f64),
    /// The same with the numbers that follow.
    MapWith(fn(f64, &[f64]) -> f64),
    Scalar,
    Vector,
    Time,
    Timestamp,
    Absent,
    Sort,
    SortDesc,
    HistogramQuantile,
    /// Target, replacement, source and pattern.
    LabelReplace(Replace),
    /// A part of the date, from the time or from each element.
    Date(fn(i64) -> f64),
}

/// Arguments of `label_replace`.
#[derive(Clone, Debug)]
pub(super) struct Replace {
    pub(super) target: String,
    pub(super) with: String,
    pub(super) from: String,
    pub(super) pattern: Regex,
}

/// A call of such a function.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) args: Vec<Node>,
    pub(super) nameless: Regroup,
    /// Labels without `le`, for the buckets of a histogram.
    pub(super) unbounded: Regroup,
}

impl Call {
    pub(super) fn eval(&mut self, store: &mut Store, now: Instant) -> Result<Value, String> {
        if matches!(self.function, Function::Timestamp)
            && let Some(Node::Select(selector)) = self.args.first_mut()
        {
            let taken = selector.taken(store, now.at);
            return self.mapped(taken, store, |t| t);
        }
        let mut args = Vec::with_capacity(self.args.len());
        for arg in &mut self.args {
            args.push(arg.eval(store, now)?);
        }
        let mut args = args.into_iter();
        let first = args.next();
        let rest: Vec<Value> = args.collect();
        match &self.function {
            Function::Time => Ok(Value::Scalar(now.at as f64 / 1000.0)),
            Function::Scalar => Ok(Value::Scalar(only(first))),
            Function::Vector => Ok(Value::Vector(
                first.map(|v| v.into_vector(store)).unwrap_or_default(),
            )),
            Function::Absent => Ok(Value::Vector(self.absent(first, store))),
            Function::HistogramQuantile => {
                let q = first.map_or(f64::NAN, |v| v.scalar());
                let samples = rest.into_iter().next();
                let samples = samples.map(|v| v.into_vector(store)).unwrap_or_default();
                Ok(Value::Vector(self.quantiles(q, samples, store)))
            }
            Function::Sort | Function::SortDesc => {
                let mut samples = elements(first, store);
                sort(&mut samples, matches!(self.function, Function::SortDesc));
                Ok(Value::Vector(samples))
            }
            Function::LabelReplace(replace) => {
                let replace = replace.clone();
                let samples = elements(first, store);
                replaced(&replace, samples, store)
            }
            Function::Map(f) => {
                let f = *f;
                match first {
                    Some(Value::Scalar(value)) => Ok(Value::Scalar(f(value))),
                    other => {
                        let samples = elements(other, store);
                        self.mapped(samples, store, f)
                    }
                }
            }
            Function::MapWith(f) => {
                let f = *f;
                let numbers: Vec<f64> = rest.iter().map(Value::scalar).collect();
                let samples = elements(first, store);
                self.mapped(samples, store, |v| f(v, &numbers))
            }
            Function::Timestamp => {
                let at = now.at as f64 / 1000.0;
                let samples = elements(first, store);
                self.mapped(samples, store, |_| at)
            }
            Function::Date(part) => {
                let part = *part;
                let now = (now.at as f64 / 1000.0).floor();
                let samples = match first {
                    Some(value) => value.into_vector(store),
                    None => vec![(store.labels.intern([]), now)],
                };
                self.mapped(samples, store, |v| part(v as i64))
            }
        }
    }

    /// `f` of every element, whose metric name it no longer deserves.
    fn mapped(
        &mut self,
        samples: Vec<Sample>,
        store: &mut Store,
        f: impl Fn(f64) -> f64,
    ) -> Result<Value, String> {
        let samples = samples
            .into_iter()
            .map(|(labels, value)| (self.nameless.of(store, labels), f(value)))
            .collect();
        distinct(samples, store).map(Value::Vector)
    }

    fn absent(&self, of: Option<Value>, store: &mut Store) -> Vec<Sample> {
        if !elements(of, store).is_empty() {
            return Vec::new();
        }
        let pinned = match self.args.first() {
            Some(Node::Select(selector)) => selector.pinned(),
            _ => Vec::new(),
        };
        vec![(store.labels.intern(pinned), 1.0)]
    }

    fn quantiles(&mut self, q: f64, samples: Vec<Sample>, store: &mut Store) -> Vec<Sample> {
        let mut order: Vec<(LabelId, Vec<Bucket>)> = Vec::new();
        let mut known = HashMap::<LabelId, usize, foldhash::fast::FixedState>::default();
        for (labels, count) in samples {
            let Some(bound) = bound(store.labels.value(labels, "le")) else {
                continue;
            };
            let group = self.unbounded.of(store, labels);
            let index = *known.entry(group).or_insert_with(|| {
                order.push((group, Vec::new()));
                order.len() - 1
            });
            order[index].1.push(Bucket { bound, count });
        }
        order
            .into_iter()
            .map(|(labels, mut buckets)| (labels, of_buckets(q, &mut buckets)))
            .collect()
    }
}

/// The upper bound that a bucket's `le` says.
fn bound(text: &str) -> Option<f64> {
    match text {
        "" => None,
        "+Inf" | "Inf" => Some(f64::INFINITY),
        other => other.parse().ok(),
    }
}

fn elements(value: Option<Value>, store: &mut Store) -> Vec<Sample> {
    value.map(|v| v.into_vector(store)).unwrap_or_default()
}

/// The value of the only element; NaN for none or several.
fn only(value: Option<Value>) -> f64 {
    match value {
        Some(Value::Vector(samples)) => match samples[..] {
            [(_, value)] => value,
            _ => f64::NAN,
        },
        Some(other) => other.scalar(),
        None => f64::NAN,
    }
}

/// By value, NaN last.
pub(super) fn sort(samples: &mut [Sample], descending: bool) {
    samples.sort_by(|a, b| {
        let nan = a.1.is_nan().cmp(&b.1.is_nan());
        let value = a.1.partial_cmp(&b.1).unwrap_or(Ordering::Equal);
        nan.then(if descending { value.reverse() } else { value })
    });
}

fn replaced(replace: &Replace, samples: Vec<Sample>, store: &mut Store) -> Result<Value, String> {
    let target = store.labels.text(&replace.target);
    let samples = samples
        .into_iter()
        .map(|(labels, value)| {
            let from = store.labels.value(labels, &replace.from).to_owned();
            match replace.pattern.captures(&from) {
                None => (labels, value),
                Some(found) => {
                    let mut text = String::new();
                    found.expand(&replace.with, &mut text);
                    let text = store.labels.text(&text);
                    (store.labels.with(labels, target, text), value)
                }
            }
        })
        .collect();
    distinct(samples, store).map(Value::Vector)
}
