//! Functions over a range of samples: `rate`, `increase`, `avg_over_time` and their kin.
//!
//! Source: Prometheus, `promql/functions.go` (`extrapolatedRate`, `instantValue`, `linearRegression`).

use hashbrown::HashMap;

use super::node::{Node, Regroup, Steps, distinct};
use super::points::Points;
use super::select::{Selector, When};
use super::{Instant, Sample, quantile};
use crate::alerts::labels::LabelId;
use crate::alerts::store::{Store, Version};

/// A function that takes a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RangeFn {
    Rate,
    Increase,
    Delta,
    Irate,
    Idelta,
    Deriv,
    PredictLinear,
    Changes,
    Resets,
    Avg,
    Min,
    Max,
    Sum,
    Count,
    Last,
    Present,
    Stddev,
    Stdvar,
    Quantile,
    Absent,
}

impl RangeFn {
    pub(super) const NAMES: [(&'static str, Self); 20] = [
        ("rate", Self::Rate),
        ("increase", Self::Increase),
        ("delta", Self::Delta),
        ("irate", Self::Irate),
        ("idelta", Self::Idelta),
        ("deriv", Self::Deriv),
        ("predict_linear", Self::PredictLinear),
        ("changes", Self::Changes),
        ("resets", Self::Resets),
        ("avg_over_time", Self::Avg),
        ("min_over_time", Self::Min),
        ("max_over_time", Self::Max),
        ("sum_over_time", Self::Sum),
        ("count_over_time", Self::Count),
        ("last_over_time", Self::Last),
        ("present_over_time", Self::Present),
        ("stddev_over_time", Self::Stddev),
        ("stdvar_over_time", Self::Stdvar),
        ("quantile_over_time", Self::Quantile),
        ("absent_over_time", Self::Absent),
    ];
}

/// Where the samples of a range come from.
#[derive(Debug)]
pub(super) enum Source {
    Series(Selector),
    /// A subquery; its own step in milliseconds, where it gives one.
    Query(Box<Node>, When, Option<i64>, Steps),
}

/// A call of such a function.
#[derive(Debug)]
pub(super) struct RangeCall {
    pub(super) function: RangeFn,
    pub(super) source: Source,
    /// Milliseconds.
    pub(super) range: i64,
    /// The number that some functions take beside the range.
    pub(super) number: Option<Box<Node>>,
    pub(super) nameless: Regroup,
}

impl RangeCall {
    pub(super) fn eval(&mut self, store: &mut Store, now: Instant) -> Result<Vec<Sample>, String> {
        let number = match &mut self.number {
            Some(node) => node.eval(store, now)?.scalar(),
            None => f64::NAN,
        };
        let (function, range) = (self.function, self.range);
        let mut out = Vec::new();
        match &mut self.source {
            Source::Series(selector) => {
                let to = selector.when.shift(now.at);
                let ask = Ask::new((function, number), to, range, now.at, store.version);
                let version = store.version;
                let found = selector.series(store).to_vec();
                for index in found {
                    let series = &store.series[index as usize];
                    let points = Points::of(series, to.saturating_sub(range), to, version);
                    if let Some(value) = points.and_then(|p| ask.answer(&p)) {
                        out.push((series.labels, value));
                    }
                }
            }
            Source::Query(inner, when, step, steps) => {
                let to = when.shift(now.at);
                let ask = Ask::new((function, number), to, range, now.at, store.version);
                let from = to.saturating_sub(range);
                let step = step.unwrap_or(now.step).max(1);
                for (labels, points) in gather(inner, steps, store, now, (from, to), step)? {
                    if let Some(value) = Points::gathered(points).and_then(|p| ask.answer(&p)) {
                        out.push((labels, value));
                    }
                }
            }
        }
        if function == RangeFn::Absent {
            return Ok(self.absent(store, out.is_empty()));
        }
        if function != RangeFn::Last {
            for sample in &mut out {
                sample.0 = self.nameless.of(store, sample.0);
            }
        }
        distinct(out, store)
    }

    fn absent(&self, store: &mut Store, absent: bool) -> Vec<Sample> {
        let pinned = match &self.source {
            Source::Series(selector) => selector.pinned(),
            Source::Query(..) => Vec::new(),
        };
        let labels = store.labels.intern(pinned);
        absent.then_some((labels, 1.0)).into_iter().collect()
    }
}

type Gathered = Vec<(LabelId, Vec<(i64, f64)>)>;

/// Evaluates a subquery at its steps, which lie at multiples of the step since the epoch.
fn gather(
    inner: &mut Node,
    steps: &mut Steps,
    store: &mut Store,
    now: Instant,
    (from, to): (i64, i64),
    step: i64,
) -> Result<Gathered, String> {
    let inside = |at: i64| match store.version.is_left_open() {
        false => at >= from,
        true => at > from,
    };
    let mut start = from.div_euclid(step) * step;
    while !inside(start) {
        start += step;
    }
    while steps.done.front().is_some_and(|(at, _)| *at < start) {
        steps.done.pop_front();
    }
    let mut next = steps.done.back().map_or(start, |(at, _)| at + step);
    while next <= to {
        let at = Instant { at: next, ..now };
        let samples = inner.eval(store, at)?.into_vector(store);
        steps.done.push_back((next, samples));
        next += step;
    }
    let mut order: Gathered = Vec::new();
    let mut known = HashMap::<LabelId, usize, foldhash::fast::FixedState>::default();
    for (at, samples) in steps.done.iter().filter(|(at, _)| *at <= to) {
        for &(labels, value) in samples {
            let index = *known.entry(labels).or_insert_with(|| {
                order.push((labels, Vec::new()));
                order.len() - 1
            });
            order[index].1.push((*at, value));
        }
    }
    Ok(order)
}

/// What is asked of the samples of one series.
struct Ask {
    function: RangeFn,
    number: f64,
    from: i64,
    to: i64,
    range: i64,
    now: i64,
    version: Version,
}

impl Ask {
    fn new(call: (RangeFn, f64), to: i64, range: i64, now: i64, version: Version) -> Self {
        let (function, number) = call;
        Self {
            version,
            function,
            number,
            from: to.saturating_sub(range),
            to,
            range,
            now,
        }
    }

    fn answer(&self, points: &Points<'_>) -> Option<f64> {
        use RangeFn as F;
        let values = || points.values.iter().copied();
        Some(match self.function {
            F::Rate => self.extrapolated(points, true, self.range as f64 / 1000.0)?,
            F::Increase => self.extrapolated(points, true, 1.0)?,
            F::Delta => self.extrapolated(points, false, 1.0)?,
            F::Irate | F::Idelta => self.between_last(points)?,
            F::Deriv => regression(points, points.first().0)?.0,
            F::PredictLinear => {
                let (slope, intercept) = regression(points, self.now)?;
                slope * self.number + intercept
            }
            F::Changes => {
                let pairs = points.values.windows(2);
                let same = |p: &&[f64]| p[0] != p[1] && !(p[0].is_nan() && p[1].is_nan());
                pairs.filter(same).count() as f64
            }
            F::Resets => points.resets() as f64,
            F::Avg => mean(values()),
            F::Min => values().reduce(|a, b| if b < a || a.is_nan() { b } else { a })?,
            F::Max => values().reduce(|a, b| if b > a || a.is_nan() { b } else { a })?,
            F::Sum => sum(values()),
            F::Count => points.len() as f64,
            F::Last => points.last().1,
            F::Present | F::Absent => 1.0,
            F::Stddev => variance(&points.values).sqrt(),
            F::Stdvar => variance(&points.values),
            F::Quantile => quantile::of_values(self.number, &mut points.values.to_vec()),
        })
    }

    /// The increase over the whole range: what the samples show, carried on to the edges of the
    /// range where the first and last sample are near them, but never below a counter's zero; per `per` seconds.
    fn extrapolated(&self, points: &Points<'_>, counter: bool, per: f64) -> Option<f64> {
        if points.len() < 2 {
            return None;
        }
        let seconds = |millis: i64| millis as f64 / 1000.0;
        let ((first, value), (last, _)) = (points.first(), points.last());
        let increase = points.increase(counter);
        let mut to_start = seconds(first - self.from);
        let mut to_end = seconds(self.to - last);
        let sampled = seconds(last - first);
        let apart = sampled / (points.len() - 1) as f64;
        let near = apart * 1.1;
        let zero = match counter && increase > 0.0 && value >= 0.0 {
            true => sampled * (value / increase),
            false => f64::INFINITY,
        };
        if !self.version.halves_first() {
            to_start = to_start.min(zero);
        }
        if to_start >= near {
            to_start = apart / 2.0;
        }
        if self.version.halves_first() {
            to_start = to_start.min(zero);
        }
        if to_end >= near {
            to_end = apart / 2.0;
        }
        // In this order, to round as Prometheus does.
        Some(increase * ((sampled + to_start + to_end) / sampled / per))
    }

    /// From the last two samples alone.
    fn between_last(&self, points: &Points<'_>) -> Option<f64> {
        let before = points.len().checked_sub(2)?;
        let (earlier, later) = (points.values[before], points.last().1);
        let apart = (points.last().0 - points.times[before]) as f64 / 1000.0;
        match self.function {
            RangeFn::Idelta => Some(later - earlier),
            _ if later < earlier => Some(later / apart),
            _ => Some((later - earlier) / apart),
        }
    }
}

/// Slope per second and value at `at` of the line of least squares.
fn regression(points: &Points<'_>, at: i64) -> Option<(f64, f64)> {
    if points.len() < 2 {
        return None;
    }
    let n = points.len() as f64;
    let first = points.first().1;
    if points.values.iter().all(|v| *v == first) {
        return first.is_finite().then_some((0.0, first));
    }
    let (mut sx, mut sy, mut sxy, mut sxx) = (
        Kahan::default(),
        Kahan::default(),
        Kahan::default(),
        Kahan::default(),
    );
    for (time, y) in points.times.iter().zip(points.values.iter()) {
        let x = (time - at) as f64 / 1000.0;
        sx.add(x);
        sy.add(*y);
        sxy.add(x * y);
        sxx.add(x * x);
    }
    let (sx, sy, sxy, sxx) = (sx.total(), sy.total(), sxy.total(), sxx.total());
    let slope = (sxy - sx * sy / n) / (sxx - sx * sx / n);
    Some((slope, sy / n - slope * sx / n))
}

/// A sum that does not lose small terms beside large ones.
///
/// Source: Kahan 1965 in the variant of Neumaier 1974, which Prometheus uses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kahan {
    sum: f64,
    rest: f64,
}

impl Kahan {
    pub(super) fn add(&mut self, value: f64) {
        let total = self.sum + value;
        self.rest += match total {
            t if t.is_infinite() => 0.0,
            t if self.sum.abs() >= value.abs() => (self.sum - t) + value,
            t => (value - t) + self.sum,
        };
        self.sum = total;
    }

    pub(super) fn total(self) -> f64 {
        if self.sum.is_infinite() {
            return self.sum;
        }
        self.sum + self.rest
    }
}

/// The sum of `values`.
pub(super) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut all = Kahan::default();
    values.for_each(|value| all.add(value));
    all.total()
}

/// The mean of `values`; NaN without any.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let mut count = 0.0;
    let total = sum(values.inspect(|_| count += 1.0));
    total / count
}

/// The population variance of `values`.
pub(super) fn variance(values: &[f64]) -> f64 {
    let mean = mean(values.iter().copied());
    self::mean(values.iter().map(|v| (v - mean) * (v - mean)))
}
