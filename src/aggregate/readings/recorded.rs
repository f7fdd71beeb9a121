//! Values of signals that the dump holds as metrics.

use std::collections::BTreeMap;

use super::Read;
use crate::model::{Dataset, Point, Series, SeriesKind};

/// Series of a dump by name.
pub(super) struct Recorded<'a> {
    by_name: BTreeMap<&'a str, Vec<&'a Series>>,
}

impl<'a> Recorded<'a> {
    pub(super) fn new(data: &'a Dataset) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&Series>> = BTreeMap::new();
        for series in data.series.iter().filter(|s| !s.points.is_empty()) {
            if is_part(data, series) {
                continue;
            }
            by_name
                .entry(data.text(series.name))
                .or_default()
                .push(series);
        }
        Self { by_name }
    }

    /// The value of a metric; `None` where it is not there or has too few points.
    pub(super) fn read(&self, name: &str, how: Read) -> Option<f64> {
        match how {
            Read::Nothing => None,
            Read::Growth => growth(self.counters(name)),
            Read::Rate => Some(growth(self.counters(name))? / self.seconds(name)?),
            Read::Mean => {
                let sum = growth(self.of(name, |kind| kind == SeriesKind::HistogramSum))?;
                let count = growth(self.of(name, |kind| kind == SeriesKind::HistogramCount))?;
                (count > 0.0).then(|| sum / count)
            }
            Read::Level => {
                let means: Vec<f64> = self.gauges(name).filter_map(mean).collect();
                (!means.is_empty()).then(|| means.iter().sum())
            }
            Read::Average => {
                let means: Vec<f64> = self.gauges(name).filter_map(mean).collect();
                let n = means.len() as f64;
                (n > 0.0).then(|| means.iter().sum::<f64>() / n)
            }
        }
    }

    fn of(
        &self,
        name: &str,
        kind: impl Fn(SeriesKind) -> bool,
    ) -> impl Iterator<Item = &'a Series> {
        let all = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(move |series| kind(series.kind))
    }

    fn counters(&self, name: &str) -> impl Iterator<Item = &'a Series> {
        self.of(name, |kind| {
            matches!(kind, SeriesKind::Counter | SeriesKind::Delta)
        })
    }

    fn gauges(&self, name: &str) -> impl Iterator<Item = &'a Series> {
        self.of(name, |kind| kind == SeriesKind::Gauge)
    }

    /// From the first to the last point of any series of the name.
    fn seconds(&self, name: &str) -> Option<f64> {
        let series = self.by_name.get(name)?;
        let first = series
            .iter()
            .filter_map(|s| s.points.first())
            .map(|p| p.time)
            .min()?;
        let last = series
            .iter()
            .filter_map(|s| s.points.last())
            .map(|p| p.time)
            .max()?;
        let seconds = last.since(first).as_secs();
        (seconds > 0.0).then_some(seconds)
    }
}

/// True where a device's total holds what the series shows (an instance of a divided GPU), and where it shows
/// a side engine of the device (video) beside the device itself.
fn is_part(data: &Dataset, series: &Series) -> bool {
    let gpu = data.text(series.name).strip_prefix("hw");
    let gpu = gpu.and_then(|rest| rest.strip_prefix(['.', '_']));
    gpu.is_some_and(|rest| rest.starts_with("gpu"))
        && series
            .labels
            .iter()
            .any(|&(key, value)| match data.text(key) {
                "hw.parent" | "hw_parent" => true,
                "hw.gpu.task" | "hw_gpu_task" => data.text(value) != "general",
                _ => false,
            })
}

fn mean(series: &Series) -> Option<f64> {
    let n = series.points.len() as f64;
    (n > 0.0).then(|| series.points.iter().map(|p| p.value).sum::<f64>() / n)
}

/// How much counters grew from their first point on, restarts seen through; `None` without any.
fn growth<'a>(all: impl Iterator<Item = &'a Series>) -> Option<f64> {
    let mut total = None;
    for series in all {
        let grown: f64 = match series.kind {
            SeriesKind::Delta => series.points.iter().map(|p| p.value).sum(),
            _ => series.points.windows(2).map(step).sum(),
        };
        *total.get_or_insert(0.0) += grown;
    }
    total
}

fn step(pair: &[Point]) -> f64 {
    match pair {
        [before, after] if after.value >= before.value => after.value - before.value,
        [_, after] => after.value,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    fn dataset(kind: SeriesKind, values: &[f64]) -> Dataset {
        let mut data = Dataset::default();
        let name = data.names.intern("m");
        let times = (1..).map(|n| Nanos(n * 10_000_000_000));
        let points = times.zip(values).map(|(time, value)| Point {
            time,
            value: *value,
        });
        data.series.push(Series {
            name,
            kind,
            labels: Vec::new(),
            points: points.collect(),
        });
        data
    }

    #[test]
    fn counters_grow_through_restarts() {
        let data = dataset(SeriesKind::Counter, &[5.0, 9.0, 2.0, 3.0]);
        let recorded = Recorded::new(&data);
        assert_eq!(recorded.read("m", Read::Growth), Some(7.0));
        assert_eq!(recorded.read("m", Read::Rate), Some(7.0 / 30.0));
        assert_eq!(recorded.read("m", Read::Level), None);
        assert_eq!(recorded.read("other", Read::Growth), None);
    }

    #[test]
    fn instances_and_side_engines_do_not_count_twice() {
        let with = |key: &str, value: &str| {
            let mut data = dataset(SeriesKind::Gauge, &[1.0, 3.0]);
            data.series[0].name = data.names.intern("hw.gpu.memory.usage");
            data.series[0].labels = vec![(data.names.intern(key), data.names.intern(value))];
            Recorded::new(&data).read("hw.gpu.memory.usage", Read::Level)
        };
        assert_eq!(with("hw.parent", "GPU-1"), None);
        assert_eq!(with("hw.gpu.task", "encoder"), None);
        assert_eq!(with("hw.gpu.task", "general"), Some(2.0));
        assert_eq!(with("hw.id", "GPU-1"), Some(2.0));
    }

    #[test]
    fn gauges_are_averaged_over_time() {
        let data = dataset(SeriesKind::Gauge, &[1.0, 3.0]);
        assert_eq!(Recorded::new(&data).read("m", Read::Level), Some(2.0));
        assert_eq!(Recorded::new(&data).read("m", Read::Growth), None);
    }
}
