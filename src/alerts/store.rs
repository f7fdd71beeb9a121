//! The time series that rules are evaluated over, as Prometheus stores them: milliseconds and floats.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use super::labels::{LabelId, Labels, NAME};
use crate::units::Sym;

/// The value that ends a series: it is absent from here on, not merely old.
///
/// Source: Prometheus `model/value.StaleNaN`.
pub(super) const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// True for [`STALE`] and no other NaN.
pub(super) fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE.to_bits()
}

/// Which Prometheus is followed where versions differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// Major version.
    pub major: u16,
    /// Minor version.
    pub minor: u16,
}

impl Version {
    /// The last of the second major version.
    pub const V2: Self = Self {
        major: 2,
        minor: 55,
    };
    /// The third major version.
    pub const V3: Self = Self { major: 3, minor: 1 };

    /// True when a sample exactly at the left edge of a range is outside (from 3.0 on).
    pub(super) fn is_left_open(self) -> bool {
        self.major >= 3
    }

    /// True when a rate is carried on beyond the first sample by half an interval at most where the
    /// range is not covered, even if a counter's zero is further away (from 2.51 on).
    pub(super) fn halves_first(self) -> bool {
        self >= Self {
            major: 2,
            minor: 51,
        }
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::V2
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    /// `3`, or `2.42`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (major, minor) = text.split_once('.').unwrap_or((text, ""));
        match (major.parse(), minor.parse()) {
            (Ok(2), Err(_)) if minor.is_empty() => Ok(Self::V2),
            (Ok(3), Err(_)) if minor.is_empty() => Ok(Self::V3),
            (Ok(major @ 2..=3), Ok(minor)) => Ok(Self { major, minor }),
            _ => Err("expected a version of Prometheus such as 3 or 2.42".to_owned()),
        }
    }
}

/// How long a sample stands for its series after it was taken, milliseconds.
const LOOKBACK: i64 = 300_000;

/// One series.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) labels: LabelId,
    /// Unix milliseconds, ascending.
    pub(super) times: Arc<Vec<i64>>,
    pub(super) values: Vec<f64>,
    /// Positions whose value is below the one before: a counter that started anew.
    pub(super) resets: Vec<u32>,
    /// True when some values are [`STALE`].
    pub(super) ends: bool,
}

impl Series {
    pub(super) fn new(labels: LabelId, times: Arc<Vec<i64>>, values: Vec<f64>) -> Self {
        let pairs = values.windows(2).zip(1u32..);
        let resets = pairs.filter(|(pair, _)| pair[1] < pair[0]);
        Self {
            labels,
            times,
            resets: resets.map(|(_, at)| at).collect(),
            ends: values.iter().any(|v| is_stale(*v)),
            values,
        }
    }

    /// Positions of the samples in a range that ends at `to`.
    pub(super) fn range(&self, from: i64, to: i64, version: Version) -> Range<usize> {
        let start = match version.is_left_open() {
            false => self.times.partition_point(|&t| t < from),
            true => self.times.partition_point(|&t| t <= from),
        };
        start..self.times.partition_point(|&t| t <= to).max(start)
    }

    /// The sample that stands for the series at `at`.
    pub(super) fn at(&self, at: i64, version: Version) -> Option<(i64, f64)> {
        let last = self.range(at - LOOKBACK, at, version).next_back()?;
        let (time, value) = (*self.times.get(last)?, *self.values.get(last)?);
        (!is_stale(value)).then_some((time, value))
    }

    /// A sample after all others.
    pub(super) fn push(&mut self, time: i64, value: f64) {
        if self.values.last().is_some_and(|last| value < *last) {
            self.resets.push(self.values.len() as u32);
        }
        Arc::make_mut(&mut self.times).push(time);
        self.values.push(value);
        self.ends |= is_stale(value);
    }
}

/// All series of a replay.
#[derive(Debug, Default)]
pub struct Store {
    /// Their labels.
    pub labels: Labels,
    pub(super) series: Vec<Series>,
    by_name: HashMap<Sym, Vec<u32>>,
    by_labels: HashMap<LabelId, u32>,
    /// Which Prometheus is followed.
    pub version: Version,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    /// Number of series.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// True when there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Takes in a series; times ascend. One of the same labels must not be there yet.
    pub fn insert(&mut self, labels: LabelId, times: Arc<Vec<i64>>, values: Vec<f64>) {
        let index = self.series.len() as u32;
        let name = self.labels.text(NAME);
        let name = self.labels.symbol(labels, name);
        self.by_name.entry(name).or_default().push(index);
        self.by_labels.insert(labels, index);
        self.series.push(Series::new(labels, times, values));
    }

    /// Appends one sample of a recorded series.
    pub(super) fn append(&mut self, labels: LabelId, time: i64, value: f64) {
        match self.by_labels.get(&labels) {
            Some(&index) => self.series[index as usize].push(time, value),
            None => self.insert(labels, Arc::new(vec![time]), vec![value]),
        }
    }

    /// Series of a metric name, in order of arrival.
    pub(super) fn named(&self, name: Sym) -> &[u32] {
        self.by_name.get(&name).map_or(&[], Vec::as_slice)
    }

    /// True when some series has this metric name.
    #[must_use]
    pub fn has(&mut self, name: &str) -> bool {
        let name = self.labels.text(name);
        !self.named(name).is_empty()
    }

    /// Every series as its labels, times (Unix milliseconds) and values, in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = (LabelId, &[i64], &[f64])> {
        let all = self.series.iter();
        all.map(|s| (s.labels, s.times.as_slice(), s.values.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(times: &[i64], values: &[f64]) -> Series {
        Series::new(0, Arc::new(times.to_vec()), values.to_vec())
    }

    #[test]
    fn the_left_edge_of_a_range_depends_on_the_version() {
        let s = series(&[0, 60_000, 120_000], &[1.0, 2.0, 3.0]);
        assert_eq!(s.range(60_000, 120_000, Version::V2), 1..3);
        assert_eq!(s.range(60_000, 120_000, Version::V3), 2..3);
    }

    #[test]
    fn a_sample_stands_for_five_minutes_unless_the_series_ends() {
        let s = series(&[0, 400_000], &[1.0, STALE]);
        assert_eq!(s.at(299_999, Version::V3), Some((0, 1.0)));
        assert_eq!(s.at(300_000, Version::V3), None);
        assert_eq!(s.at(300_000, Version::V2), Some((0, 1.0)));
        assert_eq!(s.at(400_001, Version::V3), None);
    }

    #[test]
    fn a_counter_that_goes_down_was_reset() {
        assert_eq!(series(&[0, 1, 2, 3], &[5.0, 7.0, 1.0, 1.0]).resets, [2]);
    }
}
