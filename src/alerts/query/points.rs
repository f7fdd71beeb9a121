//! The samples of one series inside a range.

use crate::alerts::store::{Series, Version, is_stale};

/// Samples of one series inside a range, markers of its end left out.
pub(super) struct Points<'s> {
    pub(super) times: std::borrow::Cow<'s, [i64]>,
    pub(super) values: std::borrow::Cow<'s, [f64]>,
    /// The value before each reset.
    lost: Vec<f64>,
}

impl<'s> Points<'s> {
    /// The samples of `series` from `from` to `to`; `None` where there are none.
    pub(super) fn of(series: &'s Series, from: i64, to: i64, version: Version) -> Option<Self> {
        let range = series.range(from, to, version);
        if range.is_empty() {
            return None;
        }
        let (times, values) = (
            series.times.get(range.clone())?,
            series.values.get(range.clone())?,
        );
        if series.ends && values.iter().copied().any(is_stale) {
            let kept = times.iter().zip(values).filter(|(_, v)| !is_stale(**v));
            return Self::gathered(kept.map(|(&t, &v)| (t, v)).collect());
        }
        let first = series
            .resets
            .partition_point(|&at| (at as usize) <= range.start);
        let resets = series.resets.get(first..).unwrap_or_default().iter();
        let inside = resets.take_while(|&&at| (at as usize) < range.end);
        Some(Self {
            times: times.into(),
            values: values.into(),
            lost: inside.map(|&at| series.values[at as usize - 1]).collect(),
        })
    }

    /// Samples that belong to no stored series.
    pub(super) fn gathered(samples: Vec<(i64, f64)>) -> Option<Self> {
        let (times, values): (Vec<i64>, Vec<f64>) = samples.into_iter().unzip();
        let pairs = values.windows(2).filter(|pair| pair[1] < pair[0]);
        let lost = pairs.map(|pair| pair[0]).collect();
        (!times.is_empty()).then(|| Self {
            times: times.into(),
            values: values.into(),
            lost,
        })
    }

    pub(super) fn first(&self) -> (i64, f64) {
        (self.times[0], self.values[0])
    }

    pub(super) fn last(&self) -> (i64, f64) {
        let last = self.times.len() - 1;
        (self.times[last], self.values[last])
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// How often the series went down.
    pub(super) fn resets(&self) -> usize {
        self.lost.len()
    }

    /// Last less first value; for a counter, what resets took away is added again.
    pub(super) fn increase(&self, counter: bool) -> f64 {
        let plain = self.last().1 - self.first().1;
        let lost = self.lost.iter().filter(|_| counter);
        lost.fold(plain, |sum, lost| sum + lost)
    }
}
